"""A tabular world to test curricula in: cells whose tasks have known solve probabilities, and nothing else.

A proposal becomes a task with a known probability; the task's solve probability comes from a known distribution; the
tries are coin flips. So the true learnability of a cell and the true yield of a proposal are sums, not estimates. A
cell can also move: its solve probability is then a function of how many effective tasks it has had, as when a policy
learns, or learns to cheat a verifier.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from azr_engine.curriculum import Cell, Curriculum, Observation
from azr_engine.curriculum.watch import Watch
from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.engine.types import Alarm

N_ATTEMPTS = 8


@dataclass(frozen=True)
class Truth:
    """One cell: pairs of a solve probability and its weight, the chance to be admitted, and how learning moves it."""

    rates: Sequence[tuple[float, float]]
    admitted: float = 1.0
    moves: Callable[[float, float], float] = lambda rate, n_effective: rate

    @property
    def learnability(self) -> float:
        """Mean of p(1 - p) over the cell's tasks."""
        return sum(weight * p * (1 - p) for p, weight in self.rates)

    @property
    def effective_yield(self) -> float:
        """Probability that a proposal becomes a task whose tries differ."""
        return self.admitted * sum(w * (1 - p**N_ATTEMPTS - (1 - p) ** N_ATTEMPTS) for p, w in self.rates)


@dataclass
class History:
    """What happened, summed over the steps after the first `burn_in`."""

    planned: dict[Cell, int] = field(default_factory=dict)
    effective: dict[Cell, int] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    def share(self, *cells: Cell) -> float:
        """Part of the budget that went to some cells."""
        return sum(self.planned[cell] for cell in cells) / sum(self.planned.values())

    def n_effective(self, domain: str) -> int:
        """Effective tasks of a domain."""
        return sum(count for (name, _), count in self.effective.items() if name == domain)


def play(
    curriculum: Curriculum,
    world: Mapping[Cell, Truth],
    *,
    n_steps: int = 150,
    budget: int = 64,
    burn_in: int = 0,
    seed: int = 0,
    watch: Watch | None = None,
) -> History:
    """Let a curriculum plan a world's steps."""
    rng, history = random.Random(seed), History(dict.fromkeys(world, 0), dict.fromkeys(world, 0))
    learned = dict.fromkeys(world, 0.0)
    for step in range(1, n_steps + 1):
        plan = curriculum.plan(list(world), budget, rng)
        effective: dict[str, int] = {}
        for cell, count in plan.items():
            seen = _observe(world[cell], count, learned[cell], rng)
            curriculum.observe(cell, seen)
            learned[cell] += seen.n_effective
            effective[cell[0]] = effective.get(cell[0], 0) + seen.n_effective
            if step > burn_in:
                history.planned[cell] += count
                history.effective[cell] += seen.n_effective
        if watch is not None:
            history.alarms += watch.hear(step, effective, {}, 0.0)
    return history


def _observe(truth: Truth, count: int, learned: float, rng: random.Random) -> Observation:
    passes = []
    for _ in range(count):
        if rng.random() < truth.admitted:
            (base,) = rng.choices([p for p, _ in truth.rates], [w for _, w in truth.rates])
            rate = truth.moves(base, learned)
            passes.append(sum(rng.random() < rate for _ in range(N_ATTEMPTS)))
    values = [unbiased_learnability(k, N_ATTEMPTS) for k in passes]
    return Observation(
        n_planned=count,
        n_tasks=len(passes),
        n_effective=sum(0 < k < N_ATTEMPTS for k in passes),
        learnability=sum(values) / len(values) if values else None,
        solve_rate=sum(passes) / (N_ATTEMPTS * len(passes)) if passes else None,
    )
