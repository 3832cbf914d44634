"""Majorities and panels: agreement counts, ties and silence do not, members weigh by their worth."""

from __future__ import annotations

import asyncio

import pytest

from azr_engine.engine.types import Answer, Task
from azr_engine.verifiers.judge.majority import MajorityJudge
from azr_engine.verifiers.judge.noisy import NoisyConfig, NoisyJudge
from azr_engine.verifiers.judge.panel import PanelJudge
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.rates import ErrorRates
from tests.toys import ToyVerifier
from tests.verifiers.judge.test_voting import shares, toy_pairs


def tries(*texts: str) -> list[tuple[Task, Answer]]:
    """Several tries at one task."""
    task = Task("t", "toy", "double", {"number": "4"}, "8", "N")
    return [(task, Answer({"answer": text}, text)) for text in texts]


@pytest.mark.parametrize(
    ("texts", "statuses"),
    [
        (("8", " 8", "9"), ["pass", "pass", "fail"]),
        (("8", "8", "9", "9"), ["abstain"] * 4),
        (("8", "8"), ["abstain"] * 2),
        (("9", "9", "9"), ["pass"] * 3),
    ],
)
def test_the_majority_is_taken_for_the_truth(texts: tuple[str, ...], statuses: list[str]) -> None:
    verdicts = asyncio.run(Voting(MajorityJudge()).decide(tries(*texts)))
    assert [verdict.status for verdict in verdicts] == statuses


def test_a_panel_errs_less_than_its_members() -> None:
    configs = [NoisyConfig(false_accept=0.25, false_reject=0.25)] * 3
    judges = [NoisyJudge(ToyVerifier(), config, seed) for seed, config in enumerate(configs)]
    panel = PanelJudge(judges, [ErrorRates(0.25, 0.25)] * 3)
    one = shares(asyncio.run(Voting(judges[0]).decide(toy_pairs(1500, right=True))))
    together = shares(asyncio.run(Voting(panel).decide(toy_pairs(1500, right=True))))
    # Two of three err with probability 3 * 0.25^2 * 0.75 + 0.25^3.
    assert together["fail"] == pytest.approx(0.156, abs=0.035) and one["fail"] > together["fail"] + 0.05


def test_a_good_member_outweighs_two_poor_ones() -> None:
    good = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.0, false_reject=0.0))
    liars = [NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=1.0, false_reject=0.0), seed) for seed in (1, 2)]
    rates = [ErrorRates(0.01, 0.01), ErrorRates(0.5, 0.4), ErrorRates(0.5, 0.4)]
    verdicts = asyncio.run(Voting(PanelJudge([good, *liars], rates)).decide(toy_pairs(50, right=False)))
    assert shares(verdicts)["fail"] == 1.0


def test_a_cautious_panel_accepts_nothing_it_is_split_on() -> None:
    accepting = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=1.0))
    honest = NoisyJudge(ToyVerifier(), NoisyConfig(false_accept=0.0))
    pairs = toy_pairs(50, right=False)
    rates = [ErrorRates(0.1, 0.1), ErrorRates(0.1, 0.3)]
    bold, careful = (
        asyncio.run(Voting(PanelJudge([accepting, honest], rates, caution=c)).decide(pairs)) for c in (0.0, 10.0)
    )
    assert shares(bold)["pass"] == 1.0 and shares(careful)["pass"] == 0.0


def test_a_panel_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        PanelJudge([MajorityJudge()])
