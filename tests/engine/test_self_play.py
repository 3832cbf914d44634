"""Whole runs with the embedded model, in processes of their own: contract, determinism, kill -9 and resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.store import TaskStore
from tests.conftest import Command

SETTINGS = ["--domains", "python,math", "--seed", "1", "--set", "play.proposals=16", "--set", "play.attempts=4"]
SETTINGS += ["--set", "play.replay=8", "--set", "novelty.retest_after=1", "--set", "store.seeds=4", "--threads", "1"]
N_STEPS = 5


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def timeless(folder: Path) -> list[dict[str, Any]]:
    """The metrics without times and memory."""
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "phase_seconds", "memory_mb")} for line in lines(folder)
    ]


@pytest.fixture(scope="module")
def undisturbed(azr: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    result = azr(["run", *SETTINGS, "--steps", str(N_STEPS), "--out", str(out)])
    assert result.returncode == 0, result.stderr
    assert f"step {N_STEPS}/{N_STEPS}" in result.stdout
    assert str(out.name) in result.stdout
    return out


def test_every_contract_field_is_there_in_every_line(undisturbed: Path) -> None:
    found = lines(undisturbed)
    assert [line["step"] for line in found] == list(range(1, N_STEPS + 1))
    for line in found:
        assert set(line) >= {
            "step", "seconds", "phase_seconds", "tokens", "memory_mb", "domains", "policy", "faults", "alarms",
            "weight_version",
        }  # fmt: skip
        assert set(line["phase_seconds"]) == {"propose", "admit", "solve", "judge", "update", "checkpoint"}
        assert set(line["tokens"]) == {"generated", "trained"}
        assert set(line["policy"]) >= {"loss", "kl_base", "entropy", "grad_norm", "clip_fraction"}
        for name in ("python", "math"):
            assert set(line["domains"][name]) >= {
                "proposed", "well_formed", "admitted", "duplicate", "unique_skeletons", "solve_rate", "learnability",
                "zero_variance", "effective", "share",
            }  # fmt: skip
            assert line["domains"][name]["admitted"] > 0
        assert sum(d["share"] for d in line["domains"].values()) == pytest.approx(1.0)
        assert line["faults"] == 0
    assert found[-1]["weight_version"] == N_STEPS


def test_the_store_agrees_with_the_metrics(undisturbed: Path) -> None:
    with TaskStore(undisturbed / "tasks.sqlite", read_only=True) as store:
        assert store.integrity_check() == []
        born = [task for task in store.tasks(limit=10_000) if task.born_step > 0]
        figures = [domain for line in lines(undisturbed) for domain in line["domains"].values()]
        new = sum(d["admitted"] + d["anchored"] for d in figures)
        assert len(born) == new
        assert all(len(store.attempts(task.id)) >= 4 for task in born)
        replayed = sum(d["replayed"] for d in figures)
        assert sum(len(store.attempts(task.id)) for task in store.tasks()) == 4 * (new + replayed)
        assert any(task.parents for task in born)


def test_the_same_seed_gives_the_same_metrics(azr: Command, undisturbed: Path, tmp_path: Path) -> None:
    assert azr(["run", *SETTINGS, "--steps", str(N_STEPS), "--out", str(tmp_path / "again")]).returncode == 0
    assert timeless(tmp_path / "again") == timeless(undisturbed)


def test_killed_and_resumed_gives_the_same_metrics(azr: Command, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-c", "from azr_engine.cli import main; main()", "run", *SETTINGS]
    process = subprocess.Popen(
        [*command, "--steps", str(N_STEPS), "--out", str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 2/"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(lines(out)) < N_STEPS
    result = azr(["run", "--resume", "--out", str(out)])
    assert result.returncode == 0, result.stderr
    assert timeless(out) == timeless(undisturbed)
    assert not [path for path in out.rglob("*") if path.name.startswith(".tmp")]
    with TaskStore(out / "tasks.sqlite", read_only=True) as store:
        assert store.integrity_check() == []


def test_resuming_as_another_run_is_refused(azr: Command, undisturbed: Path) -> None:
    result = azr(["run", "--resume", "--out", str(undisturbed), "--seed", "2"])
    assert result.returncode == 2
    assert "'seed'" in result.stderr


def test_a_finished_run_can_be_continued_and_evaluated(azr: Command, undisturbed: Path) -> None:
    assert azr(["run", "--resume", "--out", str(undisturbed), "--steps", str(N_STEPS + 1)]).returncode == 0
    assert len(lines(undisturbed)) == N_STEPS + 1
    result = azr(["eval", str(undisturbed), "--base", "azr-tiny", "--per-kind", "3", "--k", "1,2", "--json"])
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["suite"] == "heldout"
    for side in (report, report["base"]):
        assert set(side["by_kind"]) == {
            f"{domain}/{kind}"
            for domain in ("python", "math")
            for kind in ("deduction", "abduction", "induction", "error")
        }
        for values in side["by_kind"].values():
            assert values["n"] == 3
            assert 0 <= values["ci95"][0] <= values["accuracy"] <= values["ci95"][1] <= 1
            assert values["pass_at_k"]["2"]["value"] >= values["pass_at_k"]["1"]["value"]


def test_a_plugin_domain_plays_beside_the_built_in_ones(azr: Command, tmp_path: Path) -> None:
    plugin = tmp_path / "toy.py"
    plugin.write_text(
        "from azr_engine.plugins import hookimpl\nfrom tests.toys import ToyDomain, ToyVerifier\n"
        "@hookimpl\ndef azr_domains(config):\n    return [ToyDomain()]\n"
        "@hookimpl\ndef azr_verifiers(config):\n    return [ToyVerifier()]\n"
    )
    out = tmp_path / "run"
    result = azr(
        ["run", *SETTINGS[2:], "--domains", "python,toy", "--plugin", str(plugin), "--steps", "1", "--out", str(out)]
    )
    assert result.returncode == 0, result.stderr
    assert set(lines(out)[0]["domains"]) == {"python", "toy"}
