"""The stopping rule keeps its error under the nominal level, with correlated votes too, and saves calls."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from azr_engine.verifiers.trust.rates import ErrorRates
from azr_engine.verifiers.trust.sequential import SequentialTest

N = 3000


def play(test: SequentialTest, accept_rate: float, correlation: float, seed: int) -> tuple[float, float, float]:
    """(share accepted, share rejected, mean votes) over `N` answers whose own accept rates vary by `correlation`."""
    rng = np.random.default_rng(seed)
    if correlation:
        weight = 1 / correlation - 1
        chances = rng.beta(accept_rate * weight, (1 - accept_rate) * weight, size=N)
    else:
        chances = np.full(N, accept_rate)
    outcomes = {"accept": 0, "reject": 0, "undecided": 0}
    votes = 0
    for chance in chances:
        accepted = n = 0
        while (decision := test.decide(accepted, n)) is None:
            n += 1
            accepted += int(rng.random() < chance)
        outcomes[decision] += 1
        votes += n
    return outcomes["accept"] / N, outcomes["reject"] / N, votes / N


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
@pytest.mark.parametrize(("r0", "r1"), [(0.2, 0.1), (0.3, 0.3), (0.05, 0.02)])
def test_errors_stay_under_the_nominal_level(r0: float, r1: float, correlation: float) -> None:
    test = SequentialTest(ErrorRates(r0, r1), correlation, alpha=0.05, max_votes=40)
    _, wrongly_rejected, _ = play(test, 1 - r1, correlation, 1)
    wrongly_accepted, _, _ = play(test, r0, correlation, 2)
    slack = 3 * np.sqrt(0.05 * 0.95 / N)
    assert wrongly_rejected <= 0.05 + slack
    assert wrongly_accepted <= 0.05 + slack


def test_ignoring_correlation_breaks_the_level() -> None:
    """The correction is needed: the uncorrelated test errs more than it says on correlated votes."""
    naive = SequentialTest(ErrorRates(0.3, 0.3), 0.0, alpha=0.05, max_votes=40)
    _, wrongly_rejected, _ = play(naive, 0.7, 0.4, 1)
    assert wrongly_rejected > 0.10


def test_easy_cases_cost_less_than_half_of_a_fixed_number_of_equal_error() -> None:
    r0, r1, alpha = 0.3, 0.3, 0.01
    test = SequentialTest(ErrorRates(r0, r1), 0.0, alpha=alpha, max_votes=200)
    easy_right, easy_wrong = play(test, 0.95, 0.0, 3), play(test, 0.05, 0.0, 4)
    fixed = next(n for n in range(1, 400, 2) if _majority_error(n, r0) <= alpha)
    assert max(easy_right[2], easy_wrong[2]) <= fixed / 2


def _majority_error(n: int, r: float) -> float:
    """P(more than half of n independent votes err)."""
    return sum(comb(n, k) * r**k * (1 - r) ** (n - k) for k in range(n // 2 + 1, n + 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: SequentialTest(ErrorRates(0.6, 0.4)),
        lambda: SequentialTest(ErrorRates(0.1, 0.1), correlation=1.0),
        lambda: SequentialTest(ErrorRates(0.1, 0.1), alpha=0.0),
        lambda: SequentialTest(ErrorRates(0.1, 0.1), max_votes=0),
    ],
)
def test_impossible_settings_are_refused(make: type) -> None:
    with pytest.raises(ValueError, match=r"decide nothing|must lie"):
        make()
