"""Fixed schedules, and the apportionment that turns shares into whole numbers of proposals.

`UniformCurriculum` is the control that every learned curriculum is compared with.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.curriculum.protocol import Cell, Observation


class UniformCurriculum:
    """The same share for every cell; it learns nothing."""

    name = "uniform"

    def plan(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """Equal numbers, the remainder to random cells."""
        return apportion(dict.fromkeys(cells, 1.0), budget, rng)

    def observe(self, cell: Cell, seen: Observation) -> None:
        """Nothing changes."""

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


def apportion(weights: Mapping[Cell, float], budget: int, rng: random.Random, minimum: int = 1) -> dict[Cell, int]:
    """Whole numbers near `budget` * weight / total, by largest remainders (Hamilton's method), ties by lot.

    Each cell gets at least `minimum`, lowered to what the budget can pay. With fewer proposals than cells, the cells
    are drawn without replacement with chances that follow the weights (Efraimidis and Spirakis 2006), since rounding
    would leave light cells out for ever.

    Args:
        weights: a positive weight for each cell.
        budget: how many to hand out, at least 0.
        minimum: at least 0; with 0 a light cell may get none.

    Raises:
        ValueError: no cells, a negative budget, or a weight that is not positive and finite.
    """
    n_cells = len(weights)
    if n_cells == 0 or budget < 0 or not all(0.0 < weight < math.inf for weight in weights.values()):
        raise ValueError(f"cannot split a budget of {budget} over the weights {dict(weights)}")
    lots = {cell: rng.expovariate(1.0) for cell in weights}
    if budget < n_cells:
        drawn = sorted(weights, key=lambda cell: lots[cell] / weights[cell])[:budget]
        return {cell: int(cell in drawn) for cell in weights}

    base = min(minimum, budget // n_cells)
    total = sum(weights.values())
    above = {cell: max(budget * weight / total - base, 0.0) for cell, weight in weights.items()}
    free = budget - base * n_cells
    scale = free / sum(above.values()) if free else 0.0
    quotas = {cell: scale * amount for cell, amount in above.items()}
    plan = {cell: base + int(quota) for cell, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda cell: (int(quotas[cell]) - quotas[cell], lots[cell]))
    for cell in by_remainder[: budget - sum(plan.values())]:
        plan[cell] += 1
    return plan
