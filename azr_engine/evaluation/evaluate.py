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
from azr_engine.evaluation.statistics import bootstrap_interval, pass_at_k

SUITES = {"heldout": load_heldout, "dev": load_dev}


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
    counts: dict[tuple[str, str], int] = {}
    tasks = []
    for task in SUITES[name]():
        cell = (task.domain, task.kind)
        counts[cell] = counts.get(cell, 0) + 1
        if task.domain in domains and (per_kind is None or counts[cell] <= per_kind):
            tasks.append(task)
    if not tasks:
        raise UserError(f"suite {name!r} has no task of {', '.join(domains)}")
    return tasks


async def evaluate(solver: Solver, tasks: Sequence[Task], seed: int) -> list[Episode]:
    """Every task tried and judged, in order."""
    return await solver.judge(solver.solve(tasks, derived_seed(seed, 0, "evaluation")))


def summarise(suite: str, episodes: Sequence[Episode], ks: Sequence[int]) -> dict[str, Any]:
    """The JSON of `azr-engine eval`: accuracy and pass@k by `domain/kind`, by domain, and overall.

    `accuracy` is pass@1; each interval is a 95% bootstrap over tasks. Tasks whose every verdict was a fault are left
    out and counted in `unjudged`; a figure without any task is null.
    """
    by_kind: dict[str, list[Episode]] = {}
    by_domain: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_kind.setdefault(f"{episode.task.domain}/{episode.task.kind}", []).append(episode)
        by_domain.setdefault(episode.task.domain, []).append(episode)
    kinds = {name: _summary(group, ks) for name, group in by_kind.items()}
    return {
        "suite": suite,
        "by_kind": kinds,
        "by_domain": {name: _mean_of_kinds(name, kinds, _summary(group, ks)) for name, group in by_domain.items()},
        "overall": _summary(episodes, ks),
    }


def _summary(episodes: Sequence[Episode], ks: Sequence[int]) -> dict[str, Any]:
    judged = [passes for e in episodes if (passes := _passes(e))]
    values = {k: [pass_at_k(len(p), sum(p), k) for p in judged if len(p) >= k] for k in ks}
    first = [pass_at_k(len(p), sum(p), 1) for p in judged]
    return {
        "n": len(judged),
        "accuracy": _mean(first),
        "ci95": bootstrap_interval(first),
        "pass_at_k": {
            str(k): {"value": _mean(items), "ci95": bootstrap_interval(items)} for k, items in values.items()
        },
        "unjudged": len(episodes) - len(judged),
    }


def _mean_of_kinds(domain: str, kinds: Mapping[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    """A domain's summary over tasks, and pass@k averaged over kinds."""
    own = [values for name, values in kinds.items() if name.startswith(f"{domain}/") and values["n"]]
    means = {
        k: _mean([value for values in own if (value := values["pass_at_k"][k]["value"]) is not None])
        for k in summary["pass_at_k"]
    }
    return {**summary, "mean_over_kinds": means}


def _passes(episode: Episode) -> list[bool]:
    """Which tries passed. An abstention counts as a miss here, a fault not at all."""
    return [a.verdict.status == "pass" for a in episode.attempts if a.verdict.status != "fault"]


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
