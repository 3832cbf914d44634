"""The shape of a curriculum: it plans a step's proposals, then hears how each cell's tasks went.

A curriculum is driven by the loop alone, once per step, in one thread. It holds no randomness of its own: the
loop passes the generator, and saves the state with each checkpoint.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Cell = tuple[str, str]
"""A (domain, kind) pair."""


@dataclass(frozen=True, slots=True)
class Observation:
    """How a cell went in one step.

    Attributes:
        n_planned: proposals that the plan gave it.
        n_tasks: tasks that were tried and scored.
        n_effective: those whose tries differed in reward, so that they carried a gradient.
        learnability: mean unbiased learnability of those tasks, in [0, 1/2]; None when there is none.
        solve_rate: their mean score, in [0, 1]; None when there is none.

    Raises:
        ValueError: counts that cannot be, a mean outside its range, or one that is missing.
    """

    n_planned: int
    n_tasks: int
    n_effective: int
    learnability: float | None
    solve_rate: float | None

    def __post_init__(self) -> None:
        if not 0 <= self.n_effective <= self.n_tasks or self.n_planned < 0:
            raise ValueError(f"{self.n_effective} effective of {self.n_tasks} tasks cannot be")
        if (self.learnability is None or self.solve_rate is None) and self.n_tasks:
            raise ValueError(f"{self.n_tasks} tasks were scored, but a mean is outside the observation")
        if self.learnability is not None and not 0.0 <= self.learnability <= 0.5:
            raise ValueError(f"learnability {self.learnability!r} is outside [0, 0.5]")
        if self.solve_rate is not None and not 0.0 <= self.solve_rate <= 1.0:
            raise ValueError(f"solve rate {self.solve_rate!r} is outside [0, 1]")


@runtime_checkable
class Curriculum(Protocol):
    """Splits the budget over cells. Everything in its state is JSON-able."""

    name: str

    def plan(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """Proposals for each of `cells`, in their order, summing to `budget`; the same for the same `rng` state."""
        ...

    def observe(self, cell: Cell, seen: Observation) -> None:
        """Hear how a cell went in a step; called for every cell of the plan."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All it has learned, JSON-able."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described, also after a trip through JSON."""
        ...


@runtime_checkable
class PlansReplay(Protocol):
    """What a curriculum may add: a split of its own for earlier tasks. Without it `plan` splits those, too."""

    def plan_replay(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """Earlier tasks to try again for each of `cells`, as `plan` gives proposals."""
        ...
