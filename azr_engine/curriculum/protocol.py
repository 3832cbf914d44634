"""The shape of a curriculum: it plans a step's proposals, then hears how each cell's tasks went.

A curriculum is driven by the loop alone, once per step, in one thread. It holds no randomness of its own: the
loop passes the generator, and saves the state with each checkpoint.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

Cell = tuple[str, str]
"""A (domain, kind) pair."""


@runtime_checkable
class Curriculum(Protocol):
    """Splits the budget over cells. Everything in its state is JSON-able."""

    name: str

    def plan(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """Proposals for each of `cells`, in their order, summing to `budget`; the same for the same `rng` state."""
        ...

    def observe(self, cell: Cell, *, n_tasks: int, n_effective: int, learnability: float | None) -> None:
        """Hear how a cell went in a step.

        Args:
            cell: the (domain, kind).
            n_tasks: tasks that were tried and scored.
            n_effective: those whose tries differed in reward, so that they carried a gradient.
            learnability: mean unbiased learnability of the tried tasks; None when it could not be estimated.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """All it has learned, JSON-able."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described, also after a trip through JSON."""
        ...
