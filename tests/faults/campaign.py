"""Kill a run again and again (SIGKILL) at random moments, resuming it each time; a script for tests and for people.

    python -m tests.faults.campaign FOLDER [--kills 50] [--steps 40] [--seed 1]

Plays the same run undisturbed in FOLDER/whole and disturbed in FOLDER/killed. Everything is imported once and every
life is a fork, so that many deaths cost little. Prints one line of JSON: the kills, how far each life came, and the
exit status of the last.
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

from tests.faults.lives import SETTINGS, import_everything, live


def cpu_seconds(child: int) -> float:
    """CPU time that a process has used, of user and system together; moments are counted in it, whatever the load."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def die_after(child: int, seconds: float) -> int | None:
    """Kill the child after so much CPU time unless it ends by itself sooner; its exit status then, else None."""
    while cpu_seconds(child) < seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def undisturbed(arguments: list[str], out: Path, log: Path) -> tuple[float, int]:
    """CPU seconds that a life takes to its first step, and the exit status."""
    first = 0.0
    child = live(arguments, log)
    done = 0
    while not done:
        if not first and (out / "metrics.jsonl").is_file():
            first = cpu_seconds(child)
        time.sleep(0.005)
        done, status = os.waitpid(child, os.WNOHANG)
    return first, os.waitstatus_to_exitcode(status)


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
    first, code = undisturbed([*begin, "--out", str(options.folder / "whole")], options.folder / "whole", log)
    if code:
        sys.exit(f"the undisturbed run ended with {code}; see {log}")
    out = options.folder / "killed"
    reached: list[int] = []
    status: int | None = None
    while status is None:
        resumable = (out / "config.resolved.toml").is_file()
        life = live(["run", "--resume", "--out", str(out)] if resumable else [*begin, "--out", str(out)], log)
        # Most of a life is its start; so most moments are chosen around the first steps that follow.
        patience = first * rng.choice((rng.uniform(0.0, 1.0), rng.uniform(0.9, 1.3), rng.uniform(0.9, 1.3)))
        patience = patience if len(reached) < options.kills else math.inf
        status = die_after(life, patience)
        file = out / "metrics.jsonl"
        reached.append(file.read_bytes().count(b"\n") if file.is_file() else 0)
    print(json.dumps({"kills": len(reached) - 1, "reached": reached, "status": status}))


if __name__ == "__main__":
    main()
