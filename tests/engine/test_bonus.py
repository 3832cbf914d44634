"""Bonuses for right answers: bounded, and never a reason to be wrong."""

from __future__ import annotations

import dataclasses
import math
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.bonus import SHARE, pay_bonuses
from azr_engine.engine.rewards import REWARDS
from azr_engine.engine.scoring import reward
from azr_engine.engine.types import Answer, Attempt, Completion, Episode, Malformed, Status, Task, Verdict
from azr_engine.oversight.monitor import read
from azr_engine.plugins.manager import Plugins
from tests.conftest import Command

TASK = Task("0" * 16, "python", "induction", {}, None, "s")
COMPLETION = Completion((1,), (2,), (-0.5,), "", "stop", 0)


def attempt(status: Status, *, malformed: bool = False) -> Attempt:
    answer = Malformed("empty", "") if malformed else Answer({"answer": "1"}, "1")
    return Attempt(TASK, COMPLETION, answer, Verdict(status, float(status == "pass")))


def opinion(attempt: Attempt) -> float | None:
    """What a bonus looks like."""


statuses = st.sampled_from(["pass", "fail", "abstain", "fault"])
attempts = st.builds(attempt, statuses) | st.just(attempt("fail", malformed=True))


@given(
    st.lists(attempts, min_size=1),
    st.sampled_from(sorted(REWARDS)),
    st.functions(like=opinion, returns=st.none() | st.floats(0, 1)),
)
def test_no_failed_try_is_lifted_and_no_bonus_exceeds_its_share(tries, name, bonus) -> None:  # type: ignore[no-untyped-def]
    rule = REWARDS[name]
    _, (before,) = reward([], [Episode(TASK, tuple(tries))], rule, random.Random(0))
    (after,) = pay_bonuses([before], rule, bonus)
    span = rule.solver(1.0) - rule.solver(0.0)
    for old, new in zip(before.attempts, after.attempts, strict=True):
        assert dataclasses.replace(new, reward=old.reward) == old
        if old.verdict.status != "pass" or not rule.honest or old.reward is None:
            assert new.reward == old.reward
        else:
            assert new.reward is not None and 0.0 <= new.reward - old.reward <= SHARE * span + 1e-9
    if rule.honest:
        rewards = [(a.verdict.status, a.reward) for a in after.attempts if a.reward is not None]
        passed = [value for status, value in rewards if status == "pass"]
        failed = [value for status, value in rewards if status == "fail"]
        assert not passed or not failed or min(passed) > max(failed)


def test_failed_tries_are_not_shown() -> None:
    seen: list[Attempt] = []
    rule = REWARDS["learnability"]
    _, episodes = reward([], [Episode(TASK, (attempt("pass"), attempt("fail")))], rule, random.Random(0))
    pay_bonuses(episodes, rule, seen.append)
    assert [a.verdict.status for a in seen] == ["pass"]


class Says:
    """A plugin with one opinion, or one that raises."""

    def __init__(self, opinion: object) -> None:
        self.opinion = opinion

    def azr_bonus(self, attempt: Attempt) -> object:
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion


def plugins_that_say(*opinions: object) -> tuple[Plugins, list[BaseException]]:
    from azr_engine.plugins import hookimpl

    logged: list[BaseException] = []
    plugins = Plugins(log=lambda name, error: logged.append(error))
    for i, opinion in enumerate(opinions):
        kind = type(f"Says{i}", (Says,), {"azr_bonus": hookimpl(lambda self, attempt: Says.azr_bonus(self, attempt))})
        plugins.add(f"says {i}", kind(opinion))
    return plugins, logged


ODD = [-0.1, 1.5, math.nan, True, "1", [1], ValueError("no"), read("I will fool the grader").score]


@pytest.mark.parametrize("opinion", ODD)
def test_what_is_no_number_from_0_to_1_counts_as_0_and_is_logged(opinion: object) -> None:
    plugins, logged = plugins_that_say(opinion, 1.0)
    assert plugins.bonus(attempt("pass")) == 0.5
    assert len(logged) == 1


def test_opinions_are_averaged_and_none_is_no_opinion() -> None:
    assert plugins_that_say(0.5, None, 1)[0].bonus(attempt("pass")) == 0.75
    assert plugins_that_say(None)[0].bonus(attempt("pass")) is None


def test_a_run_pays_the_bonus_of_right_answers(azr: Command, tmp_path: Path) -> None:
    plugin = tmp_path / "fine.py"
    plugin.write_text(
        "from azr_engine.plugins import hookimpl\n@hookimpl\ndef azr_bonus(attempt):\n"
        "    assert attempt.verdict.status == 'pass'\n    return 1.0\n"
    )
    sizes = ("store.seeds=8", "play.proposals=8", "play.attempts=4", "play.anchors=0", "trainer.backend=torch")
    settings = [word for size in sizes for word in ("--set", size)]
    options = ["--domains", "python", "--steps", "1", "--seed", "1", "--proposer", "grammar", *settings]
    result = azr(["run", *options, "--plugin", str(plugin), "--out", str(tmp_path / "run")])
    assert result.returncode == 0, result.stderr
    with sqlite3.connect(tmp_path / "run" / "tasks.sqlite") as store:
        paid = set(store.execute("SELECT DISTINCT status, reward FROM attempts"))
    assert paid == {("pass", 1.0 + SHARE), ("fail", 0.0)}
