"""The default curriculum: more proposals where tasks are learnable, and a floor under every cell.

Each cell has a posterior mean of its tasks' learnability, in which old steps fade. Shares follow it, above a
floor that is meant in *effective* tasks (those that carry a gradient), not in proposals: a cell whose tasks
are mostly all-solved or all-failed gets up to `MAX_LIFT` times the floor, so that it is not starved of the few
that still teach. Which tasks inside a cell are worth another try is not decided here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from azr_engine.curriculum.protocol import Cell
from azr_engine.curriculum.schedules import apportion

PRIOR_LEARNABILITY = 1 / 6
"""Mean of p(1 - p) for p uniform on [0, 1]."""
PRIOR_EFFECTIVE = 1.0
"""Every task counts as effective until a cell shows otherwise, so that only evidence lifts a floor."""
PRIOR_TASKS = 8.0
"""How many observed tasks the prior weighs as much as."""
MAX_LIFT = 2.0
"""How far above the plain floor a cell with few effective tasks is raised."""


@dataclass(slots=True)
class _Evidence:
    """Faded sums over the tasks of one cell."""

    n_tasks: float = 0.0
    n_effective: float = 0.0
    n_estimated: float = 0.0
    learnability_sum: float = 0.0

    @property
    def learnability(self) -> float:
        return (PRIOR_TASKS * PRIOR_LEARNABILITY + self.learnability_sum) / (PRIOR_TASKS + self.n_estimated)

    @property
    def effective_rate(self) -> float:
        return (PRIOR_TASKS * PRIOR_EFFECTIVE + self.n_effective) / (PRIOR_TASKS + self.n_tasks)


class LearnabilityCurriculum:
    """Shares that follow the posterior mean of learnability per cell, mixed with a floor.

    share(c) = floor(c) + (1 - sum of floors) * L(c) / sum of L, with
    floor(c) = floor_share / n_cells * min(1 / effective rate(c), `MAX_LIFT`).

    Args:
        floor_share: part of the budget that is split equally whatever is learned, in (0, 1 / `MAX_LIFT`].
        decay: weight of a step's evidence after one further step, in (0, 1]; 0.9 remembers about ten steps.

    Raises:
        ValueError: an argument out of its range.
    """

    name = "learnability"

    def __init__(self, floor_share: float = 0.3, decay: float = 0.9) -> None:
        if not 0.0 < floor_share <= 1.0 / MAX_LIFT:
            raise ValueError(f"floor_share {floor_share} is outside (0, {1.0 / MAX_LIFT}]")
        if not 0.0 < decay <= 1.0:
            raise ValueError(f"decay {decay} is outside (0, 1]")
        self.floor_share = floor_share
        self.decay = decay
        self._evidence: dict[Cell, _Evidence] = {}

    def plan(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """At least `floor_share` / n_cells of the budget for each cell, rounded up where whole numbers allow."""
        seen = {cell: self._evidence.get(cell, _Evidence()) for cell in cells}
        floor = self.floor_share / max(len(seen), 1)
        floors = {cell: floor * min(1.0 / evidence.effective_rate, MAX_LIFT) for cell, evidence in seen.items()}
        free = 1.0 - sum(floors.values())
        total = sum(evidence.learnability for evidence in seen.values())
        shares = {cell: floors[cell] + free * evidence.learnability / total for cell, evidence in seen.items()}
        return apportion(shares, budget, rng, minimum=math.ceil(floor * budget))

    def observe(self, cell: Cell, *, n_tasks: int, n_effective: int, learnability: float | None) -> None:
        """Fade what the cell showed before and add this step; a cell that is not observed does not fade.

        Raises:
            ValueError: counts that cannot be, or a learnability outside [0, 1/2], the range of the estimate.
        """
        if not 0 <= n_effective <= n_tasks:
            raise ValueError(f"{n_effective} effective of {n_tasks} tasks cannot be")
        if learnability is not None and not 0.0 <= learnability <= 0.5:
            raise ValueError(f"learnability {learnability!r} is outside [0, 0.5]")
        old = self._evidence.get(cell, _Evidence())
        n_estimated = 0 if learnability is None else n_tasks
        self._evidence[cell] = _Evidence(
            n_tasks=self.decay * old.n_tasks + n_tasks,
            n_effective=self.decay * old.n_effective + n_effective,
            n_estimated=self.decay * old.n_estimated + n_estimated,
            learnability_sum=self.decay * old.learnability_sum + n_estimated * (learnability or 0.0),
        )

    def state_dict(self) -> dict[str, Any]:
        """The evidence per cell, as a list since JSON keys cannot be pairs."""
        return {"cells": [[*cell, asdict(evidence)] for cell, evidence in self._evidence.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the evidence by a saved one; `floor_share` and `decay` stay as configured."""
        self._evidence = {(domain, kind): _Evidence(**evidence) for domain, kind, evidence in state["cells"]}
