"""Running a suite: sample answers, judge them through the same code as training, sum up by domain and kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.randomness import derived_seed
from azr_engine.engine.solving import Solver
from azr_engine.engine.types import Episode, Task
from azr_engine.evaluation.heldout import load_dev, load_heldout
from azr_engine.evaluation.statistics import bootstrap_interval, mean, pass_at_k
from azr_engine.evaluation.tally import Tally, tally

SUITES = {"heldout": load_heldout, "dev": load_dev}
"""The suites of this package's own tasks; `suites.py` has the others."""


def suite_ids() -> frozenset[str]:
    """Ids of every suite's tasks, which no run may admit."""
    return frozenset(task.id for load in SUITES.values() for task in load())


def load_suite(name: str, domains: Sequence[str], per_kind: int | None = None) -> list[Task]:
    """The suite's tasks of `domains`, at most `per_kind` of each domain and kind.

    Raises:
        UserError: the suite is unknown or has no task of these domains.
    """
    if name not in SUITES:
        raise UserError(f"unknown suite {name!r}; known suites: {', '.join(SUITES)}")
    tasks = at_most(per_kind, [task for task in SUITES[name]() if task.domain in domains])
    if not tasks:
        raise UserError(f"suite {name!r} has no task of {', '.join(domains)}")
    return tasks


def at_most(per_kind: int | None, tasks: Sequence[Task]) -> list[Task]:
    """The first `per_kind` tasks of each domain and kind; None keeps all."""
    counts: dict[tuple[str, str], int] = {}
    kept = []
    for task in tasks:
        cell = (task.domain, task.kind)
        counts[cell] = counts.get(cell, 0) + 1
        if per_kind is None or counts[cell] <= per_kind:
            kept.append(task)
    return kept


async def evaluate(solver: Solver, tasks: Sequence[Task], seed: int) -> list[Episode]:
    """Every task tried and judged, in order."""
    return await solver.judge(solver.solve(tasks, derived_seed(seed, 0, "evaluation")))


def summarise(suite: str, episodes: Sequence[Episode], ks: Sequence[int]) -> dict[str, Any]:
    """`summarise_tallies` of episodes."""
    return summarise_tallies(suite, [tally(episode) for episode in episodes], ks)


def summarise_tallies(suite: str, tallies: Sequence[Tally], ks: Sequence[int]) -> dict[str, Any]:
    """The JSON of `azr-engine eval`: accuracy and pass@k by `domain/kind`, by domain, and overall.

    `accuracy` is pass@1; each interval is a 95% bootstrap over tasks. Tasks whose every verdict was a fault are left
    out and counted in `unjudged`; a figure without any task is null. `distinct` and `distinct_passed` are the mean
    numbers of different answers to a task, `entropy` the mean of -ln p over the tokens written, in nats.
    """
    by_kind: dict[str, list[Tally]] = {}
    by_domain: dict[str, list[Tally]] = {}
    for one in tallies:
        by_kind.setdefault(one.cell, []).append(one)
        by_domain.setdefault(one.domain, []).append(one)
    kinds = {name: _summary(group, ks) for name, group in by_kind.items()}
    return {
        "suite": suite,
        "by_kind": kinds,
        "by_domain": {name: _mean_of_kinds(name, kinds, _summary(group, ks)) for name, group in by_domain.items()},
        "overall": _summary(tallies, ks),
    }


def _summary(tallies: Sequence[Tally], ks: Sequence[int]) -> dict[str, Any]:
    judged = [t for t in tallies if t.judged]
    values = {k: [pass_at_k(t.judged, t.passed, k) for t in judged if t.judged >= k] for k in ks}
    first = [t.passed / t.judged for t in judged]
    n_tokens = sum(t.tokens for t in judged)
    return {
        "n": len(judged),
        "accuracy": mean(first),
        "ci95": bootstrap_interval(first),
        "pass_at_k": {str(k): {"value": mean(items), "ci95": bootstrap_interval(items)} for k, items in values.items()},
        "distinct": mean([t.distinct for t in judged]),
        "distinct_passed": mean([t.distinct_passed for t in judged]),
        "entropy": math.fsum(t.surprise for t in judged) / n_tokens if n_tokens else None,
        "unjudged": len(tallies) - len(judged),
        "too_long": sum(not t.fits for t in tallies),
    }


def _mean_of_kinds(domain: str, kinds: Mapping[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    """A domain's summary over tasks, and pass@k averaged over kinds."""
    own = [values for name, values in kinds.items() if name.startswith(f"{domain}/") and values["n"]]
    means = {
        k: mean([value for values in own if (value := values["pass_at_k"][k]["value"]) is not None])
        for k in summary["pass_at_k"]
    }
    return {**summary, "mean_over_kinds": means}
