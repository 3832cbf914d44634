"""Whole runs against a judge: one without worth never trains the policy, one with worth does, and runs resume alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.config import load_config, to_toml
from azr_engine.engine.errors import UserError
from azr_engine.engine.store import TaskStore
from tests.conftest import Command
from tests.engine.test_controls import SETTINGS, lines, play, timeless

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


FOOLED = [*judge(false_accept=0.9, false_reject=0.1), "--set", "judge.probation=false", "--proposer", "grammar"]
FOOLED += ["--set", "judge.honeypots.per_step=4", "--set", "play.proposals=8", "--set", "checkpoint.keep=1"]
FOOLED += ["--set", "judge.honeypots.tolerated=0.2", "--set", 'oversight.rollback_on=["honeypot"]']


def rollbacks(run: Path) -> list[dict[str, Any]]:
    """The events of that name."""
    return [event for event in lines(run / "events.jsonl") if event["name"] == "rollback"]


def weights(run: Path, step: int) -> bytes:
    """A checkpoint's."""
    return (run / "checkpoints" / f"step-{step}" / "weights.safetensors").read_bytes()


def test_a_fooled_run_goes_back_and_goes_on_without_the_judge(azr: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    found = play(azr, run, *FOOLED, steps=6)
    first, *_ = rollbacks(run)
    at = first["step"]
    assert first["data"]["to"] == "step-1" and first["data"]["alarms"] == ["honeypot"] and at > 2
    assert "honeypot" in found[at - 1]["alarms"]
    versions = [line["weight_version"] for line in found]
    assert versions[at - 1] == versions[0] < versions[at - 2], "the weights are those of the first step again"
    assert all(line["domains"]["python"]["honeypot_rate"] > 0.5 for line in found[: at - 1])
    earlier = [event for event in rollbacks(run) if event["step"] < 6]
    barred = {kind.removeprefix("python/") for event in earlier for kind in event["data"]["barred"]}
    assert barred
    with TaskStore(run / "tasks.sqlite", read_only=True) as store:
        assert all(store.attempts_in(step) for step in range(1, 7)), "no step is lost"
        kinds = {task.id: task.kind for task in store.tasks("python")}
        after = [a for a in store.attempts_in(6) if kinds[a.task_id] in barred and a.verdict.calls]
        assert after and all("was fooled" in attempt.verdict.reason for attempt in after)


def test_a_fooled_run_that_pauses_has_gone_back_first(azr: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    pausing = [*FOOLED, "--set", 'oversight.pause_on=["honeypot"]']
    result = azr([*SETTINGS, "--steps", "9", "--out", str(run), *pausing])
    assert result.returncode == 3, result.stderr
    (event,) = rollbacks(run)
    assert weights(run, event["step"]) == weights(run, 1)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == sorted(["step-1", f"step-{event['step']}"])
    assert azr(["run", "--resume", "--out", str(run)]).returncode == 2, "a person has to look at it first"
    assert azr(["review", str(run), "--approve", "all"]).returncode == 0
    assert azr(["run", "--resume", "--out", str(run), "--steps", str(event["step"] + 1)]).returncode in (0, 3)
    assert lines(run / "metrics.jsonl")[-1]["step"] == event["step"] + 1


def test_a_panel_in_the_settings_judges(azr: Command, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        """
        [judge]
        domains = ["python"]
        kind = "panel"
        trust = {min_audits = 8, threshold = 0.0, level = 0.6}
        [judge.panel]
        caution = 0.1
        [judge.panel.members.strict]
        noisy = {false_accept = 0.02, false_reject = 0.1}
        [judge.panel.members.lenient]
        noisy = {false_accept = 0.2, false_reject = 0.02}
        [judge.panel.members.crowd]
        kind = "majority"
        [judge.panel.members.echo]
        kind = "majority"
        """
    )
    whole = tmp_path / "whole"
    found = play(azr, whole, "--config", str(config), "--set", "play.proposals=16", steps=3)
    assert found[-1]["weight_version"] > 0
    assert any("judges_alike" in line["alarms"] for line in found), "crowd and echo are one opinion"
    said = [event["data"]["message"] for event in lines(whole / "events.jsonl") if event["name"] == "alarm"]
    assert any("is not heard in the panel" in text and "crowd" in text and "echo" in text for text in said)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["judge.panel.members.a.kind=majority"], "at least two members"),
        (["judge.panel.members.a.kind=majority", "judge.panel.members.b.kind=llm"], "judge.panel.members.b.llm.model"),
        (["judge.panel.members.a.kind=panel"], "judge.panel.members.a.kind"),
    ],
)
def test_a_panel_that_cannot_sit_is_refused(settings: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_config(assignments=["judge.domains=['python']", "judge.kind=panel", *settings])


def test_a_panel_is_the_same_in_the_settings_that_a_run_keeps(tmp_path: Path) -> None:
    settings = [
        "judge.kind=panel",
        "judge.panel.members.a.noisy.false_accept=0.3",
        "judge.panel.members.b.kind=majority",
    ]
    config = load_config(assignments=settings)
    kept = tmp_path / "config.toml"
    kept.write_text(to_toml(config))
    assert load_config(kept) == config
