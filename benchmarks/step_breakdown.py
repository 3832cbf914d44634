"""What a step's time goes into: generation, judging, update, and everything else.

    python benchmarks/step_breakdown.py [--steps 10] [--model azr-tiny] [--json]

Plays a short run in a temporary folder and sums the phases of its metrics, the first step left out (workers start
there). Generation is the phases propose and solve; judging is admit and judge; everything else is what no phase
covers, and the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def breakdown(steps: int, model: str) -> dict[str, float]:
    """Shares of the step's wall time, and the mean seconds of a step."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-c", "from azr_engine.cli import main; main()", "run", "--domains", "python,math"]
        subprocess.run(
            [*command, "--steps", str(steps + 1), "--model", model, "--out", str(out)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()][1:]
    total = sum(line["seconds"] for line in lines)
    phases = {name: sum(line["phase_seconds"][name] for line in lines) / total for name in lines[0]["phase_seconds"]}
    covered = {
        "generation": phases["propose"] + phases["solve"],
        "judging": phases["admit"] + phases["judge"],
        "update": phases["update"],
    }
    return {**covered, "everything else": 1.0 - sum(covered.values()), "seconds per step": total / len(lines)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--model", default="azr-tiny")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = breakdown(arguments.steps, arguments.model)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:20} {value:.2f} s" if name == "seconds per step" else f"{name:20} {100 * value:5.1f}%")


if __name__ == "__main__":
    main()
