"""A judge on probation: a good one is released, a useless, inverted or foolable one never moves a reward."""

from __future__ import annotations

import asyncio
import json
import statistics

import pytest

from azr_engine.engine.types import Answer, EstimatedVerdict, Task, Verdict
from azr_engine.verifiers.judge.attacks import attacks
from azr_engine.verifiers.judge.auditing import ShadowAuditor
from azr_engine.verifiers.judge.noisy import NoisyConfig, NoisyJudge
from azr_engine.verifiers.judge.trusted import TrustConfig, TrustedVerifier
from azr_engine.verifiers.judge.voting import Voting
from tests.toys import ToyDomain, ToyVerifier

DOMAIN = ToyDomain()


def trusted(config: NoisyConfig, trust: TrustConfig | None = None) -> TrustedVerifier:
    """A toy verifier judged by noise."""
    truth = ToyVerifier()
    return TrustedVerifier(truth, Voting(NoisyJudge(truth, config)), ShadowAuditor(truth, DOMAIN.solve_prompt), trust)


def batch(number: int, n: int = 64) -> list[tuple[Task, Answer]]:
    """Answers to fresh tasks, every other one right."""
    pairs = []
    for i in range(n):
        value = number * n + i
        text = str(2 * value + i % 2)
        given = {"number": str(value)}
        pairs.append((Task(f"t{value}", "toy", "double", given, str(2 * value), "N"), Answer({"answer": text}, text)))
    return pairs


def play(verifier: TrustedVerifier, n_batches: int) -> list[list[Verdict]]:
    """The verdicts of several batches."""
    return [asyncio.run(verifier.judge(batch(number))) for number in range(n_batches)]


def test_a_good_judge_is_released_and_stays_so() -> None:
    verifier = trusted(NoisyConfig(false_accept=0.1, false_reject=0.1))
    verdicts = play(verifier, 12)
    assert all(verdict.scored for verdict in verdicts[-1])
    assert verifier.quarantined() == {}
    rates = verifier.rates(("toy", "double"))
    assert rates is not None
    assert rates.false_accept == pytest.approx(0.1, abs=0.08)
    assert rates.false_reject == pytest.approx(0.1, abs=0.08)


@pytest.mark.parametrize(
    "config",
    [
        NoisyConfig(false_accept=0.5, false_reject=0.5),
        NoisyConfig(false_accept=0.9, false_reject=0.9),
        NoisyConfig(false_accept=1.0, false_reject=0.0),
    ],
)
def test_a_judge_without_worth_never_moves_a_reward(config: NoisyConfig) -> None:
    verifier = trusted(config)
    assert not any(verdict.scored for verdicts in play(verifier, 12) for verdict in verdicts)
    assert list(verifier.quarantined()) == [("toy", "double")]


def test_a_judge_that_one_opener_fools_is_withheld() -> None:
    foolable = trusted(NoisyConfig(false_accept=0.02, false_reject=0.02, exploit="Thought process:"))
    verdicts = play(foolable, 12)
    assert not any(verdict.scored for verdict in verdicts[-1])
    assert verdicts[-1][0].reason.startswith("withheld")


def test_a_judge_that_the_policy_fools_raises_an_alarm_once() -> None:
    fooled = trusted(NoisyConfig(false_accept=0.9, false_reject=0.0))
    news = []
    for number in range(6):
        asyncio.run(fooled.judge(batch(number)))
        news += fooled.fooled(number)
    assert sum("is being fooled in toy/double" in text for text in news) >= 1
    assert fooled.fooled(9) == [], "said once"
    honest = trusted(NoisyConfig(false_accept=0.1, false_reject=0.1))
    play(honest, 12)
    assert honest.news() == [] == honest.fooled(9)


def test_estimates_are_right_on_average_however_the_judge_is_fooled() -> None:
    # Text that always passes is in every third wrong answer, as if a policy had half found the hole.
    verifier = trusted(
        NoisyConfig(false_accept=0.1, false_reject=0.2, exploit="#"),
        TrustConfig(threshold=0.0, min_audits=30, audit_share=0.25),
    )
    errors, fooled = [], []
    for number in range(60):
        pairs = [
            (task, Answer({"answer": text}, text))
            for i, (task, answer) in enumerate(batch(number))
            for text in [answer.raw + "#" * (i % 6 == 1)]
        ]
        for i, verdict in enumerate(asyncio.run(verifier.judge(pairs))):
            if verdict.scored:
                assert isinstance(verdict, EstimatedVerdict)
                errors.append(verdict.estimate - (1.0 - i % 2))
                if i % 6 == 1:
                    assert verdict.score == 1.0
                    fooled.append(verdict.estimate)
    for values in (errors, fooled):
        spread = statistics.pstdev(values) / len(values) ** 0.5
        assert abs(statistics.fmean(values)) < 4 * spread < 0.25
    assert min(errors) < -1, "a false accept that was found is paid less than nothing"


def test_where_every_answer_is_audited_estimates_are_the_truth() -> None:
    verifier = trusted(NoisyConfig(false_accept=0.2, false_reject=0.1), TrustConfig(audit_share=1.0))
    (*_, last) = play(verifier, 12)
    assert [v.estimate for v in last if isinstance(v, EstimatedVerdict)] == [1.0, 0.0] * 32
    assert any(verdict.score != 1.0 - i % 2 for i, verdict in enumerate(last))


def test_audits_get_rarer_once_enough_is_known() -> None:
    verifier = trusted(NoisyConfig(false_accept=0.0, false_reject=0.0), TrustConfig(min_audits=40, decay=1.0))
    sizes = []
    for number in range(6):
        before = sum(t.size for t in verifier.belief(("toy", "double")).tallies.values())
        asyncio.run(verifier.judge(batch(number)))
        sizes.append(sum(t.size for t in verifier.belief(("toy", "double")).tallies.values()) - before)
    assert sizes[0] > 100 and sizes[-1] <= 14


def test_state_survives_json_and_goes_on_the_same() -> None:
    one, two = (trusted(NoisyConfig()) for _ in range(2))
    play(one, 3)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    statuses = [[v.status for v in asyncio.run(verifier.judge(batch(9)))] for verifier in (one, two)]
    assert statuses[0] == statuses[1]
    assert one.state_dict() == two.state_dict()


def test_every_attack_is_wrong_by_the_truth() -> None:
    task, _ = batch(0, 1)[0]
    answers = [(task, Answer({"answer": attack.text}, attack.text)) for attack in attacks(DOMAIN.solve_prompt(task))]
    names = [attack.name for attack in attacks(DOMAIN.solve_prompt(task))]
    assert len(set(names)) == len(names) >= 12
    verdicts = asyncio.run(ToyVerifier().judge([pair for pair in answers if pair[1].raw != task.gold]))
    assert {verdict.status for verdict in verdicts} == {"fail"}
