"""A run that is killed at random moments ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from azr_engine.engine.store import TaskStore
from tests.engine.test_controls import timeless

N_KILLS = 10


def test_a_run_killed_at_random_moments_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.campaign", str(tmp_path), "--kills", str(N_KILLS), "--steps", "24"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    log = tmp_path / "log.txt"
    assert result.returncode == 0, result.stderr + (log.read_text()[-2000:] if log.exists() else "")
    report = json.loads(result.stdout)
    assert report["status"] == 0, log.read_text()[-2000:]
    assert report["kills"] > 0
    assert len(set(report["reached"])) > 2, "no life but the last came anywhere"
    assert timeless(tmp_path / "killed") == timeless(tmp_path / "whole")
    assert not [path for path in (tmp_path / "killed").rglob("*") if ".tmp" in path.name]
    with TaskStore(tmp_path / "killed" / "tasks.sqlite", read_only=True) as store:
        assert store.integrity_check() == []
