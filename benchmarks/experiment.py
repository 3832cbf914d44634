"""One arm of an experiment: a run in a process of its own, resumed where it was cut off, and its result file."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import azr_engine
from azr_engine.engine.rundir import RunDirectory
from azr_engine.evaluation.curve import read_curve
from azr_engine.oversight.review import ReviewQueue

WINDOW = 10
"""Steps averaged into one entry of a result's `windows`."""
NEVER_STOP = 1_000_000
PAUSED = 3
"""Exit status of a run that an alarm paused."""


def play(arm: str, options: Sequence[str], seed: int, settings: Mapping[str, Any], out: Path, work: Path) -> None:
    """One run and its result file, unless the file is there already. A run that an alarm paused has ended, too.

    A run of the same settings that was cut off in `work` goes on from its last checkpoint, for the time it still has.
    """
    file = out / f"{arm}-{seed}.json"
    if file.exists() and json.loads(file.read_text(encoding="utf-8"))["settings"] == settings:
        print(f"{file} is there already", flush=True)
        return
    folder, begun = work / f"{arm}-{seed}", work / f"{arm}-{seed}.settings.json"
    same = {**settings, "options": list(options), "code": code_version()}
    if not begun.exists() or json.loads(begun.read_text(encoding="utf-8")) != same:
        shutil.rmtree(folder, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        _write(begun, same)
    threads = str(settings.get("threads", 1))
    command = [
        *("--domains", settings["domains"], "--model", settings["model"], "--seed", str(seed), "--threads", threads),
        *("--eval-every", str(settings["every"]), "--eval-suite", settings["suite"], "--out", str(folder)),
        *(part for one in settings["set"] for part in ("--set", one)),
        *_until(folder, settings["minutes"]),
        *options,
    ]
    print(f"playing: azr-engine run {' '.join(command)}", flush=True)
    ended = subprocess.run(
        [sys.executable, *_launch(settings.get("processes", 1)), "run", *command],
        check=False,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": threads},
    )
    # torch's launcher has an exit status of its own; then the run's review queue says whether an alarm paused it.
    paused = ended.returncode == PAUSED or bool(ReviewQueue(folder).holding())
    if ended.returncode != 0 and not paused:
        sys.exit(f"the run {folder} ended with {ended.returncode}; the same command goes on with it")
    lines = RunDirectory.open(folder).read_metrics()
    result = {
        "arm": arm,
        "seed": seed,
        "settings": settings,
        "code": same["code"],
        "machine": machine(),
        "windows": [_window(lines[n : n + WINDOW]) for n in range(0, len(lines), WINDOW)],
        "evals": read_curve(folder),
        "paused": paused,
    }
    _write(file, result)


def _launch(n_processes: int) -> list[str]:
    """What Python is to run: the command line alone, or so many of them under torch's launcher."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(n_processes)]
    return [*(launcher if n_processes > 1 else []), "-m", "azr_engine"]


def code_version() -> str:
    """A hash of the package's source: results of two of them are not results of one experiment."""
    root = Path(azr_engine.__file__).parent
    digest = sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def machine() -> str:
    """What the run was played on: at equal time, results of two machines differ by how fast those are."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    name = model[1] if model else platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}"


def _until(folder: Path, minutes: float) -> list[str]:
    """The options that end a run after so many minutes of play in all, those before it was cut off counted."""
    if not (folder / "config.resolved.toml").exists():
        # One that was cut off before its first line was written has nothing to go on with.
        shutil.rmtree(folder, ignore_errors=True)
        return ["--minutes", str(minutes), "--steps", str(NEVER_STOP)]
    with RunDirectory.resume(folder) as run:
        step = run.recover()
        left = minutes - sum(line["seconds"] for line in run.read_metrics()) / 60
    # With no time left, what may be missing is the last evaluation.
    end = ("--minutes", f"{left:.4f}", "--steps", str(NEVER_STOP)) if left > 0 else ("--steps", str(step))
    return ["--resume", *end]


def _window(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums over some steps, by domain, and the policy's means."""
    domains: dict[str, Any] = {}
    for name in lines[0]["domains"]:
        rows = [line["domains"][name] for line in lines]
        keys = ("proposed", "admitted", "unique_skeletons", "effective")
        domains[name] = {
            **{key: sum(row[key] for row in rows) for key in keys},
            "solve_rates": {key: sum(row["solve_rates"][key] for row in rows) for key in rows[0]["solve_rates"]},
            "share": sum(row["share"] for row in rows) / len(rows),
            "solve_rate": _mean([row["solve_rate"] for row in rows if row["solve_rate"] is not None]),
        }
    policy = {key: sum(line["policy"][key] for line in lines) / len(lines) for key in ("entropy", "kl_base")}
    return {
        "step": lines[-1]["step"],
        "domains": domains,
        **policy,
        "alarms": [a for line in lines for a in line["alarms"]],
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """The whole file or none of it."""
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.rename(file)
