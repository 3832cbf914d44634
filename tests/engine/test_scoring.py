"""From verdicts to samples: who is paid, who is masked, and what reaches the update."""

from __future__ import annotations

from azr_engine.engine.rewards import REWARDS
from azr_engine.engine.scoring import reward_episodes, reward_proposals, training_samples, varies
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Episode,
    Malformed,
    Proposal,
    Rejection,
    Status,
    Task,
    Verdict,
)

COMPLETION = Completion((1,), (3, 2), (-0.5, -0.5), "x", "stop", 0)


def episode(name: str, *statuses: Status) -> Episode:
    task = Task(name, "toy", "double", {}, None, "s")
    verdicts = [Verdict(status, 1.0 if status == "pass" else 0.0) for status in statuses]
    return Episode(task, tuple(Attempt(task, COMPLETION, Answer({}, ""), verdict) for verdict in verdicts))


def proposal(outcome: Malformed | Rejection | Task | None) -> Proposal:
    return Proposal("toy", "double", COMPLETION, outcome=outcome)


def test_faults_and_abstentions_carry_no_reward() -> None:
    (rewarded,) = reward_episodes([episode("a", "pass", "fail", "fault", "abstain")], REWARDS["learnability"])
    assert [a.reward for a in rewarded.attempts] == [1.0, 0.0, None, None]


def test_a_malformed_answer_is_paid_by_its_own_rule() -> None:
    task = Task("a", "toy", "double", {}, None, "s")
    bad = Attempt(task, COMPLETION, Malformed("empty", ""), Verdict("fail", 0.0))
    (rewarded,) = reward_episodes([Episode(task, (bad,))], REWARDS["reference"])
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
    paid = [p.reward for p in reward_proposals(proposals, episodes, REWARDS["learnability"])]
    assert paid == [0.5, 0.0, 0.0, 0.0, None]
    paid = [p.reward for p in reward_proposals(proposals, episodes, REWARDS["reference"])]
    assert paid == [0.5, -0.5, -1.0, -0.5, None]


def test_a_task_whose_tries_were_all_masked_pays_nobody() -> None:
    lost = episode("lost", "fault", "fault")
    (paid,) = reward_proposals([proposal(lost.task)], {"lost": lost}, REWARDS["learnability"])
    assert paid.reward is None
    assert training_samples([paid], reward_episodes([lost], REWARDS["learnability"]), "trr++") == {}


def test_roles_are_normalised_apart() -> None:
    episodes = reward_episodes([episode("a", "pass", "fail"), episode("b", "fail", "fail")], REWARDS["learnability"])
    proposals = reward_proposals(
        [proposal(e.task) for e in episodes], {e.task.id: e for e in episodes}, REWARDS["learnability"]
    )
    samples = training_samples(proposals, episodes, "trr++")["toy", "double"]
    for role in ("solve", "propose"):
        assert abs(sum(s.advantage for s in samples if s.role == role)) < 1e-9
    assert [round(s.advantage, 6) for s in samples if s.role == "propose"] == [1.0, -1.0]


def test_only_groups_that_differ_enter_a_grouped_update() -> None:
    episodes = reward_episodes([episode("a", "pass", "fail"), episode("b", "fail", "fail")], REWARDS["learnability"])
    assert [varies(e) for e in episodes] == [True, False]
    for estimator in ("grpo", "dr-grpo", "rloo", "dapo"):
        assert len(training_samples([], episodes, estimator)["toy", "double"]) == 2
