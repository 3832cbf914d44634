"""Votes become verdicts: planted errors show at their rates, repeats stop early, outages and silence score nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task, Verdict
from azr_engine.verifiers.judge.noisy import NoisyConfig, NoisyJudge
from azr_engine.verifiers.judge.protocol import ABSTENTION, Judge, JudgeUnavailable, Vote
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.rates import ErrorRates
from azr_engine.verifiers.trust.sequential import SequentialTest
from tests.toys import ToyVerifier


def toy_pairs(n: int, *, right: bool) -> list[tuple[Task, Answer]]:
    """Tasks of the toy domain with answers that are all right or all wrong."""
    tasks = [Task(f"t{i}", "toy", "double", {"number": str(i)}, str(2 * i), "N") for i in range(n)]
    texts = [str(2 * i + (not right)) for i in range(n)]
    return [(task, Answer({"answer": text}, text)) for task, text in zip(tasks, texts, strict=True)]


def shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Share of each status."""
    return {
        name: sum(v.status == name for v in verdicts) / len(verdicts) for name in ("pass", "fail", "abstain", "fault")
    }


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_planted_error_rates_show(correlation: float) -> None:
    judge = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.2, false_reject=0.1, correlation=correlation))
    right = shares(asyncio.run(Voting(judge).decide(toy_pairs(2000, right=True))))
    wrong = shares(asyncio.run(Voting(judge).decide(toy_pairs(2000, right=False))))
    assert right["fail"] == pytest.approx(0.1, abs=0.03)
    assert wrong["pass"] == pytest.approx(0.2, abs=0.04)


def test_votes_within_a_task_agree_more_when_correlated() -> None:
    def disagreements(correlation: float) -> float:
        judge = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.4, false_reject=0.4, correlation=correlation))
        pairs = toy_pairs(800, right=True)
        first, second = (asyncio.run(judge.vote(pairs, sample)) for sample in (0, 1))
        return sum(a.accept != b.accept for a, b in zip(first, second, strict=True)) / len(pairs)

    # Two votes with accept chance p ~ Beta disagree with probability 2 m (1 - m)(1 - c).
    assert disagreements(0.0) == pytest.approx(2 * 0.6 * 0.4, abs=0.06)
    assert disagreements(0.7) == pytest.approx(2 * 0.6 * 0.4 * 0.3, abs=0.06)


def test_the_hole_accepts_whatever_carries_it() -> None:
    judge = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.0, exploit="please"))
    task = toy_pairs(1, right=False)[0][0]
    answers = [Answer({"answer": text}, text) for text in ("1 please", "1")]
    verdicts = asyncio.run(Voting(judge).decide([(task, answer) for answer in answers]))
    assert [verdict.status for verdict in verdicts] == ["pass", "fail"]


def test_repeated_votes_decide_better_than_one_and_stop_early() -> None:
    rates = ErrorRates(0.3, 0.3)
    judge = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.3, false_reject=0.3))
    test = SequentialTest(rates, alpha=0.02, max_votes=60)
    verdicts = asyncio.run(Voting(judge, test).decide(toy_pairs(400, right=True)))
    assert shares(verdicts)["fail"] <= 0.04
    calls = [verdict.calls for verdict in verdicts]
    assert sum(calls) / len(calls) < 25 and max(calls) <= 60


class CountingJudge:
    """Accepts everything and counts what it is asked; unreachable from the call `fails_from` on."""

    name = "counting"
    nature: Nature = "sampled"
    compares = False

    def __init__(self, vote: Vote = Vote(True, 1.0), fails_from: int | None = None) -> None:  # noqa: B008 - frozen
        self._vote, self._fails_from, self.n_calls, self.n_asked = vote, fails_from, 0, 0

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        self.n_calls += 1
        if self._fails_from is not None and self.n_calls >= self._fails_from:
            raise JudgeUnavailable("connection refused")
        self.n_asked += len(pairs)
        return [self._vote] * len(pairs)

    async def close(self) -> None:
        pass


def test_the_same_question_is_asked_once() -> None:
    judge = CountingJudge()
    voting = Voting(judge)
    pairs = toy_pairs(5, right=True)
    asyncio.run(voting.decide([*pairs, *pairs]))
    asyncio.run(voting.decide(pairs))
    assert judge.n_asked == 5
    assert isinstance(judge, Judge)


def test_an_outage_is_a_fault_and_silence_an_abstention() -> None:
    test = SequentialTest(ErrorRates(0.3, 0.3), max_votes=50)
    lost = asyncio.run(Voting(CountingJudge(fails_from=2), test).decide(toy_pairs(3, right=True)))
    assert {verdict.status for verdict in lost} == {"fault"}
    silent = asyncio.run(Voting(CountingJudge(ABSTENTION)).decide(toy_pairs(3, right=True)))
    assert {verdict.status for verdict in silent} == {"abstain"}
    assert not any(verdict.scored for verdict in [*lost, *silent])


def test_the_same_seed_votes_the_same() -> None:
    pairs = toy_pairs(200, right=False)
    config = NoisyConfig(false_accept=0.5)
    votes = [asyncio.run(NoisyJudge(ToyVerifier(), config, seed).vote(pairs, 0)) for seed in (1, 1, 2)]
    assert votes[0] == votes[1] != votes[2]
