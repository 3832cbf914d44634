"""Run a scenario again and again, each time killed (SIGKILL) one change of its folder later; a script for tests.

Every line of Python, the standard library's included, is followed by a look at the disk, so that a process dies
in each state that lies between two lines; states that look the same on the disk need no second death.

Usage: python kill_at_every_change.py rundir|store FOLDER
Leaves FOLDER/1, FOLDER/2, ... as the killed processes left them; the last one ran to its end. Prints their number.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Answer, Attempt, Completion, Event, Proposal, Task, Verdict, task_id


def weights(step: int) -> str:
    return f"weights {step} " * 1000


def save(run: RunDirectory, step: int) -> None:
    def write(folder: Path) -> None:
        (folder / "policy").mkdir()
        (folder / "policy" / "model").write_text(weights(step))
        (folder / "optimiser").write_text(weights(step))

    run.append_event(Event("begun", step))
    run.save_checkpoint(step, write, {"step": step, "loss": step / 8}, keep=1)
    run.append_metrics({"step": step, "loss": step / 8})
    run.append_event(Event("ended", step))


def task(number: int) -> Task:
    given = {"number": number}
    return Task(task_id("python", "deduction", given), "python", "deduction", given, {"value": number}, "f(_)")


def commit(store: TaskStore, step: int) -> None:
    completion = Completion((1,), (2, 3), (-0.5, -0.25), "text", "stop", step)
    old, new = task(step - 1), task(step)
    tries = [Attempt(t, completion, Answer({"value": 1}, "1"), Verdict("pass", 1.0), 1.0) for t in (old, new)]
    store.commit_step(step, [new], [Proposal("python", "deduction", completion, (), new, 0.5)], tries, capacity=1)


def begin_rundir(folder: Path) -> None:
    with RunDirectory.create(folder) as run:
        run.write_config("seed = 0\n")
        save(run, 1)


def go_on_rundir(folder: Path) -> Callable[[], None]:
    run = RunDirectory.resume(folder)
    return lambda: save(run, 2)


def begin_store(folder: Path) -> None:
    folder.mkdir(parents=True)
    with TaskStore(folder / "tasks.sqlite") as store:
        store.add_seeds([task(0)])
        commit(store, 1)


def go_on_store(folder: Path) -> Callable[[], None]:
    store = TaskStore(folder / "tasks.sqlite")
    return lambda: commit(store, 2)


def look(folder: str) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of all that lies on the disk; SQLite's shared memory, gone with the process, left out."""
    found = {}
    for entry in os.scandir(folder):
        if not entry.name.endswith("-shm"):
            status = entry.stat()
            found[entry.path] = (status.st_ino, status.st_size, status.st_mtime_ns)
            if entry.is_dir():
                found |= look(entry.path)
    return found


def run_killed_at(n_states: int, folder: Path, action: Callable[[], None]) -> None:
    left, last = n_states, None

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left, last
        if (found := look(str(folder))) != last:
            last = found
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    action()
    sys.settrace(None)


def main(scenario: str, root: Path) -> None:
    begin, go_on = {"rundir": (begin_rundir, go_on_rundir), "store": (begin_store, go_on_store)}[scenario]
    begin(root / "0")
    n_states, status = 0, -1
    while status != 0:
        n_states += 1
        folder = root / str(n_states)
        shutil.copytree(root / "0", folder)
        child = os.fork()
        if child == 0:
            run_killed_at(n_states, folder, go_on(folder))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status not in (0, signal.SIGKILL):
            raise SystemExit(f"the scenario failed by itself, status {status}")
    print(n_states)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
