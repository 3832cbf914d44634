"""pass@k against brute force, and the interval's coverage in simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.evaluation.statistics import bootstrap_interval, pass_at_k


@given(st.integers(1, 9), st.data())
def test_pass_at_k_equals_the_share_of_subsets_with_a_pass(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    tries = [True] * passed + [False] * (n - passed)
    subsets = list(combinations(tries, k))
    assert pass_at_k(n, passed, k) == pytest.approx(sum(any(s) for s in subsets) / len(subsets))


@pytest.mark.parametrize(("n", "c", "k"), [(4, 2, 5), (4, 5, 1), (4, -1, 1), (4, 2, 0)])
def test_undefined_cases_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(n, c, k)


def test_nothing_to_average_is_no_number() -> None:
    assert bootstrap_interval([]) is None


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        interval = bootstrap_interval(list(rng.binomial(8, 0.4, size=100) / 8), resamples=400)
        assert interval is not None
        hits += interval[0] <= 0.4 <= interval[1]
    assert 0.90 <= hits / 300 <= 0.985
