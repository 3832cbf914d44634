"""The two estimates of p(1 - p): exact expectations, ranges, and what they refuse."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.learnability import posterior_learnability, unbiased_learnability

outcomes = st.integers(0, 64).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(n=st.integers(2, 20), p=st.floats(0.0, 1.0))
def test_mean_over_the_binomial_is_p_times_one_minus_p(n: int, p: float) -> None:
    mean = math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) * unbiased_learnability(k, n) for k in range(n + 1))
    assert mean == pytest.approx(p * (1 - p), abs=1e-12)


@pytest.mark.parametrize(("k", "n", "value"), [(0, 8, 0.0), (8, 8, 0.0), (4, 8, 16 / 56), (1, 8, 7 / 56), (1, 2, 0.5)])
def test_unbiased_by_hand(k: int, n: int, value: float) -> None:
    assert unbiased_learnability(k, n) == pytest.approx(value)


@pytest.mark.parametrize("scores", list(itertools.product((0, 1), repeat=5)))
def test_unbiased_is_the_sample_variance_of_passes(scores: tuple[int, ...]) -> None:
    mean = sum(scores) / 5
    assert unbiased_learnability(sum(scores), 5) == pytest.approx(sum((s - mean) ** 2 for s in scores) / 4)


@given(outcomes)
def test_both_are_symmetric_in_passes_and_fails(outcome: tuple[int, int]) -> None:
    k, n = outcome
    assert posterior_learnability(k, n) == pytest.approx(posterior_learnability(n - k, n))
    assert 0.0 < posterior_learnability(k, n) <= 0.25
    if n >= 2:
        assert unbiased_learnability(k, n) == pytest.approx(unbiased_learnability(n - k, n))
        assert 0.0 <= unbiased_learnability(k, n) <= 0.5


@pytest.mark.parametrize(("k", "n", "value"), [(0, 0, 1 / 6), (0, 1, 2 / 12), (4, 8, 25 / 110), (0, 8, 9 / 110)])
def test_posterior_by_hand(k: int, n: int, value: float) -> None:
    assert posterior_learnability(k, n) == pytest.approx(value)


@given(outcomes)
def test_posterior_is_the_integral_over_the_beta_density(outcome: tuple[int, int]) -> None:
    k, n = outcome
    moment = math.exp(_log_beta(k + 2, n - k + 2) - _log_beta(k + 1, n - k + 1))
    assert posterior_learnability(k, n) == pytest.approx(moment)


@given(st.integers(1, 200))
def test_evidence_that_a_task_is_never_solved_lowers_its_rank(n: int) -> None:
    assert posterior_learnability(0, n + 1) < posterior_learnability(0, n)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (1, 1), (-0.1, 4), (4.1, 4), (math.nan, 4)])
def test_what_cannot_be_estimated_is_refused(k: float, n: int) -> None:
    with pytest.raises(ValueError, match="tries"):
        unbiased_learnability(k, n)


@pytest.mark.parametrize(("k", "n"), [(0, -1), (3, 2)])
def test_posterior_refuses_impossible_counts(k: float, n: int) -> None:
    with pytest.raises(ValueError, match="tries"):
        posterior_learnability(k, n)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
