"""A run in two real processes: it plays, survives the death of one of them, resumes, and exports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azr_engine.cli.export import write
from azr_engine.engine.store import TaskStore
from tests.conftest import PATIENCE_SECONDS

pytest.importorskip("deepspeed")

SETTINGS = ["--domains", "python", "--seed", "1", "--set", "play.proposals=4", "--set", "play.attempts=4"]
SETTINGS += ["--set", "store.seeds=2", "--set", "trainer.zero_stage=3", "--threads", "1"]
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "azr_engine"]


def launch(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LAUNCHER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )


def process_of_rank(launcher: int, rank: int) -> int:
    """The launched process whose environment says it is this rank."""
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == launcher and f"RANK={rank}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except (OSError, ValueError, IndexError):
            continue
    raise LookupError(f"no process of rank {rank}")


def steps(out: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_one_of_two_killed_stops_the_run_with_one_line_and_it_resumes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = launch(["run", *SETTINGS, "--steps", "50", "--out", str(out)])
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 1/"):
            break
    os.kill(process_of_rank(process.pid, 1), signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    ours = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(ours) == 1, errors
    assert "another process of this run died" in ours[0]
    assert "--resume" in ours[0]

    done = steps(out)
    again = launch(["run", "--resume", "--out", str(out), "--steps", str(len(done) + 1)])
    _, errors = again.communicate(timeout=PATIENCE_SECONDS)
    assert again.returncode == 0, errors
    assert steps(out) == list(range(1, len(done) + 2))
    with TaskStore(out / "tasks.sqlite", read_only=True) as store:
        assert store.integrity_check() == []

    assert write(str(out), tmp_path / "model")["step"] == len(done) + 1
