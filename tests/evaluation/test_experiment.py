"""An arm of an experiment: killed in the middle, it goes on where it was and plays the time that was left."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "experiment.py"
SETTINGS: dict[str, Any] = {
    "minutes": 0.03,
    "suite": "dev",
    "every": 1000,
    "domains": "math",
    "model": "azr-tiny",
    "set": [
        *("play.proposals=4", "play.attempts=2", "play.anchors=2", "play.replay=0", "store.seeds=4"),
        *("evaluation.per_kind=2", "evaluation.attempts=2"),
    ],
}
KILLER = """
import os, pathlib, signal
from azr_engine.plugins import hookimpl

@hookimpl
def azr_observe(event):
    again = pathlib.Path(__file__).with_suffix(".once")
    if event.name == "step" and event.step == 1 and not again.exists():
        again.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def experiment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_experiment", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dead(experiment: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """A folder with a run that died at its first step, and the options with which to go on."""
    folder = tmp_path_factory.mktemp("dead")
    plugin = folder / "killer.py"
    plugin.write_text(KILLER)
    options = ("--plugin", str(plugin))
    with pytest.raises(SystemExit, match="the same command goes on with it"):
        experiment.play("small", options, 1, SETTINGS, folder, folder / "work")
    assert not (folder / "small-1.json").exists()
    return folder, options


@pytest.fixture
def cut_off(dead: tuple[Path, tuple[str, ...]], tmp_path: Path) -> tuple[str, ...]:
    """The same in `tmp_path`."""
    folder, options = dead
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return options


def played(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "work" / "small-1" / "metrics.jsonl").read_text().splitlines()]


def result(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "small-1.json").read_text())
    return found


def test_a_run_that_was_cut_off_plays_the_time_it_has_left(
    experiment: ModuleType, cut_off: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = played(tmp_path)
    experiment.play("small", cut_off, 1, SETTINGS, tmp_path, tmp_path / "work")
    assert "--resume" in capsys.readouterr().out
    lines = played(tmp_path)
    assert before and lines[0] == before[0], "the first step was not played again"
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    seconds = [line["seconds"] for line in lines]
    assert sum(seconds[:-1]) < 60 * SETTINGS["minutes"] <= sum(seconds) + 0.01, "all of the time, and no step more"
    assert [line["step"] for line in result(tmp_path)["evals"]] == [0, len(lines)]
    assert result(tmp_path)["windows"][-1]["step"] == len(lines) and result(tmp_path)["settings"] == SETTINGS

    (tmp_path / "small-1.json").unlink()
    (tmp_path / "work" / "small-1" / "evals.jsonl").unlink()
    experiment.play("small", cut_off, 1, SETTINGS, tmp_path, tmp_path / "work")
    assert played(tmp_path) == lines, "no time was left, only an evaluation to make"
    assert [line["step"] for line in result(tmp_path)["evals"]] == [len(lines)]


@pytest.mark.parametrize("changed", ["settings", "the code", "nothing, but it had not begun"])
def test_another_run_begins_anew(
    experiment: ModuleType,
    cut_off: tuple[str, ...],
    tmp_path: Path,
    changed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**SETTINGS, "minutes": 0.001} if changed == "settings" else SETTINGS
    if changed == "the code":
        monkeypatch.setattr(experiment, "code_version", lambda: "another")
    elif changed != "settings":
        shutil.rmtree(tmp_path / "work" / "small-1" / "checkpoints")
        (tmp_path / "work" / "small-1" / "config.resolved.toml").unlink()
    experiment.play("small", cut_off, 1, settings, tmp_path, tmp_path / "work")
    assert "--resume" not in capsys.readouterr().out
    assert played(tmp_path)[0]["step"] == 1 and result(tmp_path)["settings"] == settings


def test_an_alarm_ends_a_run_in_several_processes_as_in_one(experiment: ModuleType, tmp_path: Path) -> None:
    settings = {
        **SETTINGS,
        "minutes": 1,
        "processes": 2,
        "set": [*SETTINGS["set"], "watch.kl_budget=1e-9", 'oversight.pause_on=["kl_budget"]'],
    }
    experiment.play("small", (), 1, settings, tmp_path, tmp_path / "work")
    assert result(tmp_path)["paused"] and result(tmp_path)["windows"][-1]["alarms"] == ["kl_budget"]
    assert len(result(tmp_path)["windows"]) == 1, "it went on"
