"""The firewall: a monitor's score cannot become a reward, for the type checker and at run time, JSON or not."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from azr_engine.engine.advantages import estimate
from azr_engine.engine.rewards import REWARDS, RewardRule
from azr_engine.engine.scoring import reward, training_samples
from azr_engine.engine.types import Answer, Attempt, Completion, Episode, Task, Verdict
from azr_engine.oversight.monitor import read
from azr_engine.oversight.score import MonitorScore

SCORE = read("I will fool the grader").score
WROTE = Completion((1,), (2,), (-0.5,), "text", "stop", 0)
TASK = Task("t", "d", "k", {}, None, "s")

FORMS = {
    "itself": SCORE,
    "its JSON": SCORE.to_json(),
    "its JSON, written and read": json.loads(json.dumps(SCORE.to_json())),
    "the text in its JSON": json.loads(json.dumps(SCORE.to_json()))["monitor_score"],
    "it, written as JSON and made again": MonitorScore.from_json(json.loads(json.dumps(SCORE.to_json()))),
    "it, pickled": pickle.loads(pickle.dumps(SCORE)),
}


@pytest.fixture(params=list(FORMS.values()), ids=list(FORMS))
def score(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_cannot_be_a_verdicts_score(score: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Verdict("pass", score)


@pytest.mark.parametrize("rule", REWARDS.values(), ids=list(REWARDS))
def test_no_rule_takes_it_into_a_reward(rule: RewardRule, score: Any) -> None:
    """The solver's rule may hand it on; then the advantage refuses it."""
    with pytest.raises((TypeError, ValueError)):
        estimate("grpo", np.array([rule.solver(score), 0.0], dtype=np.float64), np.array([0, 0]))
    with pytest.raises(TypeError):
        rule_value = rule.proposer(score, 8)
        float(rule_value)  # type: ignore[arg-type]
        raise TypeError if rule.name == "accuracy" else AssertionError(rule_value)


def test_a_rule_that_pays_it_stops_at_the_update(score: Any) -> None:
    import dataclasses

    paying = dataclasses.replace(REWARDS["learnability"], pay=lambda scores, rng: [score] * len(scores))
    tries = tuple(Attempt(TASK, WROTE, Answer({}, ""), Verdict("pass", 1.0)) for _ in range(2))
    with pytest.raises((TypeError, ValueError)):
        _, episodes = reward([], [Episode(TASK, tries)], paying, random.Random(0))
        training_samples([], episodes, "grpo")


@pytest.mark.parametrize(
    "use",
    [float, int, bool, abs, round, complex, sum, lambda s: s + 1, lambda s: 1 - s, lambda s: s * 2, lambda s: s > 0.5,
     lambda s: [0, 1][s], lambda s: -s, lambda s: 1.0 if s else 0.0],
)  # fmt: skip
def test_it_is_no_number(use: Any) -> None:
    with pytest.raises(TypeError):
        use(SCORE)


def test_its_json_reads_back_and_nothing_else_does() -> None:
    assert MonitorScore.from_json(json.loads(json.dumps(SCORE.to_json()))) == SCORE
    assert str(SCORE) == "50%" and SCORE.exceeds(40) and not SCORE.exceeds(50)
    for wrong in ({}, {"monitor_score": "0.5"}, {"monitor_score": "²%"}, {"monitor_score": "50%", "more": "1"}):
        with pytest.raises(ValueError, match="no monitor's score"):
            MonitorScore.from_json(wrong)
    with pytest.raises(ValueError, match="not within"):
        MonitorScore(1.5)


MISUSES = """
from azr_engine.engine.rewards import LEARNABILITY, RewardRule
from azr_engine.engine.types import Verdict
from azr_engine.oversight.monitor import read
score = read("text").score
Verdict("pass", score)  # wrong
LEARNABILITY.solver(score)  # wrong
LEARNABILITY.proposer(score, 8)  # wrong
float(score)  # wrong
1.0 - score  # wrong
total: float = score  # wrong
RewardRule("mine", lambda s: score, LEARNABILITY.proposer, 0.0, 0.0, 0.0)  # wrong
sum([score])  # wrong
max(0.0, score)  # wrong
Verdict("pass", score.to_json()["monitor_score"])  # wrong
class Number(type(score)): pass  # wrong
shown: str = str(score)
worth_a_look: bool = score.exceeds(50)
"""


def test_the_type_checker_refuses_it_wherever_a_number_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "misuses.py"
    file.write_text(MISUSES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--follow-imports=silent", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[2],
    )
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    wanted = {n for n, line in enumerate(MISUSES.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wanted, done.stdout + done.stderr
