"""Kill a run again and again (SIGKILL) at random moments, resuming it each time; a script for tests and for people.

    python -m tests.faults.campaign FOLDER [--kills 50] [--steps 40] [--seed 1]

Plays the same run undisturbed in FOLDER/whole and disturbed in FOLDER/killed. One life in three dies at some moment of
its start, the others within about a step after they have finished one, however long that takes. Everything is imported
once and every life is a fork, so that many deaths cost little. Prints one line of JSON: the kills, how far each life
came, and the exit status of the last.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.faults.lives import SETTINGS, end_of, import_everything, live, lives


def cpu_seconds(child: int) -> float:
    """CPU time that a process has used, of user and system together; moments are counted in it, whatever the load."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def steps(out: Path) -> int:
    """Whole lines in the metrics."""
    file = out / "metrics.jsonl"
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def die_after(child: int, out: Path, n_steps: int, seconds: float) -> int | None:
    """Kill the child once `out` has so many steps and it has used so much more CPU time.

    Returns:
        Its exit status if it ended by itself sooner, else None.
    """
    began = None
    while lives(child):
        if began is None and steps(out) >= n_steps:
            began = cpu_seconds(child)
        if began is not None and cpu_seconds(child) - began >= seconds:
            os.kill(child, signal.SIGKILL)
            end_of(child)
            return None
        time.sleep(0.005)
    return end_of(child)


def undisturbed(arguments: list[str], out: Path, log: Path) -> tuple[float, float, int]:
    """CPU seconds that a life takes to its first step and to its end, and the exit status."""
    first = last = 0.0
    child = live(arguments, log)
    while lives(child):
        last = cpu_seconds(child)
        first = first or last * (steps(out) > 0)
        time.sleep(0.005)
    return first, last, end_of(child)


def main() -> None:
    """Play both runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import_everything()
    rng, log = random.Random(options.seed), options.folder / "log.txt"
    options.folder.mkdir(parents=True, exist_ok=True)
    begin = ["run", *SETTINGS.split(), "--steps", str(options.steps)]
    first, last, code = undisturbed([*begin, "--out", str(options.folder / "whole")], options.folder / "whole", log)
    if code:
        sys.exit(f"the undisturbed run ended with {code}; see {log}")
    out = options.folder / "killed"
    reached: list[int] = []
    status: int | None = None
    while status is None:
        resumable = (out / "config.resolved.toml").is_file()
        life = live(["run", "--resume", "--out", str(out)] if resumable else [*begin, "--out", str(out)], log)
        a_step = (last - first) / options.steps
        at_start, later = (0, rng.uniform(0.0, first)), (steps(out) + 1, rng.uniform(0.0, a_step))
        n_steps, seconds = rng.choice((at_start, later, later))
        status = die_after(life, out, n_steps, seconds if len(reached) < options.kills else math.inf)
        reached.append(steps(out))
    print(json.dumps({"kills": len(reached) - 1, "reached": reached, "status": status}))


if __name__ == "__main__":
    main()
