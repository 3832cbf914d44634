"""Tokens a second that the embedded model's sampler writes, beside `transformers.generate` on the same prompts.

Once with 64 answers of exactly 48 tokens to 64 prompts, and once as a run asks for them: groups of 8 answers a prompt,
each as long as it is. One thread; both sides in turns, by CPU time, the first round not counted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from azr_engine.benchmarks.figures import Figure, times

MODEL = "azr-tiny"
N_PROMPTS, N_TOKENS, GROUP, ROUNDS = 64, 48, 8, 3
PEER = "transformers.generate"


def measure() -> list[Figure]:
    """Both settings."""
    import torch

    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy

    torch.set_num_threads(1)
    loaded = load_model(MODEL)
    policy = TransformersPolicy(loaded)
    prompts = [policy.encode(text) for text in solver_prompts(N_PROMPTS)]
    fixed = TransformersPolicy(loaded)
    fixed._ends = frozenset({-1})  # nothing ends an answer early

    def own(sampler: TransformersPolicy, some: Sequence[Sequence[int]], n: int) -> int:
        groups = sampler.generate(some, n_samples=n, max_new_tokens=N_TOKENS, temperature=1.0, seed=1)
        return sum(len(completion.ids) for group in groups for completion in group)

    def peer(some: Sequence[Sequence[int]], n: int, least: int) -> int:
        return generate(loaded, some, n, least)

    few = prompts[: N_PROMPTS // GROUP]
    return [
        *_compared("fixed lengths, batch 64", lambda: own(fixed, prompts, 1), lambda: peer(prompts, 1, N_TOKENS), 1.3),
        *_compared("natural lengths, groups of 8", lambda: own(policy, few, GROUP), lambda: peer(few, GROUP, 0), 2.0),
    ]


def solver_prompts(n: int) -> list[Any]:
    """Rendered prompts of held-out tasks, kinds in turn."""
    from azr_engine.domains.math.domain import MathDomain
    from azr_engine.domains.python.domain import PythonDomain
    from azr_engine.engine.styles import STYLES
    from azr_engine.evaluation.heldout import load_heldout

    domains = {domain.name: domain for domain in (PythonDomain(), MathDomain())}
    tasks = load_heldout()
    return [STYLES["compact"].render(domains[t.domain].solve_prompt(t)) for t in tasks[:: len(tasks) // n][:n]]


def generate(loaded: Any, prompts: Sequence[Sequence[int]], n: int, least: int) -> int:
    """Tokens that Transformers' own sampler writes: all prompts in one batch, padded on the left."""
    import torch

    tokenizer = loaded.tokenizer
    longest = max(map(len, prompts))
    pad, end = int(tokenizer.pad_token_id), int(tokenizer.eos_token_id)
    ids = torch.tensor([[pad] * (longest - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    loaded.model.eval()
    with torch.inference_mode():
        out = loaded.model.generate(
            input_ids=ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
            num_return_sequences=n, max_new_tokens=N_TOKENS, min_new_tokens=least or None, pad_token_id=pad,
        )[:, longest:]  # fmt: skip
    ended = ((out == end).cumsum(1) - (out == end).int()) > 0  # what stands behind an answer's end
    return int((~ended).sum())


def rates(sides: Sequence[Callable[[], int]]) -> list[float]:
    """Median tokens per CPU second of each side; they take turns, and the first turn warms up."""
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS + 1):
        for rate, side in zip(found, sides, strict=True):
            started = time.process_time()
            n_tokens = side()
            rate.append(n_tokens / (time.process_time() - started))
    return [statistics.median(rate[1:]) for rate in found]


def _compared(name: str, own: Callable[[], int], peer: Callable[[], int], least: float) -> list[Figure]:
    ours, theirs = rates([own, peer])
    unit = "tokens/CPU s"
    return [times(name, ours, unit, PEER, theirs, least), Figure(f"{name}: {PEER}", theirs, unit)]
