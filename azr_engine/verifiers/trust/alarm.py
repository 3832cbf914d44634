"""An alarm for passes that should not be, which may be read after every answer without growing more likely to be false.

What should not pass: an audited answer that is known to be wrong, or any answer to a honeypot, a task that cannot be
solved [arXiv 2510.20270]. Let x in [0, 1] be the share of such answers to one task that passed, and p0 the largest
harmless mean. If E[x | past] <= p0, every product of 1 + c (x - p0)/p0 with c in (0, 1) is a supermartingale that
starts at 1 [Waudby-Smith and Ramdas 2024, JRSS B 86(1), "Estimating means of bounded random variables by betting",
section 4]; for x of 0 or 1 it is the likelihood ratio of p = p0 + c (1 - p0) to p0. So is a mixture of such products
over c and over the task n that betting begins with, here with weights 1/(n (n + 1)), as long as what is not yet bet
counts as held: a judge that is honest for long and then fooled is noticed as soon but for 2 ln n nats of evidence
[Shin, Ramdas and Rinaldo 2024, "E-detectors", New England Journal of Statistics in Data Science 2(2), section 2]. By
Ville's inequality the mixture ever reaches 1/alpha with probability at most alpha, however long one watches [Ramdas et
al. 2023, Statistical Science 38(4), "Game-theoretic statistics and safe anytime-valid inference", section 3].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log, log1p

import numpy as np

GRID = 24
_SHARES = (np.arange(GRID) + 0.5) / GRID
"""float64[GRID], the values of c."""
_MIDDLE = 0.5
"""The value of c by which the beginning is dated."""


@dataclass(frozen=True, slots=True)
class FalsePassAlarm:
    """Evidence that a pass rate exceeds what is tolerated.

    Attributes:
        tolerated: p0, the largest harmless pass rate, in (0, 1).
        alpha: the chance of ever raising a false alarm.
        passed: sum of the tasks' shares of passed answers so far.
        n_tried: tasks so far.
        log_bets: what each c is worth by now, in nats; empty before the first task.
        highest: the largest log evidence there has been: an alarm, once raised, stays.
        excess: how far the bet on `_MIDDLE` is above its lowest so far, in nats: Page's cumulative sum.
        calm_step: the last step of the run at whose end the excess was 0: after it the trouble began, if there is any
            [Page 1954, Biometrika 41, "Continuous inspection schemes"].

    Raises:
        ValueError: a number is out of its range.
    """

    tolerated: float = 0.02
    alpha: float = 0.01
    passed: float = 0.0
    n_tried: int = 0
    log_bets: tuple[float, ...] = ()
    highest: float = 0.0
    excess: float = 0.0
    calm_step: int = 0

    def __post_init__(self) -> None:
        if not (0.0 < self.tolerated < 1.0 and 0.0 < self.alpha < 1.0 and 0.0 <= self.passed <= self.n_tried):
            raise ValueError("tolerated and alpha must lie in (0, 1), and passes be among the tries")

    def observe(self, share: float) -> FalsePassAlarm:
        """The alarm after one more task.

        Args:
            share: of its answers, none of which should pass, those that did; in [0, 1].
        """
        n = self.n_tried + 1
        bets = np.array(self.log_bets or (-inf,) * GRID)
        bets = np.logaddexp(bets, -log(n * (n + 1.0) * GRID))
        bets += np.log1p(_SHARES * (share - self.tolerated) / self.tolerated)
        excess = max(0.0, self.excess + log1p(_MIDDLE * (share - self.tolerated) / self.tolerated))
        after = replace(self, passed=self.passed + share, n_tried=n, log_bets=tuple(bets.tolist()), excess=excess)
        return replace(after, highest=max(self.highest, after.log_evidence))

    def at(self, step: int) -> FalsePassAlarm:
        """The alarm at the end of a step of the run."""
        return self if self.excess > 0.0 else replace(self, calm_step=step)

    @property
    def log_evidence(self) -> float:
        """Log of the mixture: what is bet and what is still held."""
        held = -log(self.n_tried + 1.0)
        return float(np.logaddexp.reduce([held, *self.log_bets]))

    @property
    def raised(self) -> bool:
        """Whether the evidence ever reached 1/alpha."""
        return self.highest >= -log(self.alpha)
