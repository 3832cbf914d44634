"""The metrics of one step: the line of `metrics.jsonl`, from what the stages produced. Pure functions.

Field names are a contract; see the reference page on file formats for what each means and its unit.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.engine.scoring import varies
from azr_engine.engine.types import Episode, Malformed, Proposal, Rejection, Task
from azr_engine.trainer.protocol import UpdateMetrics

PHASES = ("propose", "admit", "solve", "judge", "update", "checkpoint")


class PhaseClock:
    """Wall seconds of each phase of a step and of the step as a whole."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.seconds = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the `with` block to a phase."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] += time.monotonic() - started

    def total(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._started


def peak_memory_mb() -> float:
    """Peak resident memory of this process and of its largest finished child, in MiB."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + child) / 1024


def domain_metrics(
    domain: str, proposals: Sequence[Proposal], episodes: Sequence[Episode], samples: int, all_samples: int
) -> dict[str, Any]:
    """One domain's object in `domains`.

    Args:
        domain: its name; the sequences may hold other domains' items.
        samples, all_samples: sequences of this domain, and of all, that entered the update.
    """
    own = [p for p in proposals if p.domain == domain]
    groups = [e for e in episodes if e.task.domain == domain]
    tasks = [e.task for e in groups]  # every admitted task was tried, whether proposed or drawn
    rejections = Counter(p.outcome.reason for p in own if isinstance(p.outcome, Rejection))
    rates = [rate for e in groups if (rate := e.solve_rate) is not None]
    learnabilities = [
        unbiased_learnability(sum(a.verdict.score for a in e.scored), len(e.scored))
        for e in groups
        if len(e.scored) > 1
    ]
    effective = sum(sum(a.reward is not None for a in e.attempts) for e in groups if varies(e))
    return {
        "proposed": len(own),
        "well_formed": sum(p.outcome is not None and not isinstance(p.outcome, Malformed) for p in own),
        "admitted": len(tasks),
        "duplicate": rejections["duplicate"],
        "rejections": dict(sorted(rejections.items())),
        "unique_skeletons": len({(task.kind, task.skeleton) for task in tasks}),
        "solve_rate": _mean(rates),
        "learnability": _mean(learnabilities),
        "zero_variance": _mean([0.0 if varies(e) else 1.0 for e in groups]),
        "effective": effective,
        "share": samples / all_samples if all_samples else 0.0,
        "kinds": _kinds(tasks, groups),
    }


def _kinds(tasks: Sequence[Task], groups: Sequence[Episode]) -> dict[str, Any]:
    names = sorted({task.kind for task in tasks})
    return {
        kind: {
            "admitted": sum(task.kind == kind for task in tasks),
            "solve_rate": _mean([r for e in groups if e.task.kind == kind and (r := e.solve_rate) is not None]),
        }
        for kind in names
    }


def step_metrics(
    *,
    step: int,
    clock: PhaseClock,
    domains: Mapping[str, Mapping[str, Any]],
    proposals: Sequence[Proposal],
    episodes: Sequence[Episode],
    n_samples: int,
    update: UpdateMetrics | None,
    faults: int,
    alarms: Sequence[str],
    weight_version: int,
) -> dict[str, Any]:
    """The line of `metrics.jsonl`; `update` is None when no sample carried a gradient."""
    generated = sum(len(p.completion.ids) for p in proposals)
    generated += sum(len(a.completion.ids) for e in episodes for a in e.attempts)
    return {
        "step": step,
        "seconds": round(clock.total(), 4),
        "phase_seconds": {name: round(value, 4) for name, value in clock.seconds.items()},
        "tokens": {"generated": generated, "trained": update.tokens_trained if update else 0},
        "memory_mb": round(peak_memory_mb(), 1),
        "domains": {name: dict(values) for name, values in domains.items()},
        "policy": {
            "loss": update.loss if update else 0.0,
            "kl_base": update.kl_base if update else 0.0,
            "entropy": update.entropy if update else 0.0,
            "grad_norm": update.grad_norm if update else 0.0,
            "clip_fraction": update.clip_fraction if update else 0.0,
            "samples": n_samples,
        },
        "faults": faults,
        "alarms": list(alarms),
        "weight_version": weight_version,
    }


def count_faults(
    proposals: Sequence[Proposal], episodes: Sequence[Episode], drawn: Sequence[Task | Rejection] = ()
) -> tuple[int, int]:
    """Faults, and the items that could have been one."""
    outcomes = [*(p.outcome for p in proposals), *drawn]
    rejected = sum(isinstance(outcome, Rejection) and outcome.fault for outcome in outcomes)
    verdicts = [a.verdict.status for e in episodes for a in e.attempts]
    return rejected + verdicts.count("fault"), len(outcomes) + len(verdicts)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
