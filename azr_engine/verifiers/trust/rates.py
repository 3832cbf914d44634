"""How often a judge errs, as a belief that audits sharpen and time blurs.

Notation throughout the package: r0 = P(accept | wrong), r1 = P(reject | right), J = 1 - r0 - r1 (Youden's index). What
training gains from a judge depends on its rates through J alone: at J = 0 it teaches nothing, below it teaches the
opposite [arXiv 2601.04411].
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Stratum = str
"""What an audited answer is known to be: `right`, `wrong`, or any other name, which stands for one way of cheating."""

RIGHT, WRONG = "right", "wrong"
N_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """r0 = P(accept | wrong) and r1 = P(reject | right), each in [0, 1]."""

    false_accept: float
    false_reject: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.false_accept <= 1.0 and 0.0 <= self.false_reject <= 1.0):
            raise ValueError(f"error rates must lie in [0, 1], not {self.false_accept!r} and {self.false_reject!r}")

    @property
    def youden(self) -> float:
        """J = 1 - r0 - r1, in [-1, 1]."""
        return 1.0 - self.false_accept - self.false_reject


@dataclass(frozen=True, slots=True)
class Tally:
    """Audited answers of one stratum: how many a judge accepted and rejected. Fractions appear through decay."""

    accepted: float = 0.0
    rejected: float = 0.0

    def draws(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
        """float64[n] draws of P(accept) from its Beta posterior under Jeffreys' prior Beta(1/2, 1/2)."""
        return rng.beta(0.5 + self.accepted, 0.5 + self.rejected, size=n)

    @property
    def mean(self) -> float:
        """Posterior mean of P(accept)."""
        return (0.5 + self.accepted) / (1.0 + self.accepted + self.rejected)

    @property
    def size(self) -> float:
        """Audits counted, after decay."""
        return self.accepted + self.rejected


@dataclass(frozen=True, slots=True)
class TrustBelief:
    """The Beta posteriors of one (verifier, domain, kind).

    Attributes:
        tallies: audits by stratum; `right` and `wrong` are always there, a way of cheating once it was tried.
        age: steps since the last audit; rates drift as the policy adapts to the judge.
    """

    tallies: dict[Stratum, Tally] = field(default_factory=lambda: dict.fromkeys((RIGHT, WRONG), Tally()))
    age: int = 0

    def audited(self, stratum: Stratum, *, accepted: bool) -> TrustBelief:
        """The belief after one more audited answer, made now."""
        old = self.tallies.get(stratum, Tally())
        new = replace(old, accepted=old.accepted + accepted, rejected=old.rejected + (not accepted))
        return replace(self, tallies={**self.tallies, stratum: new}, age=0)

    def aged(self, decay: float) -> TrustBelief:
        """The belief one step later: every count shrinks by the factor `decay` in (0, 1], so that old audits fade."""
        if not 0.0 < decay <= 1.0:
            raise ValueError(f"decay must lie in (0, 1], not {decay!r}")
        shrunk = {name: Tally(t.accepted * decay, t.rejected * decay) for name, t in self.tallies.items()}
        return replace(self, tallies=shrunk, age=self.age + 1)

    def rates(self) -> ErrorRates:
        """Posterior means. Cheats do not enter: r0 describes what honest mistakes meet."""
        return ErrorRates(self.tallies[WRONG].mean, 1.0 - self.tallies[RIGHT].mean)

    def expected_score(self, *, accepted: bool) -> float:
        """Posterior mean of P(right | what the judge said), for answers like the policy's own that were audited."""
        right, wrong = self.tallies[RIGHT], self.tallies[WRONG]
        n_right, n_wrong = (right.accepted, wrong.accepted) if accepted else (right.rejected, wrong.rejected)
        return (0.5 + n_right) / (1.0 + n_right + n_wrong)

    def interval(self, stratum: Stratum, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval of P(accept) in one stratum."""
        draws = self.tallies[stratum].draws(np.random.default_rng(0), N_DRAWS)
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def youden_lower_bound(self, level: float = 0.95) -> float:
        """The value that J exceeds with posterior probability `level`, where r0 is the worst of all but `right`.

        A judge that honest mistakes rarely fool but one cheat always does is worth nothing to a learner, which will
        find that cheat. Computed from `N_DRAWS` draws with a fixed seed: the same belief gives the same bound.
        """
        rng = np.random.default_rng(0)
        # In a fixed order, since the draws of one stratum depend on those before it.
        fooled = [self.tallies[name].draws(rng, N_DRAWS) for name in sorted(self.tallies) if name != RIGHT]
        youden = self.tallies[RIGHT].draws(rng, N_DRAWS) - np.maximum.reduce(fooled)
        return float(np.quantile(youden, 1.0 - level))

    def to_json(self) -> dict[str, Any]:
        """Counts and age, JSON-able."""
        return {"tallies": {name: [t.accepted, t.rejected] for name, t in self.tallies.items()}, "age": self.age}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TrustBelief:
        """The inverse of `to_json`."""
        return cls({name: Tally(*counts) for name, counts in data["tallies"].items()}, data["age"])
