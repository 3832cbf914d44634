"""Lessons as token ids in memory, made by several processes, the same for the same seed and size."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from azr_engine.bootstrap.lessons import BROAD, LessonBook, Mix
from azr_engine.engine.styles import STYLES

SHARD_LESSONS = 2000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Token sequences end to end.

    Attributes:
        tokens: uint16[n_tokens], each lesson's prompt, completion and end token.
        starts: int64[n_lessons + 1], where each lesson begins.
        prompt_lengths: uint16[n_lessons].
    """

    tokens: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int64]
    prompt_lengths: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.prompt_lengths)

    def lengths(self) -> npt.NDArray[np.int64]:
        """int64[n_lessons] tokens in each lesson."""
        return np.diff(self.starts)


def build_corpus(
    n_lessons: int, seed: int, *, n_processes: int, max_tokens: int, progress: Callable[[int], None], mix: Mix = BROAD
) -> Corpus:
    """Generate at least `n_lessons` lessons; those longer than `max_tokens` are left out.

    `progress` is called with the number of lessons of each finished shard.
    """
    jobs = [(seed * 1_000_003 + shard, max_tokens, mix) for shard in range(-(-n_lessons // SHARD_LESSONS))]
    rows: list[list[int]] = []
    prompts: list[int] = []
    # Not forked: the parent may hold torch's threads.
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        for shard_rows, shard_prompts in pool.imap(_shard, jobs):
            rows += shard_rows
            prompts += shard_prompts
            progress(len(shard_rows))
    starts = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    tokens = np.fromiter((token for row in rows for token in row), dtype=np.uint16, count=int(starts[-1]))
    return Corpus(tokens, starts, np.array(prompts, dtype=np.uint16))


def _shard(job: tuple[int, int, Mix]) -> tuple[list[list[int]], list[int]]:
    from azr_engine.bootstrap.tokenizer import build_tokenizer

    seed, max_tokens, mix = job
    tokenizer = build_tokenizer()
    lessons = list(islice(LessonBook(STYLES["compact"], seed, mix=mix).lessons(), SHARD_LESSONS))
    prompts = tokenizer([lesson.prompt for lesson in lessons], add_special_tokens=False)["input_ids"]
    completions = tokenizer([lesson.completion for lesson in lessons], add_special_tokens=False)["input_ids"]
    rows, lengths = [], []
    for prompt, completion in zip(prompts, completions, strict=True):
        row = [*prompt, *completion, tokenizer.eos_token_id]
        if len(row) <= max_tokens:
            rows.append(row)
            lengths.append(len(prompt))
    return rows, lengths


def epochs(corpus: Corpus, token_budget: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of lesson indices: shuffled, grouped by similar length, batches shuffled again."""
    from azr_engine.trainer.batching import micro_batches

    rng = np.random.default_rng(seed)
    lengths = corpus.lengths()
    window = 20_000
    while True:
        order = rng.permutation(len(corpus))
        for start in range(0, len(order), window):
            chunk = order[start : start + window]
            batches = micro_batches(lengths[chunk].tolist(), token_budget)
            for batch in rng.permutation(len(batches)):
                yield [int(chunk[i]) for i in batches[batch]]
