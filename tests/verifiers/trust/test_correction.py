"""Corrections are unbiased: their exact expectation under the noise is the noiseless value."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from azr_engine.verifiers.trust.correction import audited_score, corrected_learnability
from azr_engine.verifiers.trust.rates import ErrorRates

SMALL = st.floats(0.0, 0.45)


@given(expected=st.floats(0.0, 1.0), truth=st.sampled_from([0.0, 1.0]), share=st.floats(0.01, 1.0))
def test_an_audited_score_is_the_truth_on_average(expected: float, truth: float, share: float) -> None:
    drawn, passed_by = audited_score(expected, truth, share), audited_score(expected, None, share)
    mean = share * drawn + (1 - share) * passed_by
    variance = share * (drawn - mean) ** 2 + (1 - share) * (passed_by - mean) ** 2
    assert mean == pytest.approx(truth, abs=1e-9)
    assert variance == pytest.approx((1 - share) / share * (truth - expected) ** 2, abs=1e-9)


@given(SMALL, SMALL, st.floats(0.0, 1.0), st.integers(2, 16))
def test_corrected_learnability_is_p_times_one_minus_p_on_average(r0: float, r1: float, p: float, n: int) -> None:
    assume(r0 + r1 < 0.9)
    rates = ErrorRates(r0, r1)
    m = p * (1 - r1) + (1 - p) * r0
    mean = sum(comb(n, k) * m**k * (1 - m) ** (n - k) * corrected_learnability(k, n, rates) for k in range(n + 1))
    assert mean == pytest.approx(p * (1 - p), abs=1e-6)


def test_without_errors_it_is_the_plain_estimate() -> None:
    assert corrected_learnability(3, 8, ErrorRates(0.0, 0.0)) == pytest.approx(3 * 5 / (8 * 7))


@pytest.mark.parametrize("rates", [ErrorRates(0.5, 0.5), ErrorRates(0.9, 0.3)])
def test_a_judge_that_says_nothing_is_not_corrected(rates: ErrorRates) -> None:
    with pytest.raises(ValueError, match="cannot be corrected"):
        corrected_learnability(1, 4, rates)
