"""Kill a run again and again (SIGKILL) at random moments, resuming it each time; a script for tests and for people.

    python -m tests.faults.campaign FOLDER [--kills 50] [--steps 40] [--seed 1]

Plays the same run undisturbed in FOLDER/whole and disturbed in FOLDER/killed. Everything is imported once and every
life is a fork, so that many deaths cost little. Prints one line of JSON: the kills, how far each life came, and the
exit status of the last.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

SETTINGS = "--domains python --seed 5 --threads 1 --set trainer.backend=torch --set play.proposals=4"
SETTINGS += " --set play.attempts=4 --set play.replay=2 --set play.anchors=2 --set store.seeds=4"


def live(arguments: list[str], log: Path) -> int:
    """The process id of a fork that runs the command line."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from azr_engine.cli import main

    sys.argv = ["azr-engine", *arguments]
    code = 70
    try:
        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def die_after(child: int, seconds: float) -> int | None:
    """Kill the child unless it ends by itself sooner; its exit status then, else None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def undisturbed(arguments: list[str], out: Path, log: Path) -> tuple[float, int]:
    """Seconds within which a life is likely to make a step or a few, and the exit status."""
    started, first = time.monotonic(), 0.0
    child = live(arguments, log)
    done = 0
    while not done:
        if not first and (out / "metrics.jsonl").is_file():
            first = time.monotonic() - started
        time.sleep(0.005)
        done, status = os.waitpid(child, os.WNOHANG)
    return 1.6 * first, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Play both runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import azr_engine.cli.run
    import azr_engine.engine.policies.transformers
    import azr_engine.engine.session
    import azr_engine.trainer.torch_backend  # noqa: F401 - so that no life has to import anything heavy

    rng, log = random.Random(options.seed), options.folder / "log.txt"
    options.folder.mkdir(parents=True, exist_ok=True)
    begin = ["run", *SETTINGS.split(), "--steps", str(options.steps)]
    span, code = undisturbed([*begin, "--out", str(options.folder / "whole")], options.folder / "whole", log)
    if code:
        sys.exit(f"the undisturbed run ended with {code}; see {log}")
    out = options.folder / "killed"
    reached: list[int] = []
    status: int | None = None
    while status is None:
        resumable = (out / "config.resolved.toml").is_file()
        life = live(["run", "--resume", "--out", str(out)] if resumable else [*begin, "--out", str(out)], log)
        patience = rng.uniform(0.0, span) if len(reached) < options.kills else 600.0
        status = die_after(life, patience)
        file = out / "metrics.jsonl"
        reached.append(file.read_bytes().count(b"\n") if file.is_file() else 0)
    print(json.dumps({"kills": len(reached) - 1, "reached": reached, "status": status}))


if __name__ == "__main__":
    main()
