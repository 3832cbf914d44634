"""Runs with a control in the place of a part: where tasks come from, what is paid, whether the gate is shut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.sources import check_proposer
from azr_engine.engine.store import TaskStore
from azr_engine.evaluation.evaluate import load_suite
from tests.conftest import Command

SETTINGS = ["run", "--domains", "python", "--seed", "3", "--threads", "1", "--set", "play.proposals=8"]
SETTINGS += ["--set", "play.attempts=4", "--set", "play.replay=4", "--set", "store.seeds=4"]


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def timeless(folder: Path) -> list[dict[str, Any]]:
    hidden = ("seconds", "phase_seconds", "memory_mb")
    return [{k: v for k, v in line.items() if k not in hidden} for line in lines(folder / "metrics.jsonl")]


def play(azr: Command, out: Path, *options: str, steps: int = 2) -> list[dict[str, Any]]:
    result = azr([*SETTINGS, "--steps", str(steps), "--out", str(out), *options])
    assert result.returncode == 0, result.stderr
    return lines(out / "metrics.jsonl")


@pytest.fixture(scope="module")
def grammar(azr: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("controls") / "grammar"
    play(azr, out, "--proposer", "grammar")
    return out


def test_a_grammar_run_proposes_nothing_and_learns_all_the_same(grammar: Path) -> None:
    found = lines(grammar / "metrics.jsonl")
    for line in found:
        python = line["domains"]["python"]
        assert python["proposed"] == 0 and python["proposal_entropy"] is None
        assert python["admitted"] > 0
    assert found[-1]["weight_version"] > 0
    assert found[-1]["domains"]["python"]["replayed"] > 0


def test_a_frozen_proposer_writes_the_same_whatever_the_solver_learns(azr: Command, tmp_path: Path) -> None:
    texts = []
    for rate in ("1e-6", "1e-2"):
        out, learning = tmp_path / rate, f"trainer.learning_rate={rate}"
        options = ["--proposer", "frozen", "--no-gate", "--set", learning, "--set", "play.references=0"]
        found = play(azr, out, *options, "--set", "novelty.quota=1")
        with TaskStore(out / "tasks.sqlite", read_only=True) as store:
            texts.append([proposal.text for step in (1, 2) for proposal in store.proposals(step)])
        reasons = {reason for line in found for reason in line["domains"]["python"]["rejections"]}
        assert not reasons & {"near_duplicate", "imbalanced", "trivial"}, "the gate is open"
    assert texts[0] == texts[1]


def test_one_example_is_tried_again_and_again_and_resumes(azr: Command, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    options = ["--proposer", "one-example", "--set", "watch.starvation_steps=1", "--set", "watch.starvation_floor=99"]
    play(azr, whole, *options, steps=2)
    play(azr, cut, *options, steps=1)
    assert azr(["run", "--resume", "--out", str(cut), "--steps", "2"]).returncode == 0
    assert timeless(cut) == timeless(whole)
    assert [line["alarms"] for line in timeless(cut)] == [["starvation"], []], "an alarm is raised once"
    assert "domain python had" in (cut / "events.jsonl").read_text()
    with TaskStore(whole / "tasks.sqlite", read_only=True) as store:
        assert all(task.born_step == 0 for task in store.tasks())
        tried = [task for task in store.tasks() if len(store.attempts(task.id)) >= 2 * 4]
        assert len(tried) == 4, "one task of each kind"


def test_a_fixed_set_is_drawn_from_its_file_and_reserved_tasks_never_are(
    azr: Command, grammar: Path, tmp_path: Path
) -> None:
    with TaskStore(grammar / "tasks.sqlite", read_only=True) as store:
        tasks = [task for task in store.tasks("python", "deduction") if task.born_step == 1]
    heldout = load_suite("heldout", ["python"], 1)
    file = tmp_path / "tasks.jsonl"
    file.write_text("".join(json.dumps(task.to_json()) + "\n" for task in [*tasks, *heldout]))
    fixed = tmp_path / "fixed"
    play(azr, fixed, "--proposer", f"fixed:{file}")
    with TaskStore(fixed / "tasks.sqlite", read_only=True) as store:
        tried = {task.id for task in store.tasks() if store.attempts(task.id)}
    assert tried and tried <= {task.id for task in tasks}


def test_evaluations_are_written_and_change_nothing(azr: Command, grammar: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    settings = ["--eval-every", "1", "--eval-suite", "dev", "--set", "evaluation.per_kind=3"]
    play(azr, watched, "--proposer", "grammar", *settings, "--set", "evaluation.attempts=2")
    assert timeless(watched) == timeless(grammar)
    found = lines(watched / "evals.jsonl")
    assert [line["step"] for line in found] == [0, 1, 2]
    assert found[0]["tokens"] == 0 < found[1]["tokens"] < found[2]["tokens"]
    assert all(len(tries) == 3 and {n for _, n in tries} == {2} for tries in found[0]["passes"].values())
    assert not (grammar / "evals.jsonl").exists()
    compared = azr(["compare", str(watched), "--k", "1,2", "--json"])
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["arms"]["watched"]["step"] == 2


@pytest.mark.parametrize("name", ["nobody", "fixed", "fixed:", "fixed:/no/such/file", "self:x"])
def test_an_unknown_proposer_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        check_proposer(name)


def test_a_file_that_holds_no_tasks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text('{"id": "x"}\n')
    with pytest.raises(UserError, match="one task a line"):
        check_proposer(f"fixed:{file}")


def test_trivial_programs_are_marked_by_the_verifier_and_kept_out(azr: Command) -> None:
    programs = {"def f(x):\n return 3": "constant", "def f(x):\n return x": "identity", "def f(x):\n return x+1": ""}
    asked = [json.dumps({"kind": "deduction", "draft": {"program": text, "input": "5"}}) for text in programs]
    result = azr(["admit", "--domain", "python"], stdin="\n".join(asked) + "\n")
    marks = [json.loads(line)["task"]["signature"].rpartition(":")[0] for line in result.stdout.splitlines()]
    assert marks == list(programs.values())


OVERFLOWING = """
from azr_engine.engine.rewards import RewardRule
from azr_engine.plugins import hookimpl


@hookimpl
def azr_rewards():
    return [RewardRule("overflowing", lambda score: 1e300 * score, lambda total, n: 0.0, 0.0, 0.0, 0.0)]
"""


def test_a_run_whose_gradient_overflows_keeps_its_weights_and_stops(azr: Command, tmp_path: Path) -> None:
    plugin = tmp_path / "overflowing.py"
    plugin.write_text(OVERFLOWING)
    options = ["--plugin", str(plugin), "--reward", "overflowing", "--set", "play.advantage=dr-grpo"]
    result = azr([*SETTINGS, "--steps", "9", "--out", str(tmp_path / "run"), *options])
    assert result.returncode == 3, result.stderr
    assert "paused: alarm diverged" in result.stderr
    found = lines(tmp_path / "run" / "metrics.jsonl")
    assert [line["alarms"] for line in found] == [["update_skipped"], ["update_skipped"], ["diverged"]]
    assert {line["weight_version"] for line in found} == {0}
