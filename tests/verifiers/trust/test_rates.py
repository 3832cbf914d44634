"""Audit posteriors: planted rates are covered, old audits fade, and cheats bound what a judge is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.trust.rates import ErrorRates, Tally, TrustBelief

RATES = st.floats(0.0, 1.0)


def audited(rng: np.random.Generator, accept: dict[str, float], n: int) -> TrustBelief:
    """The belief after `n` audits per stratum of a judge with these accept rates."""
    return TrustBelief(
        {name: Tally(float(k), float(n - k)) for name, rate in accept.items() for k in [rng.binomial(n, rate)]}
    )


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("n", [20, 100])
def test_intervals_cover_planted_rates_at_their_nominal_level(rate: float, n: int) -> None:
    rng = np.random.default_rng(7)
    # The interval depends on the count alone: compute it once per count, then weigh by how often counts occur.
    counts = rng.binomial(n, rate, size=2000)
    inside = {
        k: low <= rate <= high
        for k in set(counts.tolist())
        for low, high in [TrustBelief({"right": Tally(k, n - k), "wrong": Tally()}).interval("right")]
    }
    coverage = np.mean([inside[k] for k in counts.tolist()])
    # Counts are discrete, so coverage swings around 95%: never far below, by Brown, Cai and DasGupta 2001.
    assert 0.90 <= coverage <= 1.0


def test_lower_bound_of_youden_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    accept = {"right": 0.85, "wrong": 0.2, "cheat": 0.1}
    bounds = [audited(rng, accept, 60).youden_lower_bound(0.95) for _ in range(150)]
    assert np.mean(np.array(bounds) <= 0.85 - 0.2) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 150)


def test_a_judge_that_a_cheat_always_fools_is_worth_nothing() -> None:
    honest = audited(np.random.default_rng(0), {"right": 0.95, "wrong": 0.05, "cheat": 0.05}, 200)
    fooled = audited(np.random.default_rng(0), {"right": 0.95, "wrong": 0.05, "cheat": 1.0}, 200)
    assert honest.youden_lower_bound() > 0.7
    assert fooled.youden_lower_bound() < 0.0


def test_one_way_of_cheating_among_many_is_enough() -> None:
    rates = {"right": 0.95, "wrong": 0.05, **{f"cheat {i}": 0.02 for i in range(8)}}
    assert audited(np.random.default_rng(0), rates, 60).youden_lower_bound() > 0.6
    assert audited(np.random.default_rng(0), {**rates, "cheat 3": 1.0}, 60).youden_lower_bound() < 0.0


def test_a_belief_survives_json() -> None:
    belief = TrustBelief().audited("opener", accepted=True).audited("right", accepted=True).aged(0.9)
    assert TrustBelief.from_json(json.loads(json.dumps(belief.to_json()))) == belief


def test_no_audits_mean_no_trust() -> None:
    assert TrustBelief().youden_lower_bound() < 0.0


@given(st.integers(0, 50), st.floats(0.5, 0.99))
def test_age_widens_intervals_and_an_audit_resets_it(n: int, decay: float) -> None:
    belief = TrustBelief()
    for _ in range(n):
        belief = belief.audited("wrong", accepted=False)
    older = belief.aged(decay).aged(decay)
    assert older.age == 2 and belief.age == 0
    assert older.tallies["wrong"].size == pytest.approx(n * decay**2)
    assert older.interval("wrong")[1] >= belief.interval("wrong")[1] - 1e-9
    assert older.audited("cheat", accepted=True).age == 0


@given(RATES, RATES)
def test_youden_is_what_is_left_of_one(r0: float, r1: float) -> None:
    assert ErrorRates(r0, r1).youden == pytest.approx(1 - r0 - r1)


@pytest.mark.parametrize("rates", [(-0.1, 0.0), (0.0, 1.1), (float("nan"), 0.0)])
def test_impossible_rates_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="error rates"):
        ErrorRates(*rates)
