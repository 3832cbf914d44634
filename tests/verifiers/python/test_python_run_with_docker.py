"""A whole run on the docker tier, its daemon killed under it: a pause or another tier, one clear line, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.policies.loading import EMBEDDED_FOLDER
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.store import TaskStore
from azr_engine.verifiers.python.containers import LABEL
from tests.conftest import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.skipif(not (EMBEDDED_FOLDER / "model.safetensors").is_file(), reason="no embedded model"),
]


def run(out: Path, *arguments: str) -> subprocess.Popen[str]:
    words = ["run", "--out", str(out), "--threads", "1", *arguments]
    return subprocess.Popen(
        [sys.executable, "-c", "from azr_engine.cli import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def stored(out: Path) -> set[str]:
    with TaskStore(RunDirectory.open(out).tasks_path, read_only=True) as store:
        return {
            task.id for kind in ("deduction", "abduction", "induction") for task in store.tasks("python", kind, 10_000)
        }


def steps(out: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def run_until_step_2_and_kill(out: Path, daemon: Any, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The run, ended, and what it wrote to stderr; the daemon died after its second step."""
    small = [f"--set={setting}" for setting in ("play.proposals=8", "play.attempts=2", "store.seeds=3")]
    process = run(out, "--domains", "python", "--sandbox", "docker", "--model", "azr-tiny", *small, *arguments)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 2/"):
            break
    daemon.kill()
    return process, process.communicate(timeout=PATIENCE_SECONDS)[1]


def test_a_killed_daemon_pauses_the_run_and_resume_goes_on(mortal_daemon: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first, stderr = run_until_step_2_and_kill(out, mortal_daemon, "--steps", "1000")
    assert first.returncode == 3, stderr
    paused = [line for line in stderr.splitlines() if line.startswith("paused: ")]
    assert len(paused) == 1
    assert "Traceback" not in stderr
    played, kept = steps(out), stored(out)
    assert played == list(range(1, len(played) + 1))
    assert len(played) >= 3
    assert kept

    without = run(out, "--resume", "--steps", str(len(played) + 2))
    _, stderr = without.communicate(timeout=PATIENCE_SECONDS)
    assert without.returncode == 2
    assert stderr.strip().splitlines()[-1].startswith("error: no sandbox works here (docker: no Docker daemon answers")
    assert (steps(out), stored(out)) == (played, kept)

    mortal_daemon.restart()
    second = run(out, "--resume", "--steps", str(len(played) + 2))
    _, stderr = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0, stderr
    assert steps(out) == [*played, len(played) + 1, len(played) + 2]
    assert kept <= stored(out)
    client = pytest.importorskip("docker").from_env()
    assert client.containers.list(all=True, filters={"label": LABEL}) == []


def test_a_killed_daemon_is_no_matter_with_a_fallback(mortal_daemon: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    fallback = "--set=sandbox.fallback=namespaces"
    process, stderr = run_until_step_2_and_kill(out, mortal_daemon, "--steps", "8", fallback)
    assert process.returncode == 0, stderr
    assert steps(out) == list(range(1, 9))
    lines = [line for line in stderr.splitlines() if line.startswith("sandbox: ")]
    assert len(lines) == 1
    assert lines[0].endswith("going on in namespaces")
    assert "Traceback" not in stderr
    faults = [json.loads(line)["faults"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert sum(faults) == 0
