"""TensorBoard's curves are the metrics, also after a resume; what is not installed is said in one line."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azr_engine.engine.errors import MissingDependency
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.types import Event
from azr_engine.plugins.manager import Plugins
from azr_engine.report import tensorboard, wandb
from azr_engine.report.curves import numbers
from azr_engine.report.record import last_metrics
from tests.report.synthetic import synthetic_run


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    tensorboard.close()


def play(run: Path, steps: range, metrics: list[dict[str, object]]) -> None:
    """What a run tells its observers."""
    plugins = Plugins()
    plugins.observe(Event("run", steps.start - 1, {"folder": str(run)}))
    for step in steps:
        (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics[:step]))
        plugins.observe(Event("step", step))
    plugins.observe(Event("run_end", steps.stop - 1))


def test_tensorboard_shows_every_number_of_the_metrics_once_also_after_a_resume(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = synthetic_run(tmp_path / "run", 6, 2, 2)
    metrics = RunDirectory.open(run).read_metrics()
    play(run, range(1, 5), metrics)
    changed = [{**line, "faults": 7} if line["step"] > 2 else line for line in metrics]
    play(run, range(3, 7), changed)
    seen = EventAccumulator(str(run / "tensorboard"))
    seen.Reload()
    assert [(e.step, e.value) for e in seen.Scalars("faults")] == [(1, 0), (2, 0), (3, 7), (4, 7), (5, 7), (6, 7)]
    wanted = {path for line in changed for path, _ in numbers(line)}
    assert wanted == set(seen.Tags()["scalars"])
    rates = [line["domains"]["python"]["solve_rate"] for line in metrics]
    shown = [event.value for event in seen.Scalars("domains/python/solve_rate")]
    assert shown == pytest.approx(rates)


def test_a_missing_tensorboard_is_no_error_and_not_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    run = synthetic_run(tmp_path / "run", 2, 2, 2)
    told: list[BaseException] = []
    plugins = Plugins(log=lambda name, error: told.append(error))
    for event in (Event("run", 0, {"folder": str(run)}), Event("step", 1), Event("run_end", 1)):
        plugins.observe(event)
    assert told == []
    assert capsys.readouterr() == ("", "")
    assert not list((run / "tensorboard").glob("*"))


def test_a_missing_wandb_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(wandb, "find_spec", lambda name: None if name == "wandb" else real(name))
    with pytest.raises(MissingDependency, match=re.escape("--wandb needs the package wandb; pip install 'azr-engine")):
        wandb.require()


def test_wandb_gets_every_number_of_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="needs the extra wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = synthetic_run(tmp_path / "run", 2, 2, 2)
    wandb.azr_observe(Event("run", 0, {"folder": str(run)}))
    wandb.azr_observe(Event("step", 2))
    session = wandb._open["session"]
    summary = dict(session.summary)
    assert summary["domains/python/admitted"] == 2
    assert session.config["domains"] == ["python"]
    wandb.azr_observe(Event("run_end", 2))
    assert list((run / "wandb").glob("offline-run-*/*.wandb"))


def test_the_last_line_is_read_whole_while_the_next_is_written(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "run", 3, 2, 2)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "sec')
    assert last_metrics(RunDirectory.open(run))["step"] == 3
    shutil.copy(run / "config.resolved.toml", tmp_path)
    assert last_metrics(RunDirectory.open(tmp_path)) == {}
