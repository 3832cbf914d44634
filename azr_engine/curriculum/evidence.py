"""What the learned curricula remember of a cell: sums in which old steps fade, and the averages drawn from them.

The prior is what was believed before the first step. It fades like every other step, so that a cell that never
carries a gradient ends at nothing but its floor, and a cell that was never observed stays at the prior.
"""

from __future__ import annotations

from dataclasses import dataclass

from azr_engine.curriculum.protocol import Observation

PRIOR_PROPOSALS = 2.0
"""How many proposals the prior weighs as much as: fewer than a cell gets in its first step, since every further one is
a proposal more for a domain that teaches nothing."""
PRIOR_YIELD = 0.5
"""Effective tasks per proposal before anything was seen."""
PRIOR_LEARNABILITY = PRIOR_YIELD / 6
"""p(1 - p) per proposal: its mean for p uniform on [0, 1] is 1/6, and only some proposals become tasks that tell."""
FAST, SLOW = 0.7, 0.95
"""Weights of the past in the two averages of the solve rate whose difference is the learning progress."""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Evidence:
    """Faded sums over the steps of one cell, the prior among them."""

    n_planned: float = PRIOR_PROPOSALS
    n_effective: float = PRIOR_PROPOSALS * PRIOR_YIELD
    learnability_sum: float = PRIOR_PROPOSALS * PRIOR_LEARNABILITY
    fast: float | None = None
    slow: float | None = None

    @property
    def learnability(self) -> float:
        """Posterior mean of p(1 - p) per proposal; one that never became a task counts as 0."""
        return self.learnability_sum / max(self.n_planned, TINY)

    @property
    def effective_yield(self) -> float:
        """Posterior mean of effective tasks per proposal, in (0, 1]."""
        return min(max(self.n_effective / max(self.n_planned, TINY), TINY), 1.0)

    @property
    def progress(self) -> float:
        """How fast the solve rate moves, up or down: |fast average - slow average|, in [0, 1]."""
        return 0.0 if self.fast is None or self.slow is None else abs(self.fast - self.slow)

    def after(self, seen: Observation, decay: float) -> Evidence:
        """The evidence with one more step; a step that planned nothing for the cell fades nothing."""
        if seen.n_planned == 0 and seen.n_tasks == 0:
            return self
        return Evidence(
            n_planned=decay * self.n_planned + max(seen.n_planned, seen.n_tasks),
            n_effective=decay * self.n_effective + seen.n_effective,
            learnability_sum=decay * self.learnability_sum + seen.n_tasks * (seen.learnability or 0.0),
            fast=_moved(self.fast, seen.solve_rate, FAST),
            slow=_moved(self.slow, seen.solve_rate, SLOW),
        )


def _moved(average: float | None, value: float | None, weight: float) -> float | None:
    if value is None:
        return average
    return value if average is None else weight * average + (1.0 - weight) * value
