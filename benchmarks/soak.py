"""Does a long run leak: memory, file descriptors, processes and step time over its steps.

    python benchmarks/soak.py [--minutes 60] [--every 5] [--out runs/soak] [-- OPTION ...]
    python benchmarks/soak.py --pid PID --run runs/soak      (watch a run that was started by hand)

Plays a run in a process of its own, with the options of `azr-engine run` that stand behind `--`, and looks at it and
all its descendants in /proc every few seconds. The main process's memory rises and falls by hundreds of MiB within each
step; the least since the last look counts, what was not given back at the end of a step. Looks before which no step
ended (during an evaluation) are left out. After the first fifth of the steps each figure is fitted by a straight line;
the slope is printed per 1,000 steps with a 95% interval from a bootstrap over blocks of samples, since neighbours in
time are alike.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
WARM_UP = 0.2
N_BLOCKS, N_BOOTSTRAPS = 20, 2000
POLL_SECONDS = 0.05
OWN_MEMORY = "memory, main process (MiB)"


def family(root: int) -> list[int]:
    """The process and its descendants, as far as they still live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += children.get(process, [])
    return found


def resident(process: int) -> float:
    """Resident memory (MiB). Raises OSError when the process is gone."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB


def least(root: int, seconds: float) -> float:
    """The least resident memory of a process during so many seconds (MiB); infinite when it is gone."""
    until, found = time.monotonic() + seconds, math.inf
    while time.monotonic() < until:
        try:
            found = min(found, resident(root))
        except OSError:
            break
        time.sleep(POLL_SECONDS)
    return found


def look(root: int, run: Path) -> dict[str, float] | None:
    """Steps made, resident memory of the main process and of the others (MiB), descriptors, processes."""
    processes = family(root)
    try:
        own = resident(root)
        descriptors = len(list(Path(f"/proc/{root}/fd").iterdir()))
        steps = (run / "metrics.jsonl").read_bytes().count(b"\n")
    except OSError:
        return None
    others = 0.0
    for process in processes[1:]:
        try:
            others += resident(process)
        except OSError:
            continue
    return {
        "steps": steps,
        OWN_MEMORY: own,
        "memory, workers (MiB)": others,
        "file descriptors": descriptors,
        "processes": len(processes),
    }


def slope(steps: Floats, values: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """Per 1,000 steps: the least-squares slope, and its 95% block-bootstrap interval."""

    def fit(index: npt.NDArray[np.int64]) -> float:
        x, y = steps[index], values[index]
        spread = x - x.mean()
        return float(1000 * (spread * y).sum() / max(1e-9, (spread**2).sum()))

    blocks = [block for block in np.array_split(np.arange(len(steps)), N_BLOCKS) if len(block)]
    drawn = [
        fit(np.concatenate([blocks[i] for i in rng.integers(0, len(blocks), len(blocks))])) for _ in range(N_BOOTSTRAPS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return fit(np.arange(len(steps))), float(low), float(high)


def table(samples: list[dict[str, float]], lines: list[dict[str, float]]) -> str:
    """What grew, per 1,000 steps."""
    rng = np.random.default_rng(1)
    last = samples[-1]["steps"]
    kept = [s for before, s in pairwise(samples) if s["steps"] > max(before["steps"], WARM_UP * last)]
    steps = np.array([s["steps"] for s in kept], dtype=np.float64)
    series = {name: np.array([s[name] for s in kept]) for name in kept[0] if name != "steps"}
    rows = ["| figure | at the start | at the end | slope per 1,000 steps | 95% interval |", "|---|---|---|---|---|"]
    timed = [line for line in lines if line["step"] >= WARM_UP * last]
    everything = {name: (steps, values) for name, values in series.items()}
    everything["seconds per step"] = (
        np.array([line["step"] for line in timed], dtype=np.float64),
        np.array([line["seconds"] for line in timed], dtype=np.float64),
    )
    for name, (x, y) in everything.items():
        value, low, high = slope(x, y, rng)
        tenth = max(1, len(y) // 10)
        ends = f"{np.median(y[:tenth]):.2f} | {np.median(y[-tenth:]):.2f}"
        rows.append(f"| {name} | {ends} | {value:+.2f} | {low:+.2f} to {high:+.2f} |")
    return f"{last:.0f} steps, the first {100 * WARM_UP:.0f}% left out, {len(kept)} samples\n\n" + "\n".join(rows)


def main() -> None:
    """Play or watch, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between looks")
    parser.add_argument("--out", type=Path, default=Path("runs/soak"))
    parser.add_argument("--pid", type=int, help="watch this run instead of starting one")
    parser.add_argument("--run", type=Path, help="its directory")
    parser.add_argument("options", nargs="*", help="further options of the run, after --")
    arguments = parser.parse_args()
    run: Path = arguments.run or arguments.out
    process = None
    if arguments.pid is None:
        command = [sys.executable, "-c", "from azr_engine.cli import main; main()", "run", "--domains", "python,math"]
        command += ["--steps", "1000000", "--minutes", str(arguments.minutes), "--out", str(run)]
        command += arguments.options
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    root = arguments.pid or (process.pid if process else 0)
    samples: list[dict[str, float]] = []
    while Path(f"/proc/{root}").exists() and (process is None or process.poll() is None):
        lowest = least(root, arguments.every)
        if (seen := look(root, run)) is not None:
            samples.append(seen | {OWN_MEMORY: min(lowest, seen[OWN_MEMORY])})
    if not samples:
        sys.exit("the run ended before it made a step")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    print(table(samples, lines))


if __name__ == "__main__":
    main()
