"""Columns keep what is there whatever is missing; intervals cover; curves equal their definition."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.report.curves import (
    HISTOGRAM_BINS,
    columns,
    numbers,
    rate_histogram,
    solve_curves,
    thinned,
    wilson_interval,
)


def test_new_and_missing_fields_are_columns_with_gaps() -> None:
    lines = [
        {"step": 1, "a": {"b": 2}, "name": "x", "flag": True},
        {"step": 2, "a": {"c": 0.5}, "a_list": [1]},
        {"step": 3, "a": {"b": math.nan}, "nothing": None},
    ]
    assert columns(lines) == {"step": [1, 2, 3], "a/b": [2, None, None], "a/c": [None, 0.5, None]}
    assert columns([]) == {}
    assert dict(numbers({"x": {"y": 1}})) == {"x/y": 1}


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=500), st.integers(1, 50))
def test_thinned_columns_keep_their_mean_their_end_and_the_limit(values: list[float | None], limit: int) -> None:
    found = thinned({"step": list(range(1, len(values) + 1)), "x": values}, limit)
    assert len(found["x"]) == len(found["step"]) <= limit
    assert found["step"][-1] == len(values)
    present = [value for value in values if value is not None]
    thin = [value for value in found["x"] if value is not None]
    assert (not thin) == (not present)
    if present:
        assert min(present) - 1e-6 <= min(thin) <= max(thin) <= max(present) + 1e-6


def test_wilson_interval_equals_the_published_example() -> None:
    """Wilson's interval for 81 of 263, as in Newcombe, Stat. Med. 17 (1998) 857, table I: 0.2553 to 0.3662."""
    low, high = wilson_interval(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson_interval(0.0, 20)
    assert low == 0.0
    assert round(high, 4) == 0.1611
    with pytest.raises(ValueError, match="at least one"):
        wilson_interval(0.5, 0)


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_an_interval_holds_its_mean_and_stays_within_bounds(mean: float, n: int) -> None:
    low, high = wilson_interval(mean, n)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1


@pytest.mark.parametrize("n_tries", [1, 8])
@pytest.mark.parametrize("n_tasks", [8, 40])
def test_intervals_cover_the_true_mean(n_tasks: int, n_tries: int) -> None:
    """At the nominal rate for single tries, and at least so for the mean of several."""
    rng = random.Random(1)
    covered = 0
    for _ in range(2000):
        p = rng.betavariate(1, 1)
        scores = [sum(rng.random() < p for _ in range(n_tries)) / n_tries for _ in range(n_tasks)]
        low, high = wilson_interval(sum(scores) / n_tasks, n_tasks)
        covered += low <= p <= high
    assert covered / 2000 > 0.935


def test_curves_are_means_over_the_window() -> None:
    rng = random.Random(2)
    rates = [("d", rng.choice("ab"), rng.randint(1, 60), rng.random()) for _ in range(400)]
    found = solve_curves(rates, 60)
    window = found["window"]
    assert window == 8
    curve = found["curves"]["d/a"]
    for step, mean, n in zip(curve["step"], curve["mean"], curve["n"], strict=True):
        inside = [rate for _, kind, s, rate in rates if kind == "a" and step - window < s <= step]
        assert n == len(inside)
        assert math.isclose(mean, sum(inside) / n)
    assert sum(rates[0][0] == name for name in found["curves"]) == 1
    assert solve_curves([], 0)["curves"] == {}


def test_histogram_compares_the_thirds_and_keeps_the_ends_apart() -> None:
    rates = [("d", "k", 1, 0.0), ("d", "k", 3, 0.2), ("d", "k", 5, 0.5), ("d", "k", 9, 1.0), ("d", "k", 8, 0.99)]
    ends = rate_histogram(rates, 9)["d"]
    assert dict(zip(HISTOGRAM_BINS, ends["first"], strict=True)) == {
        **dict.fromkeys(HISTOGRAM_BINS, 0),
        "never": 1,
        "up to 0.2": 1,
    }
    assert dict(zip(HISTOGRAM_BINS, ends["last"], strict=True)) == {
        **dict.fromkeys(HISTOGRAM_BINS, 0),
        "below 1": 1,
        "always": 1,
    }
