"""What every learned curriculum shares: evidence per cell, a floor under each cell, and weights above the floors.

A floor is meant in *effective* tasks, those that carry a gradient, not in proposals: `floor_share` of the budget is
split equally over the domains, then over a domain's kinds, and a cell that turns fewer of its proposals into
effective tasks than the average gets up to `MAX_LIFT` times its part. A subclass says how the rest is weighted.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from azr_engine.curriculum.evidence import TINY, Evidence
from azr_engine.curriculum.protocol import Cell, Observation
from azr_engine.curriculum.schedules import apportion

MAX_LIFT = 2.0
"""How far above its plain floor a cell with few effective tasks is raised."""

Shares = dict[Cell, float]


class LearnedCurriculum(ABC):
    """share(c) = floor(c) + (1 - sum of floors) * weight(c) / sum of weights.

    Args:
        floor_share: part of the budget that is split equally whatever is learned, in (0, 1 / `MAX_LIFT`].
        decay: weight of a step's evidence after one further step, in (0, 1]; 0.95 remembers about twenty steps.

    Raises:
        ValueError: an argument out of its range.
    """

    name: str

    def __init__(self, floor_share: float = 0.12, decay: float = 0.95) -> None:
        if not 0.0 < floor_share <= 1.0 / MAX_LIFT:
            raise ValueError(f"floor_share {floor_share} is outside (0, {1.0 / MAX_LIFT}]")
        if not 0.0 < decay <= 1.0:
            raise ValueError(f"decay {decay} is outside (0, 1]")
        self.floor_share = floor_share
        self.decay = decay
        self._evidence: dict[Cell, Evidence] = {}

    @abstractmethod
    def weights(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """A number of at least 0 for each cell: how the budget above the floors is split."""

    def plan(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """At least its part of `floor_share` for each cell, rounded up where whole numbers allow."""
        evidence = self._known(cells)
        minimum = math.ceil(min(self._parts(evidence).values()) * budget)
        return apportion(self.shares(evidence, self.floors(evidence)), budget, rng, minimum)

    def plan_replay(self, cells: Sequence[Cell], budget: int, rng: random.Random) -> dict[Cell, int]:
        """As the weights say, down to none: new tasks explore every cell, and old ones that teach nothing only cost."""
        return apportion(self.shares(self._known(cells), dict.fromkeys(cells, 0.0)), budget, rng, minimum=0)

    def shares(self, evidence: Mapping[Cell, Evidence], floors: Shares) -> Shares:
        """Shares of the budget above the given floors, positive and summing to 1."""
        weights = {cell: weight + TINY for cell, weight in self.weights(evidence).items()}
        free, total = 1.0 - sum(floors.values()), sum(weights.values())
        return {cell: floors[cell] + free * weights[cell] / total for cell in evidence}

    def floors(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """Each cell's floor: its part, lifted by the average yield over its own within [1, `MAX_LIFT`]."""
        parts = self._parts(evidence)
        average = sum(one.effective_yield for one in evidence.values()) / len(evidence)
        return {
            cell: parts[cell] * min(max(average / one.effective_yield, 1.0), MAX_LIFT) for cell, one in evidence.items()
        }

    def _known(self, cells: Sequence[Cell]) -> dict[Cell, Evidence]:
        return {cell: self._evidence.get(cell, Evidence()) for cell in cells}

    def _parts(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        n_kinds = Counter(domain for domain, _ in evidence)
        return {(domain, kind): self.floor_share / len(n_kinds) / n_kinds[domain] for domain, kind in evidence}

    def observe(self, cell: Cell, seen: Observation) -> None:
        """Fade what the cell showed before and add this step."""
        self._evidence[cell] = self._evidence.get(cell, Evidence()).after(seen, self.decay)

    def state_dict(self) -> dict[str, Any]:
        """The evidence per cell, as a list since JSON keys cannot be pairs."""
        return {"cells": [[*cell, asdict(evidence)] for cell, evidence in self._evidence.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the evidence by a saved one; `floor_share` and `decay` stay as configured."""
        self._evidence = {(domain, kind): Evidence(**evidence) for domain, kind, evidence in state["cells"]}
