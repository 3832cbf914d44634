"""How a step's anchors, the fresh tasks from the domains' seeds, are split: evenly, but for domains they cannot move.

Where every try at a domain's anchors comes out the same, too hard or trivial for the policy, they teach nothing and
would take their part from the other domains. Such a domain is asleep: it has one anchor a step, which shows when they
begin to tell.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from azr_engine.curriculum.protocol import Cell

ASLEEP, AWAKE = 0.05, 0.1
"""Parts of a domain's anchors that carried a gradient under which it falls asleep, and from which it wakes.

Apart, since a domain at one limit for both would change sides by chance, again and again.
"""
DECAY = 0.99
"""Weight of an anchor after one further anchor of its domain: about the last hundred are remembered."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Faded sums over a domain's anchors, and whether it sleeps.

    Before any were tried, half of four are taken to have carried a gradient.
    """

    n_tasks: float = 4.0
    n_effective: float = 2.0
    asleep: bool = False

    def after(self, n_tasks: int, n_effective: int) -> Tried:
        """With a step's anchors."""
        faded = DECAY**n_tasks
        tasks, effective = faded * self.n_tasks + n_tasks, faded * self.n_effective + n_effective
        return Tried(tasks, effective, effective < (AWAKE if self.asleep else ASLEEP) * tasks)


class Anchors:
    """Splits `n_anchors` a step over the cells it is given."""

    def __init__(self, n_anchors: int) -> None:
        self._n_anchors = n_anchors
        self._tried: dict[str, Tried] = {}

    def plan(self, cells: Sequence[Cell], rng: random.Random) -> Counter[Cell]:
        """The number of anchors for each cell: one for a domain asleep, the rest evenly over the others' cells.

        Which cell begins is drawn, so that what does not come out even goes round. Domains that are all asleep share
        as if none were.
        """
        if not cells:
            return Counter()
        names = list(dict.fromkeys(domain for domain, _ in cells))
        awake = [name for name in names if not self.asleep(name)] or names
        even = [cell for cell in cells if cell[0] in awake]
        asleep = [name for name in names if name not in awake][: self._n_anchors]
        first = rng.randrange(len(even))
        wanted = Counter(even[(first + n) % len(even)] for n in range(self._n_anchors - len(asleep)))
        wanted.update(rng.choice([cell for cell in cells if cell[0] == name]) for name in asleep)
        return wanted

    def asleep(self, domain: str) -> bool:
        """Whether too few of the domain's recent anchors carried a gradient."""
        return self._tried.get(domain, Tried()).asleep

    def observe(self, domain: str, n_tasks: int, n_effective: int) -> None:
        """Hear how many of a step's anchors carried a gradient."""
        self._tried[domain] = self._tried.get(domain, Tried()).after(n_tasks, n_effective)

    def state_dict(self) -> dict[str, Any]:
        """What is remembered of each domain."""
        return {name: list(astuple(tried)) for name, tried in self._tried.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._tried = {name: Tried(*entry) for name, entry in state.items()}
