"""When to stop asking the same sampled judge about the same answer.

Wald's sequential probability ratio test [Wald 1945, Annals of Mathematical Statistics 16(2)] between "the answer is
right" and "it is wrong". A judge's repeated votes on one answer are alike: the chance of an accept varies from answer
to answer. So the likelihood of k accepts in n votes is beta-binomial, with mean 1 - r1 (right) or r0 (wrong) and
intra-class correlation c; at c = 0 this is the test with ln((1-r1)/r0) for an accept and ln(r1/(1-r0)) for a reject.
A likelihood ratio of exchangeable votes is a martingale under either hypothesis, hence Ville's inequality: if rates
and c are right, a right answer is rejected with probability at most `alpha`, and a wrong one accepted with at most
`alpha`, at whatever time one stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log
from typing import Literal

from azr_engine.verifiers.trust.rates import ErrorRates

Decision = Literal["accept", "reject", "undecided"]
MIN_RATE = 1e-3
"""Rates are kept this far from 0 and 1: no number of votes proves an error impossible."""


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """The stopping rule for one answer.

    Attributes:
        rates: the judge's error rates for a single vote.
        correlation: intra-class correlation c of votes on one answer, in [0, 1).
        alpha: bound on either error.
        max_votes: votes after which an open question stays `undecided`, which callers turn into an abstention.

    Raises:
        ValueError: J is not positive, or a number is out of its range.
    """

    rates: ErrorRates
    correlation: float = 0.0
    alpha: float = 0.05
    max_votes: int = 32

    def __post_init__(self) -> None:
        if self.rates.youden <= 0.0:
            raise ValueError(f"votes with J = {self.rates.youden:.3f} decide nothing")
        if not 0.0 <= self.correlation < 1.0 or not 0.0 < self.alpha < 0.5 or self.max_votes < 1:
            raise ValueError("correlation must lie in [0, 1), alpha in (0, 1/2), and max_votes be at least 1")

    def log_ratio(self, n_accepted: int, n_votes: int) -> float:
        """ln P(votes | right) - ln P(votes | wrong)."""
        right = _log_likelihood(n_accepted, n_votes, 1.0 - self.rates.false_reject, self.correlation)
        return right - _log_likelihood(n_accepted, n_votes, self.rates.false_accept, self.correlation)

    def decide(self, n_accepted: int, n_votes: int) -> Decision | None:
        """The decision after these votes; None to ask once more."""
        ratio = self.log_ratio(n_accepted, n_votes)
        if ratio >= -log(self.alpha):
            return "accept"
        if ratio <= log(self.alpha):
            return "reject"
        return "undecided" if n_votes >= self.max_votes else None


def _log_likelihood(n_accepted: int, n_votes: int, mean: float, correlation: float) -> float:
    """Log-probability of one sequence of votes: Bernoulli at c = 0, otherwise beta-binomial with a + b = 1/c - 1."""
    mean = min(max(mean, MIN_RATE), 1.0 - MIN_RATE)
    n_rejected = n_votes - n_accepted
    if correlation == 0.0:
        return n_accepted * log(mean) + n_rejected * log(1.0 - mean)
    weight = 1.0 / correlation - 1.0
    a, b = mean * weight, (1.0 - mean) * weight
    return _log_beta(a + n_accepted, b + n_rejected) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
