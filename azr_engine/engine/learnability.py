"""Learnability, p(1 - p): how much a task can teach a solver that passes it with probability p.

It is the variance of a 0/1 reward and peaks at p = 1/2 [arXiv 2408.15099]; it lower-bounds what an update on
the task can gain [arXiv 2504.03380]. Two estimates live here: an unbiased one, for rewards and averages, and a
posterior mean, for ranking tasks that have few tries or none. Both read scores as passes; for fractional
scores they give p(1 - p) of the mean score, which is an upper bound of the variance, not the variance itself.
Noisy verifiers, whose error rates bias p, are not corrected here.
"""

from __future__ import annotations


def unbiased_learnability(score_sum: float, n_scored: int) -> float:
    """k(n - k) / (n(n - 1)) for k = `score_sum` of n = `n_scored` tries: its mean over k ~ Binomial(n, p) is p(1 - p).

    It equals the sample variance (divisor n - 1) of 0/1 scores, so single values reach 1/2 at n = 2.

    Raises:
        ValueError: fewer than two tries, or a sum outside [0, n].
    """
    if n_scored < 2:
        raise ValueError(f"learnability needs at least 2 scored tries, not {n_scored}")
    _check(score_sum, n_scored)
    return score_sum * (n_scored - score_sum) / (n_scored * (n_scored - 1))


def posterior_learnability(score_sum: float, n_scored: int) -> float:
    """E[p(1 - p)] with p ~ Beta(1 + k, 1 + n - k), that is ab / ((a + b)(a + b + 1)); 1/6 for an untried task.

    Never zero, and it falls towards zero only as evidence grows that a task is always or never solved.

    Raises:
        ValueError: a negative number of tries, or a sum outside [0, n].
    """
    if n_scored < 0:
        raise ValueError(f"a number of tries cannot be {n_scored}")
    _check(score_sum, n_scored)
    a, b = 1.0 + score_sum, 1.0 + n_scored - score_sum
    return a * b / ((a + b) * (a + b + 1.0))


def _check(score_sum: float, n_scored: int) -> None:
    if not 0.0 <= score_sum <= n_scored:
        raise ValueError(f"the scores of {n_scored} tries cannot sum to {score_sum!r}")
