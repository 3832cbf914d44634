"""What a step's time goes into, from a short run's own metrics; the first step, in which workers start, is left out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from azr_engine.benchmarks.figures import Figure

STEPS = 5
LARGEST_REST = 0.05
"""Share of a step that everything but generation, judging and the update may take."""


def measure() -> list[Figure]:
    """Of the embedded model, with the settings that a run has by itself."""
    return breakdown(STEPS, "azr-tiny")


def breakdown(steps: int, model: str) -> list[Figure]:
    """Shares of the wall time, the mean step, and the peak of resident memory."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "azr_engine", "run", "--domains", "python,math", "--steps", str(steps + 1)]
        subprocess.run([*command, "--model", model, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()][1:]
    total = sum(line["seconds"] for line in lines)
    phases = {name: sum(line["phase_seconds"][name] for line in lines) / total for name in lines[0]["phase_seconds"]}
    shares = {
        "generation": phases["propose"] + phases["solve"],
        "judging": phases["admit"] + phases["judge"],
        "update": phases["update"],
    }
    rest = 1.0 - sum(shares.values())
    return [
        *(Figure(name, 100 * share, "% of a step") for name, share in shares.items()),
        Figure(
            "everything else", 100 * rest, "% of a step", f"{LARGEST_REST:.0%}", LARGEST_REST / max(rest, 1e-9), 1.0
        ),
        Figure("a step", total / len(lines), "s"),
        Figure("memory of the main process", max(line["memory_mb"] for line in lines), "MiB"),
    ]
