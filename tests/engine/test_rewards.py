"""Each reward rule against values computed by hand, and what all rules have in common."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.rewards import DEFAULT_REWARD, REWARDS, RewardRule

rules = pytest.mark.parametrize("rule", REWARDS.values(), ids=REWARDS.keys())


def test_the_registry_holds_the_documented_rules() -> None:
    assert set(REWARDS) == {"paper", "reference", "learnability", "accuracy", "random", "shuffled"}
    assert DEFAULT_REWARD == "learnability"
    assert all(name == rule.name for name, rule in REWARDS.items())


@pytest.mark.parametrize(
    ("name", "passed", "failed", "half"),
    [("paper", 1.0, 0.0, 0.5), ("reference", 1.0, -0.5, 0.25), ("learnability", 1.0, 0.0, 0.5)],
)
def test_solver_by_hand(name: str, passed: float, failed: float, half: float) -> None:
    rule = REWARDS[name]
    assert (rule.solver(1.0), rule.solver(0.0), rule.solver(0.5)) == (passed, failed, half)


@pytest.mark.parametrize(
    ("name", "score_sum", "n_scored", "reward"),
    [
        ("paper", 0, 8, 0.0),
        ("paper", 1, 8, 0.875),
        ("paper", 4, 8, 0.5),
        ("paper", 8, 8, 0.0),
        ("paper", 0.5, 2, 0.75),
        ("reference", 0, 8, -0.5),
        ("reference", 1, 8, 0.875),
        ("reference", 7, 8, 0.125),
        ("reference", 8, 8, -0.5),
        ("learnability", 0, 8, 0.0),
        ("learnability", 1, 8, 0.125),
        ("learnability", 4, 8, 2 / 7),
        ("learnability", 8, 8, 0.0),
        ("learnability", 1, 2, 0.5),
    ],
)
def test_proposer_by_hand(name: str, score_sum: float, n_scored: int, reward: float) -> None:
    assert REWARDS[name].proposer(score_sum, n_scored) == pytest.approx(reward)


@pytest.mark.parametrize(("name", "n_needed"), [("paper", 1), ("reference", 1), ("learnability", 2)])
def test_too_few_scored_tries_mask_the_proposal(name: str, n_needed: int) -> None:
    proposer = REWARDS[name].proposer
    assert all(proposer(0.0, n) is None for n in range(n_needed))
    assert proposer(0.0, n_needed) is not None


@pytest.mark.parametrize(
    ("name", "answer", "draft", "rejected"),
    [("paper", -1.0, -1.0, -0.5), ("reference", -1.0, -1.0, -0.5), ("learnability", 0.0, 0.0, 0.0)],
)
def test_invalid_text_by_hand(name: str, answer: float, draft: float, rejected: float) -> None:
    rule = REWARDS[name]
    assert (rule.malformed_answer, rule.malformed_draft, rule.rejected_draft) == (answer, draft, rejected)


@given(n=st.integers(2, 20), p=st.floats(0.0, 1.0))
def test_the_default_proposer_is_paid_p_times_one_minus_p_on_average(n: int, p: float) -> None:
    rewards = [REWARDS[DEFAULT_REWARD].proposer(float(k), n) for k in range(n + 1)]
    mean = math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) * (r or 0.0) for k, r in enumerate(rewards))
    assert mean == pytest.approx(p * (1 - p), abs=1e-12)


@rules
@given(data=st.data())
def test_a_better_answer_never_earns_less_and_no_text_is_worse_than_none(rule: RewardRule, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    assert rule.malformed_answer <= rule.solver(low) <= rule.solver(high) <= 1.0


@rules
@given(data=st.data())
def test_every_proposer_reward_is_finite_and_invalid_drafts_never_pay_more(
    rule: RewardRule, data: st.DataObject
) -> None:
    n = data.draw(st.integers(2, 64))
    reward = rule.proposer(data.draw(st.floats(0, n)), n)
    assert reward is not None
    assert rule.malformed_draft <= rule.rejected_draft <= reward <= 1.0


@rules
def test_no_rule_pays_a_task_that_teaches_nothing_more_than_one_that_does(rule: RewardRule) -> None:
    hopeless, hard, trivial = (rule.proposer(k, 8) for k in (0.0, 1.0, 8.0))
    assert hopeless is not None and hard is not None and trivial is not None
    assert max(hopeless, trivial) < hard or rule.name == "accuracy"


def test_rules_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        REWARDS["paper"].malformed_draft = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        REWARDS["mine"] = REWARDS["paper"]  # type: ignore[index]
