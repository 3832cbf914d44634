"""Whole runs against a judge: one without worth never trains the policy, one with worth does, and runs resume alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azr_engine.engine.store import TaskStore
from tests.conftest import Command
from tests.engine.test_controls import lines, play, timeless

JUDGE = ["--set", "judge.domains=[\"python\"]", "--set", "judge.trust.min_audits=8"]  # fmt: skip


def judge(**settings: Any) -> list[str]:
    """Options for a noisy judge of Python answers."""
    return [*JUDGE, *(part for name, value in settings.items() for part in ("--set", f"judge.noisy.{name}={value}"))]


def test_a_judge_that_says_the_opposite_never_trains_the_policy(azr: Command, tmp_path: Path) -> None:
    found = play(azr, tmp_path / "run", *judge(false_accept=0.9, false_reject=0.9), steps=3)
    assert {line["weight_version"] for line in found} == {0}
    assert all(line["domains"]["python"]["effective"] == 0 for line in found)
    assert any("untrusted_judge" in line["alarms"] for line in found)
    with TaskStore(tmp_path / "run" / "tasks.sqlite", read_only=True) as store:
        kinds = ("deduction", "abduction", "induction", "error")
        tasks = [task for kind in kinds for task in store.tasks("python", kind, 200)]
        verdicts = [attempt.verdict for task in tasks for attempt in store.attempts(task.id)]
    # What holds no answer at all fails without a judge; it has nothing to be compared with.
    by_judge = [verdict for verdict in verdicts if verdict.calls]
    assert by_judge and not any(verdict.scored for verdict in by_judge)


def test_a_good_judge_trains_and_its_record_is_resumed(azr: Command, tmp_path: Path) -> None:
    # So short a run cannot show much worth; ask for little.
    options = [*judge(false_accept=0.02, false_reject=0.02), "--set", "judge.trust.threshold=0"]
    options += ["--set", "judge.trust.level=0.6"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    found = play(azr, whole, *options, steps=3)
    assert found[-1]["weight_version"] > 0
    play(azr, cut, *options, steps=2)
    assert azr(["run", "--resume", "--out", str(cut), "--steps", "3"]).returncode == 0
    assert timeless(cut) == timeless(whole)


def test_a_judge_of_a_domain_nobody_plays_is_refused(azr: Command, tmp_path: Path) -> None:
    options = ["--domains", "python", "--set", "judge.domains=[\"math\"]", "--out", str(tmp_path / "run")]  # fmt: skip
    result = azr(["run", *options])
    assert result.returncode == 2
    assert result.stderr.strip().splitlines()[-1].startswith("error: judge.domains names 'math'")


def test_an_evaluation_asks_who_knows_and_leaves_the_judge_as_it_was(azr: Command, tmp_path: Path) -> None:
    liar = [*judge(false_accept=1.0, false_reject=1.0), "--set", "judge.probation=false"]
    evaluation = ["--eval-every", "1", "--eval-suite", "dev", "--set", "evaluation.per_kind=4"]
    evaluation += ["--set", "evaluation.attempts=2"]
    play(azr, tmp_path / "told", *liar, *evaluation, steps=1)
    play(azr, tmp_path / "true", *evaluation, steps=1)
    first, other = (lines(tmp_path / name / "evals.jsonl")[0]["by_kind"] for name in ("told", "true"))
    assert first == other, "the policy is the same before the first step"
    whole, without = tmp_path / "whole", tmp_path / "without"
    shy = judge(false_accept=0.1, false_reject=0.1)
    play(azr, whole, *shy, *evaluation, steps=2)
    play(azr, without, *shy, steps=2)
    assert timeless(whole) == timeless(without), "audits and beliefs are the same too"
