"""The metrics of one step: the line of `metrics.jsonl`, from what the stages produced. Pure functions.

Field names are a contract; see the reference page on file formats for what each means and its unit.
"""

from __future__ import annotations

import math
import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from azr_engine.curriculum.archive import Difficulty, difficulty
from azr_engine.curriculum.protocol import Cell
from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.engine.scoring import varies
from azr_engine.engine.types import Episode, Malformed, Proposal, Rejection, Task
from azr_engine.trainer.protocol import Sample, UpdateMetrics

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

    def times(self) -> dict[str, Any]:
        """`seconds` since the clock was made and `phase_seconds`, for the metrics."""
        phases = {name: round(value, 4) for name, value in self.seconds.items()}
        return {"seconds": round(time.monotonic() - self._started, 4), "phase_seconds": phases}


def peak_memory_mb() -> float:
    """Peak resident memory of this process and of its largest finished child, in MiB."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + child) / 1024


@dataclass(frozen=True, slots=True)
class Played:
    """What a step did, as far as it is measured.

    Attributes:
        proposals: all that the proposer wrote, whatever became of it.
        drawn: tasks that came from seeds or a file, and why others did not.
        episodes: the tries at the step's own tasks, proposed or drawn.
        anchored: the tries at fresh tasks from the seeds, beside the step's own.
        replayed: the tries at tasks of earlier steps.
        samples: the update's sequences by (domain, kind).
        trapped: the tries at honeypots, which count for nothing else.
        retired: tasks that every try solved, by domain.
        coverage: the novelty archive's counts, by domain.
    """

    proposals: Sequence[Proposal] = ()
    drawn: Sequence[Task | Rejection] = ()
    episodes: Sequence[Episode] = ()
    anchored: Sequence[Episode] = ()
    replayed: Sequence[Episode] = ()
    samples: Mapping[Cell, Sequence[Sample]] = field(default_factory=dict)
    trapped: Sequence[Episode] = ()
    retired: Mapping[str, int] = field(default_factory=dict)
    coverage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def tried(self) -> list[Episode]:
        """The tries at all tasks."""
        return [*self.episodes, *self.anchored, *self.replayed]

    @property
    def faults(self) -> tuple[int, int]:
        """Checks lost to a verifier's own failure, and the checks that could have been."""
        outcomes = [*(p.outcome for p in self.proposals), *self.drawn]
        rejected = sum(isinstance(outcome, Rejection) and outcome.fault for outcome in outcomes)
        verdicts = [a.verdict.status for e in self.tried for a in e.attempts]
        return rejected + verdicts.count("fault"), len(outcomes) + len(verdicts)

    @property
    def n_generated(self) -> int:
        """Tokens sampled in both roles."""
        tried = (a.completion for e in (*self.tried, *self.trapped) for a in e.attempts)
        return sum(len(c.ids) for c in chain((p.completion for p in self.proposals), tried))


def domain_metrics(domain: str, played: Played) -> dict[str, Any]:
    """One domain's object in `domains`."""
    own = [p for p in played.proposals if p.domain == domain]
    groups = [e for e in played.episodes if e.task.domain == domain]
    tasks = [e.task for e in groups]
    rejections = Counter(p.outcome.reason for p in own if isinstance(p.outcome, Rejection))
    rates = [rate for e in groups if (rate := e.solve_rate) is not None]
    learnabilities = [value for e in groups if (value := episode_learnability(e)) is not None]
    tried = [e for e in played.tried if e.task.domain == domain]
    trapped = [e for e in played.trapped if e.task.domain == domain]
    effective = sum(sum(a.reward is not None for a in e.attempts) for e in tried if varies(e))
    return {
        "proposed": len(own),
        "well_formed": sum(p.outcome is not None and not isinstance(p.outcome, Malformed) for p in own),
        "admitted": len(tasks),
        "duplicate": rejections["duplicate"],
        "rejections": dict(sorted(rejections.items())),
        "unique_skeletons": len({(task.kind, task.skeleton) for task in tasks}),
        "solve_rate": _mean(rates),
        "solve_rates": _histogram(groups),
        "learnability": _mean(learnabilities),
        "zero_variance": _mean([0.0 if varies(e) else 1.0 for e in groups]),
        "effective": effective,
        "share": _gradient_share(domain, played.samples),
        "proposal_entropy": proposal_entropy(own),
        "answer_tokens": _mean([float(len(a.completion.ids)) for e in groups for a in e.attempts]),
        "anchored": sum(e.task.domain == domain for e in played.anchored),
        "replayed": sum(e.task.domain == domain for e in played.replayed),
        "honeypots": len(trapped),
        "honeypot_rate": _mean([rate for e in trapped if (rate := e.solve_rate) is not None]),
        "retired": played.retired.get(domain, 0),
        "coverage": dict(played.coverage.get(domain, {})),
        "kinds": _kinds(own, groups),
    }


def _kinds(proposals: Sequence[Proposal], groups: Sequence[Episode]) -> dict[str, Any]:
    names = sorted({p.kind for p in proposals} | {e.task.kind for e in groups})
    found = {}
    for kind in names:
        own = [e for e in groups if e.task.kind == kind]
        found[kind] = {
            "proposed": sum(p.kind == kind for p in proposals),
            "admitted": len(own),
            "effective": sum(varies(e) for e in own),
            "unique_skeletons": len({e.task.skeleton for e in own}),
            "solve_rate": _mean([rate for e in own if (rate := e.solve_rate) is not None]),
        }
    return found


def _histogram(groups: Sequence[Episode]) -> dict[Difficulty, int]:
    """Tasks by how many of their tries passed; those without a scored try count nowhere."""
    counts: dict[Difficulty, int] = dict.fromkeys(("never", "hard", "middle", "easy", "always"), 0)
    for episode in groups:
        if episode.scored:
            counts[difficulty(*score_of(episode))] += 1
    return counts


def _gradient_share(domain: str, samples: Mapping[Cell, Sequence[Sample]]) -> float:
    """Part of the summed |advantage| over sequences; 0 without any."""
    mass = {cell: sum(abs(s.advantage) for s in group) for cell, group in samples.items()}
    total = sum(mass.values())
    return sum(value for (name, _), value in mass.items() if name == domain) / total if total else 0.0


def score_of(episode: Episode) -> tuple[float, int]:
    """The sum of the scores that count, and how many do."""
    return sum(a.verdict.score for a in episode.scored), len(episode.scored)


def episode_learnability(episode: Episode) -> float | None:
    """Unbiased learnability of one task; None with fewer than two scored tries."""
    total, n = score_of(episode)
    return unbiased_learnability(total, n) if n > 1 else None


def proposal_entropy(proposals: Sequence[Proposal]) -> float | None:
    """Mean of -log p over the proposals' tokens, in nats: an unbiased estimate of the sampling entropy per token."""
    logprobs = [value for p in proposals for value in p.completion.logprobs]
    return -math.fsum(logprobs) / len(logprobs) if logprobs else None


def step_metrics(
    *,
    step: int,
    clock: PhaseClock,
    domains: Sequence[str],
    played: Played,
    update: UpdateMetrics | None,
    alarms: Sequence[str],
    weight_version: int,
) -> dict[str, Any]:
    """The line of `metrics.jsonl`; `update` is None when no sample carried a gradient."""
    if update is not None and not update.applied:  # its figures are no numbers
        update = None
    return {
        "step": step,
        **clock.times(),
        "tokens": {"generated": played.n_generated, "trained": update.tokens_trained if update else 0},
        "memory_mb": round(peak_memory_mb(), 1),
        "domains": {name: domain_metrics(name, played) for name in domains},
        "policy": {
            "loss": update.loss if update else 0.0,
            "kl_base": update.kl_base if update else 0.0,
            "entropy": update.entropy if update else 0.0,
            "grad_norm": update.grad_norm if update else 0.0,
            "clip_fraction": update.clip_fraction if update else 0.0,
            "kl_rollout": update.kl_rollout if update else 0.0,
            "samples": sum(len(group) for group in played.samples.values()),
        },
        "faults": played.faults[0],
        "alarms": list(alarms),
        "weight_version": weight_version,
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
