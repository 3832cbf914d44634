"""The default curriculum: learnability above floors, and no domain with more than its share of the gradient.

A domain whose tasks are easy to make effective would otherwise crowd out the others twice: it gets more proposals,
and each of them carries a gradient more often. The cap is on the expected share of *effective* tasks. It binds only
between domains that can use what is taken from another; a starving domain keeps its floor and gets no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from azr_engine.curriculum.evidence import Evidence
from azr_engine.curriculum.learned import LearnedCurriculum, Shares
from azr_engine.curriculum.protocol import Cell

ALIVE = 0.05
"""Effective tasks per proposal under which a domain cannot use more proposals."""


class BalancedCurriculum(LearnedCurriculum):
    """Learnability weights, then the largest expected share of effective tasks brought down to the cap.

    Args:
        cap: largest share of the effective tasks for one domain among those alive, in (0, 1]; with few domains it is
            at least 1.2 times their equal share, so that there is always something left to learn from.
        floor_share, decay: as for every learned curriculum.

    Raises:
        ValueError: an argument out of its range.
    """

    name = "balanced"

    def __init__(self, cap: float = 0.6, floor_share: float = 0.12, decay: float = 0.95) -> None:
        super().__init__(floor_share, decay)
        if not 0.0 < cap <= 1.0:
            raise ValueError(f"cap {cap} is outside (0, 1]")
        self.cap = cap

    def weights(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """The posterior means of learnability."""
        return {cell: one.learnability for cell, one in evidence.items()}

    def shares(self, evidence: Mapping[Cell, Evidence], floors: Shares) -> Shares:
        """As for every learned curriculum, then capped."""
        shares = super().shares(evidence, floors)
        alive = [name for name in dict.fromkeys(domain for domain, _ in evidence) if _yield(name, evidence) > ALIVE]
        if len(alive) < 2:
            return shares
        cap = max(self.cap, 1.2 / len(alive))
        top = max(alive, key=lambda name: _effective(shares, evidence, [name]))
        if _over(shares, evidence, top, alive, cap):
            # Monotone in the part that moves, so halving finds it; 40 halvings reach 1e-12.
            low, high = 0.0, 1.0
            for _ in range(40):
                middle = (low + high) / 2
                over = _over(_moved(shares, floors, top, alive, middle), evidence, top, alive, cap)
                low, high = (middle, high) if over else (low, middle)
            shares = _moved(shares, floors, top, alive, high)
        return shares


def _moved(shares: Shares, floors: Shares, top: str, alive: Collection[str], part: float) -> Shares:
    """The shares when `part` of what `top` has above its floors goes to the other domains alive, in proportion."""
    freed = {cell: part * (shares[cell] - floors[cell]) if cell[0] == top else 0.0 for cell in shares}
    takers = {cell: share for cell, share in shares.items() if cell[0] in alive and cell[0] != top}
    total, gain = sum(takers.values()), sum(freed.values())
    return {cell: share - freed[cell] + gain * takers.get(cell, 0.0) / total for cell, share in shares.items()}


def _over(shares: Shares, evidence: Mapping[Cell, Evidence], top: str, alive: Collection[str], cap: float) -> bool:
    return _effective(shares, evidence, [top]) > cap * _effective(shares, evidence, alive)


def _effective(shares: Shares, evidence: Mapping[Cell, Evidence], domains: Collection[str]) -> float:
    """Expected effective tasks of some domains, per unit of the budget."""
    return sum(share * evidence[cell].effective_yield for cell, share in shares.items() if cell[0] in domains)


def _yield(domain: str, evidence: Mapping[Cell, Evidence]) -> float:
    own = [one.effective_yield for cell, one in evidence.items() if cell[0] == domain]
    return sum(own) / len(own)
