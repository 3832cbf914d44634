"""From verdicts to samples: who is paid, who is masked, and what reaches the update."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Sequence

import pytest

from azr_engine.engine.rewards import REWARDS
from azr_engine.engine.scoring import reward, training_samples, varies
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Episode,
    EstimatedVerdict,
    Malformed,
    Proposal,
    Rejection,
    Status,
    Task,
    Verdict,
)
from azr_engine.verifiers.trust.correction import audited_score

COMPLETION = Completion((1,), (3, 2), (-0.5, -0.5), "x", "stop", 0)
fresh_ids = itertools.count(4)


def completion() -> Completion:
    """A text that nobody wrote before."""
    return dataclasses.replace(COMPLETION, ids=(next(fresh_ids), 2))


def episode(name: str, *statuses: Status) -> Episode:
    task = Task(name, "toy", "double", {}, None, "s")
    verdicts = [Verdict(status, 1.0 if status == "pass" else 0.0) for status in statuses]
    return Episode(task, tuple(Attempt(task, completion(), Answer({}, ""), verdict) for verdict in verdicts))


def paid(proposals: Sequence[Proposal], episodes: Sequence[Episode], rule: str) -> tuple[list[Proposal], list[Episode]]:
    return reward(proposals, episodes, REWARDS[rule], random.Random(0))


def proposal(outcome: Malformed | Rejection | Task | None) -> Proposal:
    return Proposal("toy", "double", completion(), outcome=outcome)


def test_faults_and_abstentions_carry_no_reward() -> None:
    _, (rewarded,) = paid([], [episode("a", "pass", "fail", "fault", "abstain")], "learnability")
    assert [a.reward for a in rewarded.attempts] == [1.0, 0.0, None, None]


def test_a_malformed_answer_is_paid_by_its_own_rule() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    bad = Attempt(task, COMPLETION, Malformed("empty", ""), Verdict("fail", 0.0))
    _, (rewarded,) = paid([], [Episode(task, (bad,))], "reference")
    assert rewarded.attempts[0].reward == -1.0


def test_a_proposer_is_paid_for_tasks_at_the_edge() -> None:
    episodes = {"edge": episode("edge", "pass", "fail"), "easy": episode("easy", "pass", "pass")}
    proposals = [
        proposal(episodes["edge"].task),
        proposal(episodes["easy"].task),
        proposal(Malformed("no", "")),
        proposal(Rejection("syntax")),
        proposal(Rejection("fault", fault=True)),
    ]
    found, _ = paid(proposals, list(episodes.values()), "learnability")
    assert [p.reward for p in found] == [0.5, 0.0, 0.0, 0.0, None]
    found, _ = paid(proposals, list(episodes.values()), "reference")
    assert [p.reward for p in found] == [0.5, -0.5, -1.0, -0.5, None]


def test_a_task_whose_tries_were_all_masked_pays_nobody() -> None:
    lost = episode("lost", "fault", "fault")
    (unpaid,), episodes = paid([proposal(lost.task)], [lost], "learnability")
    assert unpaid.reward is None
    assert training_samples([unpaid], episodes, "trr++") == {}


def test_roles_are_normalised_apart() -> None:
    tried = [episode("a", "pass", "fail"), episode("b", "fail", "fail")]
    proposals, episodes = paid([proposal(e.task) for e in tried], tried, "learnability")
    samples = training_samples(proposals, episodes, "trr++")["toy", "double"]
    for role in ("solve", "propose"):
        assert abs(sum(s.advantage for s in samples if s.role == role)) < 1e-9
    assert [round(s.advantage, 6) for s in samples if s.role == "propose"] == [1.0, -1.0]


def test_only_groups_that_differ_enter_a_grouped_update() -> None:
    _, episodes = paid([], [episode("a", "pass", "fail"), episode("b", "fail", "fail")], "learnability")
    assert [varies(e) for e in episodes] == [True, False]
    for estimator in ("grpo", "dr-grpo", "rloo", "dapo"):
        assert len(training_samples([], episodes, estimator)["toy", "double"]) == 2


repeat: dict[bool, tuple[Status, ...]] = {True: ("pass",) * 8, False: ("fail",) * 8}


def test_shuffled_rewards_are_as_many_as_the_true_ones_in_each_kind() -> None:
    tried = [episode(str(n), *repeat[n % 3 > 0]) for n in range(30)]
    _, episodes = paid([], tried, "shuffled")
    rewards = [a.reward for e in episodes for a in e.attempts]
    assert sorted(r for r in rewards if r is not None) == [0.0] * 80 + [1.0] * 160
    assert sum(varies(e) for e in episodes) > 25, "nobody knows any more what was right"
    assert [e.solve_rate for e in episodes] == [e.solve_rate for e in tried], "what is measured stays true"


def test_random_rewards_pay_right_wrong_and_malformed_alike() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    bad = Attempt(task, COMPLETION, Malformed("empty", ""), Verdict("fail", 0.0))
    tried = [Episode(task, (bad,) * 480), episode("b", *repeat[True] * 60)]
    _, episodes = paid([], tried, "random")
    for one in episodes:
        assert 200 < sum(a.reward or 0.0 for a in one.attempts) < 280


def test_the_rule_accuracy_pays_no_proposer() -> None:
    tried = [episode("a", "pass", "fail"), episode("b", "fail", "fail")]
    proposals, episodes = paid([*(proposal(e.task) for e in tried), proposal(Malformed("no", ""))], tried, "accuracy")
    samples = training_samples(proposals, episodes, "trr++")["toy", "double"]
    assert {s.role for s in samples} == {"solve"}


@pytest.mark.parametrize("rule", REWARDS)
def test_every_rule_pays_the_same_for_the_same_generator(rule: str) -> None:
    tried = [episode(str(n), "pass", "fail", "pass", "fault") for n in range(5)]
    assert paid([], tried, rule) == paid([], tried, rule)
    assert all(e.attempts[3].reward is None for e in paid([], tried, rule)[1])


def test_equal_texts_become_one_sample_with_their_summed_advantage() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    right, wrong, other = completion(), completion(), completion()
    verdicts = {right.ids: Verdict("pass", 1.0), wrong.ids: Verdict("fail", 0.0), other.ids: Verdict("fail", 0.0)}
    group = tuple(
        Attempt(task, one, Answer({}, ""), verdicts[one.ids]) for one in (right, right, wrong, right, wrong, other)
    )
    _, episodes = paid([], [Episode(task, group)], "learnability")
    samples = training_samples([], episodes, "dr-grpo")["toy", "double"]
    assert {s.ids: round(s.advantage, 9) for s in samples} == {right.ids: 1.5, wrong.ids: -1.0, other.ids: -0.5}


def long_completion(n_tokens: int) -> Completion:
    return dataclasses.replace(COMPLETION, ids=(next(fresh_ids),) * n_tokens, logprobs=(-0.5,) * n_tokens)


def test_a_proposal_weighs_what_the_settings_say_however_long_it_is() -> None:
    tried = [episode("a", "pass", "fail"), episode("b", "fail", "fail")]
    long = [dataclasses.replace(proposal(e.task), completion=long_completion(40)) for e in tried]
    proposals, episodes = paid(long, tried, "learnability")
    (samples,) = training_samples(proposals, episodes, "trr++", propose_weight=0.25).values()
    tries = [s for s in samples if s.role == "solve"]
    advantage = {s.role: abs(s.advantage) * len(s.ids) for s in samples if s.role == "propose" or s.advantage > 0}
    assert len(tries) == 4
    # One of four tries passed: its advantage is sqrt(3); each of the two proposals has 1.
    assert advantage["propose"] / advantage["solve"] == pytest.approx(0.25 / 3**0.5)


SHARE = 0.25
CHEAT, RIGHT, WRONG = (completion() for _ in range(3))


def fooled_episode(name: str, rng: random.Random) -> Episode:
    """Eight answers: cheats that a fooled judge accepts, right ones that it sometimes rejects, wrong ones."""
    task = Task(name, "toy", "double", {}, None, "s")
    attempts = []
    for text, passes, truth in ((CHEAT, 1.0, 0.0),) * 4 + ((RIGHT, 0.9, 1.0), (WRONG, 0.2, 0.0)) * 2:
        status: Status = "pass" if rng.random() < passes else "fail"
        score, expected = (1.0, 0.35) if status == "pass" else (0.0, 0.1)
        estimate = audited_score(expected, truth if rng.random() < SHARE else None, SHARE)
        verdict = EstimatedVerdict(status, score, estimate=estimate)
        attempts.append(Attempt(task, text, Answer({}, ""), verdict))
    return Episode(task, tuple(attempts))


@pytest.mark.parametrize("estimator", ["grpo", "dapo", "rloo"])
def test_audits_take_back_on_average_what_a_fooled_judge_pays(estimator: str) -> None:
    rng = random.Random(7)
    _, episodes = paid([], [fooled_episode(str(n), rng) for n in range(4000)], "learnability")
    samples = {s.ids: s.advantage for s in training_samples([], episodes, estimator)["toy", "double"]}
    per_try = {
        name: samples[text.ids] / (4000 * n)
        for name, text, n in (("cheat", CHEAT, 4), ("right", RIGHT, 2), ("wrong", WRONG, 2))
    }
    # True scores 0, 1, 0 around their mean of 1/4; a cheat earns what any wrong answer does.
    assert per_try["cheat"] == pytest.approx(per_try["wrong"], abs=0.15)
    assert per_try["right"] == pytest.approx(-3 * per_try["wrong"], abs=0.3)
    assert per_try["right"] > 1.0


def test_where_every_answer_is_audited_rewards_are_the_truth() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    truths = (1.0, 0.0, 1.0, 0.0)
    audited = tuple(
        Attempt(task, completion(), Answer({}, ""), EstimatedVerdict("pass", 1.0, estimate=truth)) for truth in truths
    )
    _, (rewarded,) = paid([], [Episode(task, audited)], "learnability")
    assert [a.reward for a in rewarded.attempts] == [1.0, 0.0, 1.0, 0.0]
    samples = training_samples([], [rewarded], "grpo")["toy", "double"]
    assert [round(s.advantage, 9) for s in samples] == [0.5, -0.5, 0.5, -0.5], "the judge saw no difference to scale by"


def test_a_control_does_not_hear_of_audits() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    tried = tuple(
        Attempt(task, completion(), Answer({}, ""), EstimatedVerdict("pass", 1.0, estimate=-9.0)) for _ in range(8)
    )
    _, (rewarded,) = paid([], [Episode(task, tried)], "random")
    assert {a.reward for a in rewarded.attempts} <= {0.0, 1.0}
