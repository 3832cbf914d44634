"""One run through a chain of mishaps, resumed after each; a script for tests and for people. Root only: it mounts.

    python -m tests.faults.mishaps FOLDER

The disk is full when a step's metrics are written, before anything is, and when a checkpoint and the store are; a
second run comes to the same directory; Ctrl-C is pressed once, and twice; the machine's clock jumps. The run lives on
file systems of its own, in a mount namespace that ends with this process. FOLDER/survivor is a copy of it,
FOLDER/whole the same run undisturbed.
Prints one line of JSON: how each life ended, what it said, and how many steps were left.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from azr_engine.verifiers.sandbox import libc
from tests.faults.lives import SETTINGS, end_of, import_everything, live, lives

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
NOT_ALLOWED = 77
"""Exit status where mounting is not allowed."""

BEGIN = ["run", *SETTINGS.split(), "--set", "play.propose_tokens=48", "--set", "play.solve_tokens=12"]
ENDLESS = ["--steps", "1000000"]
MAX_LIVES = 10


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended: exit status, both outputs, and the steps in the metrics then."""

    status: int
    said: str
    steps: int


class Mishaps:
    """The disturbed run, and how each of its lives ended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "run"
        self.ends: dict[str, End] = {}
        for place, size in ((self.out, "64m"), (self.out / "checkpoints", "64m"), (folder / "small", "256k")):
            place.mkdir(exist_ok=True)
            libc.mount("none", str(place), "tmpfs", 0, f"size={size}")

    def play(self, name: str, *options: str) -> None:
        """A life that ends by itself."""
        self._note(name, self._start(name, *options))

    def no_room(self, name: str, place: Path, left_bytes: int = 0) -> None:
        """A life with no more than so many bytes left on the file system of `place`."""
        ballast = place / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(place).free - left_bytes)
        self.play(name, *ENDLESS)
        ballast.unlink()

    def no_room_for(self, file: Path) -> None:
        """A life that finds one file of the run on a full file system of its own."""
        elsewhere = self.folder / "small" / file.name
        shutil.copy(file, elsewhere)
        libc.mount(str(elsewhere), str(file), None, MS_BIND)
        self.no_room(file.name, elsewhere.parent)
        libc.detach(str(file))
        shutil.copy(elsewhere, file)

    def interrupted(self) -> None:
        """A life in which Ctrl-C is pressed after its first step, while a second run has tried to begin."""
        child = self._start("once", *ENDLESS)
        self._wait_for_a_step(child)
        self.play("second run", *ENDLESS)
        os.kill(child, signal.SIGINT)
        self._note("once", child)

    def interrupted_twice(self) -> None:
        """A life in which Ctrl-C is pressed again once the first has been heard.

        Where the step was over before the second came, which a busy machine may bring about, another life is played.
        """
        for _ in range(MAX_LIVES):
            self._log("twice").unlink(missing_ok=True)
            child = self._start("twice", *ENDLESS)
            self._wait_for_a_step(child)
            os.kill(child, signal.SIGINT)
            while "press Ctrl-C again" not in self._said("twice") and lives(child):
                time.sleep(0.001)
            os.kill(child, signal.SIGINT)
            self._note("twice", child)
            if self.ends["twice"].status:
                return

    def jumping_clock(self, name: str, steps: int) -> None:
        """A life whose wall clock jumps by days, forth and back, at every look."""
        real, looks = time.time, count()

        def jumping() -> float:
            days = next(looks)
            return real() + 86_400.0 * (days if days % 2 else -days)

        def patch() -> None:
            time.time = jumping
            time.time_ns = lambda: int(1e9 * jumping())

        self._note(name, live(self._resume("--steps", str(steps)), self._log(name), patch))

    def steps(self) -> int:
        """Whole lines in the metrics."""
        file = self.out / "metrics.jsonl"
        return file.read_bytes().count(b"\n") if file.is_file() else 0

    def _start(self, name: str, *options: str) -> int:
        resumable = (self.out / "config.resolved.toml").is_file()
        arguments = self._resume(*options) if resumable else [*BEGIN, "--out", str(self.out), *options]
        return live(arguments, self._log(name))

    def _resume(self, *options: str) -> list[str]:
        return ["run", "--resume", "--out", str(self.out), *options]

    def _wait_for_a_step(self, child: int) -> None:
        before = self.steps()
        while self.steps() <= before and lives(child):
            time.sleep(0.005)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    def _said(self, name: str) -> str:
        return self._log(name).read_text(encoding="utf-8") if self._log(name).is_file() else ""

    def _note(self, name: str, child: int) -> None:
        status = end_of(child)
        self.ends[name] = End(status, self._said(name), self.steps())


def main() -> None:
    """Play both runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        libc.unshare(CLONE_NEWNS)
        libc.mount(None, "/", None, MS_REC | MS_PRIVATE)
        run = Mishaps(folder)
    except OSError as error:
        print(f"mounting is not allowed here: {error}", file=sys.stderr)
        sys.exit(NOT_ALLOWED)
    import_everything()
    run.play("begin", "--steps", "1")
    run.no_room_for(run.out / "metrics.jsonl")
    run.no_room("everything", run.out)
    run.no_room("checkpoint", run.out / "checkpoints")
    run.no_room("store", run.out, left_bytes=96 * 1024)
    run.interrupted()
    run.interrupted_twice()
    steps = run.steps() + 1
    run.jumping_clock("clock", steps)
    shutil.copytree(run.out, folder / "survivor")
    whole = live([*BEGIN, "--out", str(folder / "whole"), "--steps", str(steps)], folder / "whole.txt")
    if status := end_of(whole):
        sys.exit(f"the undisturbed run ended with {status}; see {folder / 'whole.txt'}")
    ends = {name: {"status": e.status, "said": e.said, "steps": e.steps} for name, e in run.ends.items()}
    print(json.dumps({"ends": ends, "steps": steps}))


if __name__ == "__main__":
    main()
