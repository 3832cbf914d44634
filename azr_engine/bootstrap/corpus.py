"""Lessons as token ids, made by processes of their own while training goes on; the same for the same seed."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from azr_engine.bootstrap.lessons import LessonBook, Mix
from azr_engine.engine.styles import CompactStyle

SHARD_LESSONS = 500
WINDOW_SHARDS = 8
"""Shards that are shuffled together."""


@dataclass(frozen=True, slots=True)
class TokenizedLesson:
    """Token ids of prompt, completion and end token, and how many of them are the prompt's."""

    ids: tuple[int, ...]
    n_prompt: int


@contextmanager
def lesson_stream(seed: int, mix: Mix, *, n_processes: int, max_tokens: int) -> Iterator[Iterator[TokenizedLesson]]:
    """Endless lessons; those longer than `max_tokens` are left out.

    The processes work a few shards ahead of the reader and end with the context.
    """
    # Not forked: the parent may hold torch's threads.
    pool = ProcessPoolExecutor(n_processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        # More than a window: the next one is ready before this one has been learned.
        yield _in_order(pool, seed, mix, max_tokens, ahead=2 * WINDOW_SHARDS)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, seed: int, mix: Mix, max_tokens: int, *, ahead: int
) -> Iterator[TokenizedLesson]:
    waiting: deque[Future[list[TokenizedLesson]]] = deque()
    for shard in count():
        waiting.append(pool.submit(make_shard, seed * 1_000_003 + shard, max_tokens, mix))
        if len(waiting) > ahead:
            yield from waiting.popleft().result()


def make_shard(seed: int, max_tokens: int, mix: Mix) -> list[TokenizedLesson]:
    """The lessons of one shard, tokenised."""
    from azr_engine.bootstrap.tokenizer import build_tokenizer

    tokenizer = build_tokenizer()
    lessons = list(islice(LessonBook(CompactStyle(), seed, mix=mix).lessons(), SHARD_LESSONS))
    prompts = tokenizer([lesson.prompt for lesson in lessons], add_special_tokens=False)["input_ids"]
    completions = tokenizer([lesson.completion for lesson in lessons], add_special_tokens=False)["input_ids"]
    tokenized = (
        TokenizedLesson((*prompt, *completion, tokenizer.eos_token_id), len(prompt))
        for prompt, completion in zip(prompts, completions, strict=True)
    )
    return [lesson for lesson in tokenized if len(lesson.ids) <= max_tokens]


def batches(lessons: Iterator[TokenizedLesson], token_budget: int, seed: int) -> Iterator[list[TokenizedLesson]]:
    """Endless batches: lessons of a window grouped by similar length, in random order."""
    from azr_engine.trainer.batching import micro_batches

    rng = np.random.default_rng(seed)
    while True:
        window = list(islice(lessons, WINDOW_SHARDS * SHARD_LESSONS))
        groups = micro_batches([len(lesson.ids) for lesson in window], token_budget)
        for group in rng.permutation(len(groups)):
            yield [window[i] for i in groups[group]]
