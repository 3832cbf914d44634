"""Rewards and learnability as they would be without the judge's errors, in expectation."""

from __future__ import annotations

from azr_engine.verifiers.trust.rates import ErrorRates


def audited_score(expected: float, truth: float | None, share: float) -> float:
    """expected + (truth - expected) / share for an answer that an audit drew by lot, `expected` for any other.

    Its expectation over the lot is the truth, however bad `expected` is, and its variance (1 - share) / share times
    the squared error of `expected` [prediction-powered inference: Angelopoulos et al. 2023, arXiv 2301.09633]. Error
    rates alone would not do: they shift all verdicts on a task alike, and a group's baseline takes that out again.

    Args:
        expected: the score that the answer is expected to deserve.
        truth: the score that it deserves; None where no audit drew it.
        share: chance of being drawn, in (0, 1], the same for all answers that the lot was cast over.
    """
    return expected if truth is None else expected + (truth - expected) / share


def corrected_learnability(n_accepted: float, n_votes: int, rates: ErrorRates) -> float:
    """Unbiased p(1 - p) of a task's true solve rate p, from `n_accepted` of `n_votes` noisy verdicts on as many tries.

    With m = r0 + J p the chance of an accept, k(k-1)/(n(n-1)) is unbiased for m^2 and k/n for m; inserting
    p = (m - r0)/J in p(1 - p) gives [-m^2 + (1 - r1 + r0) m - r0 (1 - r1)] / J^2. Single values can be negative.

    Raises:
        ValueError: fewer than two votes, or J is not positive.
    """
    _informative(rates)
    if n_votes < 2 or not 0.0 <= n_accepted <= n_votes:
        raise ValueError(
            f"learnability needs at least 2 votes, and accepts among them, not {n_accepted!r} of {n_votes}"
        )
    r0, keep = rates.false_accept, 1.0 - rates.false_reject
    square = n_accepted * (n_accepted - 1) / (n_votes * (n_votes - 1))
    mean = n_accepted / n_votes
    return float((-square + (keep + r0) * mean - r0 * keep) / rates.youden**2)


def _informative(rates: ErrorRates) -> None:
    if rates.youden <= 0.0:
        raise ValueError(f"a judge with J = {rates.youden:.3f} cannot be corrected: it says nothing, or the opposite")
