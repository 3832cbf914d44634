"""How long the package takes to import and `--help` to appear, and their memory, beside an empty Python program."""

from __future__ import annotations

import statistics
import subprocess
import sys

from azr_engine.benchmarks.figures import Figure

ROUNDS = 5
FLOOR = "empty program"
PROGRAMS = {
    FLOOR: "",
    "import azr_engine": "import azr_engine",
    "azr-engine --help": "import sys; sys.argv = ['azr-engine', '--help']; from azr_engine.cli import main; main()",
}
_AT_THE_END = """
import atexit, os, sys, time
def end():
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(time.process_time(), peak, file=sys.stderr)
atexit.register(end)
"""


def measure() -> list[Figure]:
    """CPU time and peak resident memory, medians over rounds in which the programs take turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            command = [sys.executable, "-c", _AT_THE_END + program]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()
            found[name].append((1000 * float(said[-2]), float(said[-1]) / 1024))
    floor = statistics.median(taken for taken, _ in found[FLOOR])
    figures = []
    for name, rounds in found.items():
        taken = statistics.median(taken for taken, _ in rounds)
        beside = {} if name == FLOOR else {"beside": FLOOR, "ratio": floor / taken}
        figures.append(Figure(name, taken, "CPU ms", **beside))  # type: ignore[arg-type]
        figures.append(Figure(f"{name}, memory", statistics.median(peak for _, peak in rounds), "MiB"))
    return figures
