"""Advantage estimators: by hand, and by what must hold for any rewards and groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.advantages import (
    DEFAULT_ADVANTAGE,
    ESTIMATORS,
    Floats,
    Ints,
    estimate,
    zero_variance_share,
)
from azr_engine.engine.errors import UserError

PER_GROUP = ("grpo", "dr-grpo", "rloo", "dapo")
every = pytest.mark.parametrize("name", ESTIMATORS)
per_group = pytest.mark.parametrize("name", PER_GROUP)

# Eighths, so that differences are either zero or far above rounding.
rewards_and_groups = st.lists(
    st.tuples(st.integers(-8, 8).map(lambda eighths: eighths / 8), st.sampled_from([-3, 0, 1, 7, 10**12])), max_size=40
).map(lambda pairs: (np.array([r for r, _ in pairs], np.float64), np.array([g for _, g in pairs], np.int64)))

REWARDS = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])
GROUPS = np.array([5, 5, 5, 5, 2, 2])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # The mean of all six is 2/3, the standard deviation sqrt(2)/3.
        ("trr++", [math.sqrt(0.5), -math.sqrt(2), -math.sqrt(2), math.sqrt(0.5), math.sqrt(0.5), math.sqrt(0.5)]),
        ("grpo", [1.0, -1.0, -1.0, 1.0, 0.0, 0.0]),
        ("dr-grpo", [0.5, -0.5, -0.5, 0.5, 0.0, 0.0]),
        ("rloo", [2 / 3, -2 / 3, -2 / 3, 2 / 3, 0.0, 0.0]),
        ("dapo", [1.0, -1.0, -1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_by_hand(name: str, values: list[float]) -> None:
    result = estimate(name, REWARDS, GROUPS)
    np.testing.assert_allclose(result.values, values, rtol=1e-12, atol=1e-12)
    kept = [True] * 4 + [name != "dapo"] * 2
    assert result.keep.tolist() == kept


def test_leave_one_out_is_the_reward_minus_the_mean_of_the_others() -> None:
    rewards = np.array([0.2, 0.9, 0.4])
    others = [(0.9 + 0.4) / 2, (0.2 + 0.4) / 2, (0.2 + 0.9) / 2]
    np.testing.assert_allclose(estimate("rloo", rewards, np.zeros(3, np.int64)).values, rewards - np.array(others))


def test_only_dapo_clips_higher() -> None:
    assert {name: e.clip_high for name, e in ESTIMATORS.items() if e.clip_high is not None} == {"dapo": 0.28}
    assert DEFAULT_ADVANTAGE in ESTIMATORS


@every
@given(sample=rewards_and_groups)
def test_shapes_types_and_finiteness(name: str, sample: tuple[Floats, Ints]) -> None:
    rewards, groups = sample
    result = estimate(name, rewards, groups)
    assert result.values.shape == result.keep.shape == rewards.shape
    assert result.values.dtype == np.float64 and result.keep.dtype == np.bool_
    assert np.isfinite(result.values).all()


@per_group
@given(sample=rewards_and_groups)
def test_advantages_of_a_group_sum_to_zero(name: str, sample: tuple[Floats, Ints]) -> None:
    rewards, groups = sample
    values = estimate(name, rewards, groups).values
    for group in np.unique(groups):
        assert values[groups == group].sum() == pytest.approx(0.0, abs=1e-9)


@given(sample=rewards_and_groups)
def test_whitened_sequences_have_mean_zero_and_unit_variance_or_are_all_zero(sample: tuple[Floats, Ints]) -> None:
    rewards, groups = sample
    values = estimate("trr++", rewards, groups).values
    if np.unique(rewards).size > 1:
        assert values.mean() == pytest.approx(0.0, abs=1e-9)
        assert values.std() == pytest.approx(1.0)
    else:
        assert not values.any()


@every
@given(sample=rewards_and_groups, shift=st.integers(-16, 16).map(lambda eighths: eighths / 8))
def test_adding_a_constant_changes_nothing(name: str, sample: tuple[Floats, Ints], shift: float) -> None:
    rewards, groups = sample
    before, after = estimate(name, rewards, groups), estimate(name, rewards + shift, groups)
    np.testing.assert_allclose(after.values, before.values, atol=1e-9)
    assert (after.keep == before.keep).all()


@every
@given(sample=rewards_and_groups, scale=st.sampled_from([0.125, 0.5, 3.0, 8.0]))
def test_scaling_cancels_where_it_is_divided_out_and_passes_through_elsewhere(
    name: str, sample: tuple[Floats, Ints], scale: float
) -> None:
    rewards, groups = sample
    before, after = estimate(name, rewards, groups).values, estimate(name, scale * rewards, groups).values
    np.testing.assert_allclose(after, before * (scale if name in ("dr-grpo", "rloo") else 1.0), atol=1e-9)


@every
@given(sample=rewards_and_groups, seed=st.integers(0, 2**32 - 1))
def test_order_and_group_numbers_mean_nothing(name: str, sample: tuple[Floats, Ints], seed: int) -> None:
    rewards, groups = sample
    order = np.random.default_rng(seed).permutation(rewards.size)
    renumbered = 3 - 2 * groups
    before, after = estimate(name, rewards, groups), estimate(name, rewards[order], renumbered[order])
    np.testing.assert_allclose(after.values, before.values[order], atol=1e-9)
    assert (after.keep == before.keep[order]).all()


@per_group
@given(rewards=st.lists(st.floats(-2, 2), min_size=1, max_size=20))
def test_a_sample_alone_in_its_group_has_no_advantage(name: str, rewards: list[float]) -> None:
    result = estimate(name, np.array(rewards), np.arange(len(rewards)))
    assert not result.values.any()
    assert result.keep.any() == (name != "dapo")


@per_group
@given(sample=rewards_and_groups, other=st.lists(st.integers(-8, 8), min_size=1, max_size=8))
def test_groups_do_not_touch_each_other(name: str, sample: tuple[Floats, Ints], other: list[int]) -> None:
    rewards, groups = sample
    more = estimate(name, np.append(rewards, np.array(other) / 8), np.append(groups, np.full(len(other), 99)))
    np.testing.assert_array_equal(more.values[: rewards.size], estimate(name, rewards, groups).values)


@every
def test_rounding_noise_is_not_blown_up_to_unit_variance(name: str) -> None:
    rewards = np.array([0.1 + 0.2, 0.3, 0.3, 0.3])
    assert not estimate(name, rewards, np.zeros(4, np.int64)).values.any()


@given(sample=rewards_and_groups)
def test_dapo_keeps_exactly_the_groups_that_are_not_counted_as_zero_variance(sample: tuple[Floats, Ints]) -> None:
    rewards, groups = sample
    keep = estimate("dapo", rewards, groups).keep
    n_groups = np.unique(groups).size
    n_dropped = np.unique(groups[~keep]).size
    assert zero_variance_share(rewards, groups) == pytest.approx(n_dropped / n_groups if n_groups else 0.0)


def test_zero_variance_share_by_hand() -> None:
    assert zero_variance_share(REWARDS, GROUPS) == 0.5
    assert zero_variance_share(np.array([1.0, 0.0, 1.0]), np.array([0, 0, 1])) == 0.5
    assert zero_variance_share(np.array([]), np.array([], np.int64)) == 0.0


@every
def test_what_is_not_a_reward_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        estimate(name, np.array([1.0, math.nan]), np.array([0, 0]))
    with pytest.raises(ValueError, match="one length"):
        estimate(name, np.array([1.0, 0.0]), np.array([0]))


def test_an_unknown_name_is_the_users_mistake_and_the_message_lists_the_known() -> None:
    with pytest.raises(UserError, match=r"'ppo'; choose one of trr\+\+, grpo"):
        estimate("ppo", REWARDS, GROUPS)
