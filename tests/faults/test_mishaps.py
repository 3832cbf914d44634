"""A run that meets a full disk, a second run, Ctrl-C and a jumping clock says so in a line and loses nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.store import TaskStore
from tests.engine.test_controls import timeless
from tests.faults.mishaps import NOT_ALLOWED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.geteuid():
        pytest.skip("only root may mount the small file systems that fill up")
    folder = tmp_path_factory.mktemp("mishaps")
    command = [sys.executable, "-m", "tests.faults.mishaps", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if result.returncode == NOT_ALLOWED:
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr
    (folder / "ends.json").write_text(result.stdout)
    return folder


@pytest.fixture(scope="module")
def ends(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((folder / "ends.json").read_text())["ends"]
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("metrics.jsonl", r"cannot write \S+/metrics\.jsonl: No space left on device"),
        ("everything", r"cannot write \S+: No space left on device"),
        ("checkpoint", r"cannot write \S+/checkpoints/step-\d+: No space left on device"),
        ("store", r"cannot use \S+/tasks\.sqlite: database or disk is full"),
        ("second run", r"\S+ is in use by another run; wait for it to end or choose another --out"),
    ],
)
def test_it_ends_with_one_clear_line(ends: dict[str, dict[str, Any]], name: str, wanted: str) -> None:
    end = ends[name]
    assert end["status"] == 2, end["said"]
    *before, last = end["said"].splitlines()
    assert re.fullmatch(f"error: {wanted}", last)
    assert not any(line.startswith(("error:", "Traceback")) for line in before)


def test_ctrl_c_finishes_the_step_and_ends_well(ends: dict[str, dict[str, Any]]) -> None:
    once = ends["once"]
    assert once["status"] == 0, once["said"]
    assert "finishing this step" in once["said"] and "Traceback" not in once["said"]
    assert once["steps"] > ends["store"]["steps"]


def test_ctrl_c_twice_stops_at_once(ends: dict[str, dict[str, Any]]) -> None:
    twice = ends["twice"]
    assert twice["status"] not in (0, 2), twice["said"]
    assert "Traceback" not in twice["said"]


def test_the_clock_may_jump(ends: dict[str, dict[str, Any]]) -> None:
    assert ends["clock"]["status"] == 0, ends["clock"]["said"]


def test_the_run_is_in_the_end_what_it_would_have_been(folder: Path, ends: dict[str, dict[str, Any]]) -> None:
    assert ends["clock"]["steps"] > ends["begin"]["steps"]
    assert timeless(folder / "survivor") == timeless(folder / "whole")
    with TaskStore(folder / "survivor" / "tasks.sqlite", read_only=True) as store:
        assert store.integrity_check() == []
    assert not [path for path in (folder / "survivor").rglob("*") if ".tmp" in path.name]
