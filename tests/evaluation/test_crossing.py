"""Where two pass@k curves cross: planted curves, and how often the interval covers the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.evaluation.crossing import compare_curves, crossing, crossing_points, pass_curves
from azr_engine.evaluation.statistics import pass_at_k
from azr_engine.evaluation.tally import Tally

K = 64


def tallies(passed: list[int], judged: int = K) -> list[Tally]:
    return [Tally(f"t{i}", "d", "k", judged, c) for i, c in enumerate(passed)]


def sharpened(rng: np.random.Generator, n_tasks: int) -> tuple[list[Tally], list[Tally]]:
    """Tasks of two sorts: 60% rise from 0.2 to 0.6 by training, 40% fall from 0.02 to 0."""
    common = rng.random(n_tasks) < 0.6
    base = rng.binomial(K, np.where(common, 0.2, 0.02))
    trained = rng.binomial(K, np.where(common, 0.6, 0.0))
    return tallies(base.tolist()), tallies(trained.tolist())


def true_crossing() -> float:
    """Of these two populations, by their own pass@k: 1 - (1 - p)^k."""
    k = np.arange(1, K + 1)
    gain = 0.6 * (0.8**k - 0.4**k) - 0.4 * (1 - 0.98**k)
    return float(crossing_points(gain[None])[0])


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_curves_agree_with_the_estimator_for_one_k(passed: list[int]) -> None:
    curves = pass_curves(tallies(passed, 20), 20)
    wanted = [[pass_at_k(20, c, k) for k in range(1, 21)] for c in passed]
    assert np.allclose(curves, wanted)


def test_curves_end_where_the_tries_do() -> None:
    (row,) = pass_curves([Tally("t", "d", "k", judged=3, passed=1)], 5)
    assert np.isnan(row[3:]).all() and row[2] == 1.0


def test_a_curve_of_512_tries_is_exact_at_its_ends() -> None:
    (row,) = pass_curves(tallies([1], 512), 512)
    assert row[0] == pytest.approx(1 / 512) and row[511] == 1.0


@pytest.mark.parametrize(
    ("gain", "k"),
    [
        ([0.2, 0.1, 0.0, -0.1], 3.0),
        ([0.2, 0.1, -0.1, -0.2], 6**0.5),  # half-way between 2 and 3 on the scale of log k
        ([0.3, 0.2, 0.1, 0.1], np.inf),
        ([0.0, 0.1, 0.1, 0.1], 1.0),
        ([-0.1, 0.1, 0.2, 0.3], 1.0),
        ([0.1, -0.1, 0.2, -0.3], 2**0.5),  # the first time counts
    ],
)
def test_planted_curves_cross_where_they_were_made_to(gain: list[float], k: float) -> None:
    assert crossing_points(np.asarray([gain]))[0] == pytest.approx(k)


def test_a_sharpened_policy_is_caught_and_an_able_one_is_not() -> None:
    rng = np.random.default_rng(5)
    base, trained = sharpened(rng, 400)
    found = compare_curves(base, trained, [1, 8, K])
    assert [found["gain"][k]["verdict"] for k in ("1", "64")] == ["better", "worse"]
    low, high = found["crossing"]["ci95"]
    assert low <= found["crossing"]["k"] <= high and found["crossing"]["share"] == 1.0
    able = compare_curves(tallies([6] * 200), tallies([12] * 200), [1, K])["crossing"]
    # Both curves end at 1, where the base has caught up at last.
    assert able["k"] > 50


def test_where_the_base_never_catches_up_the_crossing_is_null() -> None:
    found = compare_curves(tallies([0, 0, 6] * 50), tallies([1, 2, 20] * 50), [1, 32])["crossing"]
    assert found["k"] is None and found["ci95"] == [None, None] and found["share"] == 0.0


def test_the_interval_covers_the_true_crossing_about_as_often_as_it_says() -> None:
    rng, truth, hits, n_simulations = np.random.default_rng(11), true_crossing(), 0, 200
    for _ in range(n_simulations):
        base, trained = sharpened(rng, 150)
        found = crossing(pass_curves(trained, K) - pass_curves(base, K))
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / n_simulations <= 0.99


def test_other_tasks_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different tasks"):
        compare_curves(tallies([1, 2]), tallies([1]), [1])


def test_faults_leave_the_comparison_and_nothing_left_is_said() -> None:
    base, trained = tallies([1, 1]), tallies([2, 2])
    broken = [Tally("t0", "d", "k", 3, 1), trained[1]]
    assert compare_curves(base, broken, [8])["n"] == 1
    assert compare_curves(base[:1], broken[:1], [8]) == {"n": 0, "gain": {}, "crossing": None}
