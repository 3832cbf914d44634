"""Majorities and panels: agreement counts, ties and silence do not, members weigh by their worth."""

from __future__ import annotations

import asyncio
import json

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


def panel_of(*configs: NoisyConfig, seeds: tuple[int, ...] | None = None) -> PanelJudge:
    """A panel that fits its members' rates, who are called a, b, c, ..."""
    judges = [NoisyJudge(ToyVerifier(), c, s) for c, s in zip(configs, seeds or range(len(configs)), strict=True)]
    return PanelJudge(judges, names="abcdef"[: len(judges)])


def play(panel: PanelJudge, *, audited: bool) -> None:
    """Some batches of right and wrong answers; where audited, the panel is told of every fifth."""
    right, wrong = (toy_pairs(300, right=right) for right in (True, False))
    for start in range(0, 300, 100):
        pairs = [*right[start : start + 100], *wrong[start : start + 100]]
        asyncio.run(panel.vote(pairs, 0))
        if audited:
            panel.learn([(task, answer, answer.raw == task.gold) for task, answer in pairs[::3]])
    asyncio.run(panel.vote(right[:1], 0))


@pytest.mark.parametrize("audited", [False, True])
def test_a_panel_finds_out_what_its_members_are_worth(audited: bool) -> None:
    planted = [NoisyConfig(false_accept=r0, false_reject=r1) for r0, r1 in ((0.1, 0.1), (0.4, 0.1), (0.2, 0.35))]
    panel = panel_of(*planted)
    play(panel, audited=audited)
    for found, config in zip(panel.rates, planted, strict=True):
        assert found.false_accept == pytest.approx(config.false_accept, abs=0.09)
        assert found.false_reject == pytest.approx(config.false_reject, abs=0.09)
    assert panel.unheard == {} and panel.news() == []


def test_a_member_that_repeats_another_is_not_heard_twice() -> None:
    config = NoisyConfig(false_accept=0.3, false_reject=0.2)
    panel = panel_of(config, NoisyConfig(false_accept=0.1, false_reject=0.1), config, seeds=(5, 6, 5))
    play(panel, audited=True)
    assert list(panel.unheard) in ([0], [2]) and 1 not in panel.unheard.values()
    (said,) = panel.news()
    assert said.startswith(("a is not heard", "c is not heard")) and panel.news() == [], "said once"


def test_a_panel_remembers_through_json() -> None:
    one, two = (panel_of(*[NoisyConfig()] * 3) for _ in range(2))
    play(one, audited=True)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for panel in (one, two):
        asyncio.run(panel.vote(toy_pairs(5, right=True), 1))
    assert one.rates == two.rates and one.state_dict() == two.state_dict()
