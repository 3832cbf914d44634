"""The run directory: who may use it, what survives a kill at any line, a torn line and a full disk."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.types import Event
from tests.conftest import PATIENCE_SECONDS


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    with RunDirectory.create(tmp_path / "run") as created:
        yield created


def writer(text: str = "weights") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "policy").mkdir()
        (folder / "policy" / "model").write_text(text)

    return write


def line(step: int, **more: Any) -> dict[str, Any]:
    return {"step": step, "loss": step / 8, **more}


def play(run: RunDirectory, *steps: int, keep: int = 2) -> None:
    for step in steps:
        run.append_event(Event("begun", step))
        run.save_checkpoint(step, writer(), line(step), keep)
        run.append_metrics(line(step))


def steps_in(path: Path) -> list[int]:
    return [json.loads(text)["step"] for text in path.read_text().splitlines()]


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def reopened(run: RunDirectory) -> RunDirectory:
    run.close()
    return RunDirectory.resume(run.path)


@contextmanager
def files_at_most(n_bytes: int) -> Iterator[None]:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_create_makes_parents_and_folders(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "a" / "b") as run:
        assert run.path == (tmp_path / "a" / "b").resolve()
        assert run.checkpoints.is_dir() and run.tensorboard.is_dir()
        assert run.latest_checkpoint() is None
        assert run.read_metrics() == []
        assert run.recover() == 0


def test_a_run_that_exists_is_not_overwritten(run: RunDirectory) -> None:
    run.write_config("seed = 0\n")
    run.close()
    with pytest.raises(UserError, match="holds a run already; add --resume to continue it or choose another --out"):
        RunDirectory.create(run.path)
    with RunDirectory.resume(run.path) as again:
        assert again.config_path.read_text() == "seed = 0\n"


def test_a_folder_with_other_files_is_not_used_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match=r"not empty \(it holds thesis\.tex\)"):
        RunDirectory.create(tmp_path)
    assert names(tmp_path) == {"thesis.tex"}


def test_a_run_that_never_began_may_be_created_again(run: RunDirectory) -> None:
    (run.path / ".tmp-config.resolved.toml").write_text("half")
    run.close()
    with RunDirectory.create(run.path) as again:
        assert again.recover() == 0
        assert names(again.path) == {"run.lock", "checkpoints", "tensorboard"}


@pytest.mark.parametrize("place", ["missing", "empty"])
def test_nothing_to_resume_or_open(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no run to resume"):
        RunDirectory.resume(tmp_path / place)
    with pytest.raises(UserError, match="holds no run"):
        RunDirectory.open(tmp_path / place)
    assert names(tmp_path) == {"empty"} and names(tmp_path / "empty") == set()


def test_a_place_that_cannot_hold_a_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing/here")):
        with pytest.raises(UserError, match=f"cannot make the folder {path}"):
            RunDirectory.create(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_without_permission_is_one_clear_line(run: RunDirectory) -> None:
    run.write_config("")
    run.close()
    run.path.chmod(0o555)
    (run.path / "run.lock").chmod(0o444)
    try:
        with pytest.raises(UserError, match="Permission denied"):
            RunDirectory.resume(run.path)
    finally:
        run.path.chmod(0o755)


def test_a_second_run_in_the_same_process_is_refused(run: RunDirectory) -> None:
    for enter in (RunDirectory.create, RunDirectory.resume):
        with pytest.raises(UserError, match="in use by another run"):
            enter(run.path / ".." / run.path.name)
    with reopened(run) as again:
        again.append_metrics(line(1))


OTHER_PROCESS = """
import sys
from pathlib import Path
from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
try:
    run = RunDirectory.resume(Path(sys.argv[1]))
except UserError as error:
    print(error)
else:
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_in_another_process_is_refused(run: RunDirectory) -> None:
    command = [sys.executable, "-c", OTHER_PROCESS, str(run.path)]
    refused = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL
    )
    assert refused.stdout == f"{run.path} is in use by another run; wait for it to end or choose another --out\n"


def test_a_killed_run_leaves_no_lock_behind_even_if_its_workers_live_on(run: RunDirectory) -> None:
    run.close()
    worker = 'import os; os.fork() or print("forked", flush=True); sys.stdin.read()'
    forks = OTHER_PROCESS.replace("sys.stdin.read()", worker)
    command = [sys.executable, "-c", forks, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert (other.stdout.readline(), other.stdout.readline()) == ("locked\n", "forked\n")
        with pytest.raises(UserError, match="in use"):
            RunDirectory.resume(run.path)
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=PATIENCE_SECONDS)
        # Its forked child still waits on the pipe, which closes when this block ends.
        RunDirectory.resume(run.path).close()


def test_a_reader_needs_no_lock_and_cannot_write(run: RunDirectory) -> None:
    play(run, 1)
    reader = RunDirectory.open(run.path)
    assert reader.read_metrics() == [line(1)]
    assert reader.latest_checkpoint() == run.checkpoints / "step-1"
    writes: list[Callable[[], object]] = [
        lambda: reader.append_metrics(line(2)),
        lambda: reader.append_event(Event("x", 2)),
        lambda: reader.save_checkpoint(2, writer(), line(2), 1),
        lambda: reader.write_config(""),
        reader.recover,
    ]
    for write in writes:
        with pytest.raises(ValueError, match="reading only"):
            write()
    run.append_metrics(line(2))
    assert len(reader.read_metrics()) == 2


def test_metrics_come_back_and_what_json_cannot_hold_is_null(run: RunDirectory) -> None:
    run.append_metrics(line(1, policy={"loss": math.nan, "kl": [math.inf, 0.5]}, note="é"))
    assert run.read_metrics() == [line(1, policy={"loss": None, "kl": [None, 0.5]}, note="é")]
    with pytest.raises(TypeError):
        run.append_metrics(line(2, what=object()))
    assert len(run.read_metrics()) == 1


def test_a_checkpoint_holds_what_was_written_and_the_metrics_line(run: RunDirectory) -> None:
    path = run.save_checkpoint(3, writer("abc"), line(3), keep=1)
    assert path == run.latest_checkpoint() == run.checkpoints / "step-3"
    assert (path / "policy" / "model").read_text() == "abc"
    assert json.loads((path / "metrics.json").read_text()) == line(3)


def test_old_checkpoints_are_pruned_by_number_not_by_name(run: RunDirectory) -> None:
    play(run, 8, 9, 10, 11, keep=3)
    assert names(run.checkpoints) == {"step-9", "step-10", "step-11"}
    assert run.latest_checkpoint() == run.checkpoints / "step-11"


@pytest.mark.parametrize(("step", "keep", "metrics"), [(2, 1, 2), (1, 1, 1), (0, 1, 0), (3, 0, 3), (3, 1, 2)])
def test_a_checkpoint_out_of_order_is_refused(run: RunDirectory, step: int, keep: int, metrics: int) -> None:
    play(run, 2)
    with pytest.raises(ValueError, match="cannot save step"):
        run.save_checkpoint(step, writer(), line(metrics), keep)
    assert names(run.checkpoints) == {"step-2"}


def test_a_checkpoint_whose_writing_fails_leaves_nothing(run: RunDirectory) -> None:
    play(run, 1)

    def broken(folder: Path) -> None:
        writer()(folder)
        raise KeyError("no such weight")

    with pytest.raises(KeyError):
        run.save_checkpoint(2, broken, line(2), 1)
    assert names(run.checkpoints) == {"step-1"}
    run.save_checkpoint(2, writer(), line(2), 1)


def _fill_the_disk(folder: Path) -> None:
    writer()(folder)
    with Path("/dev/full").open("w") as full:
        full.write("x" * 100_000)


def _fill_the_disk_by_a_library(folder: Path) -> None:
    writer()(folder)
    raise RuntimeError('IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })')


@pytest.mark.parametrize("write", [_fill_the_disk, _fill_the_disk_by_a_library])
def test_a_full_disk_while_saving_is_one_clear_line(run: RunDirectory, write: Callable[[Path], None]) -> None:
    play(run, 1)
    with pytest.raises(UserError, match=r"cannot write .*step-2: No space left on device"):
        run.save_checkpoint(2, write, line(2), 1)
    assert names(run.checkpoints) == {"step-1"}
    assert reopened(run).recover() == 1


def test_a_full_disk_while_appending_leaves_no_torn_line(run: RunDirectory) -> None:
    play(run, 1)
    size = run.metrics_path.stat().st_size
    with files_at_most(size + 10), pytest.raises(UserError, match=r"cannot write .*metrics\.jsonl: File too large"):
        run.append_metrics(line(2, padding="x" * 100))
    assert run.metrics_path.stat().st_size == size
    run.append_metrics(line(2))
    assert run.read_metrics() == [line(1), line(2)]


def test_a_full_disk_while_writing_the_config_keeps_the_old_one(run: RunDirectory) -> None:
    run.write_config("seed = 0\n")
    with files_at_most(100), pytest.raises(UserError, match=r"cannot write .*config\.resolved\.toml"):
        run.write_config("x" * 1000)
    assert run.config_path.read_text() == "seed = 0\n"
    assert not list(run.path.glob(".tmp-*"))


def test_recovery_drops_the_lines_of_steps_without_a_checkpoint(run: RunDirectory) -> None:
    run.append_metrics(line(0))
    play(run, 2, 4)
    for step in (5, 6):
        run.append_event(Event("begun", step))
        run.append_metrics(line(step))
    again = reopened(run)
    assert again.recover() == 4
    assert steps_in(again.metrics_path) == [0, 2, 4]
    assert steps_in(again.events_path) == [2, 4]
    again.close()


def test_recovery_adds_the_metrics_line_that_only_the_checkpoint_holds(run: RunDirectory) -> None:
    play(run, 1)
    run.save_checkpoint(2, writer(), line(2, kl=math.nan), keep=1)
    assert run.recover() == 2
    assert run.read_metrics() == [line(1), line(2, kl=None)]
    assert run.recover() == 2
    assert len(run.read_metrics()) == 2


def test_without_a_checkpoint_only_the_starting_line_stays(run: RunDirectory) -> None:
    for step in (0, 1, 2):
        run.append_metrics(line(step))
    assert run.recover() == 0
    assert run.read_metrics() == [line(0)]


@pytest.mark.parametrize("n_bytes", range(1, 1 + len(json.dumps(line(2)))))
def test_a_torn_last_line_is_repaired_wherever_it_is_torn(run: RunDirectory, n_bytes: int) -> None:
    play(run, 1)
    torn = json.dumps(line(2)).encode()[:n_bytes]
    for path in (run.metrics_path, run.events_path):
        with path.open("ab") as file:
            file.write(torn)
    assert run.read_metrics() == [line(1)]
    assert run.recover() == 1
    run.append_metrics(line(2))
    assert run.read_metrics() == [line(1), line(2)]
    assert steps_in(run.events_path) == [1]


def test_a_torn_line_of_the_checkpoints_own_step_is_restored(run: RunDirectory) -> None:
    play(run, 1, 2)
    run.metrics_path.write_bytes(run.metrics_path.read_bytes()[:-7])
    assert run.recover() == 2
    assert run.read_metrics() == [line(1), line(2)]


def test_recovery_leaves_good_files_untouched(run: RunDirectory) -> None:
    play(run, 1, 2)
    before = {path: path.stat() for path in (run.metrics_path, run.events_path)}
    assert run.recover() == 2
    assert {path: path.stat().st_mtime_ns for path in before} == {p: s.st_mtime_ns for p, s in before.items()}
    assert {path: path.stat().st_ino for path in before} == {p: s.st_ino for p, s in before.items()}


def test_strangers_among_the_checkpoints_are_ignored(run: RunDirectory) -> None:
    play(run, 1)
    for name in ("step-007", "step-x", "notes", "step-9.bak"):
        (run.checkpoints / name).mkdir()
    assert run.recover() == 1
    assert run.latest_checkpoint() == run.checkpoints / "step-1"


def test_killed_in_any_state_of_the_disk_the_run_goes_on_from_a_whole_step(tmp_path: Path) -> None:
    script = Path(__file__).with_name("kill_at_every_change.py")
    done = subprocess.run(
        [sys.executable, str(script), "rundir", str(tmp_path / "killed")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    recovered = []
    n_runs = int(done.stdout)
    assert n_runs > 15
    for number in range(1, n_runs + 1):
        with RunDirectory.resume(tmp_path / "killed" / str(number)) as run:
            step = run.recover()
            recovered.append(step)
            assert run.read_metrics() == [line(s) for s in range(1, step + 1)]
            assert max(steps_in(run.events_path)) <= step
            assert run.latest_checkpoint() == run.checkpoints / f"step-{step}"
            for checkpoint in run.checkpoints.iterdir():
                for part in (checkpoint / "policy" / "model", checkpoint / "optimiser"):
                    assert part.read_text() == f"weights {checkpoint.name[5:]} " * 1000
            assert not list(run.path.rglob(".tmp-*"))
            assert run.recover() == step
            play(run, step + 1, keep=1)
            assert names(run.checkpoints) == {f"step-{step + 1}"}
    assert recovered == sorted(recovered)
    assert set(recovered) == {1, 2}


def test_a_spared_checkpoint_outlives_newer_ones(run: RunDirectory) -> None:
    assert run.checkpoint_at(5) is None
    play(run, 2, 4)
    for step in (6, 8, 10):
        run.save_checkpoint(step, writer(), line(step), 1, spared=5)
    assert names(run.checkpoints) == {"step-4", "step-10"}
    assert [run.checkpoint_at(step) for step in (3, 4, 9, 11)] == [
        run.checkpoints / name for name in ("step-4", "step-4", "step-4", "step-10")
    ]
    run.save_checkpoint(12, writer(), line(12), 2, spared=None)
    assert names(run.checkpoints) == {"step-10", "step-12"}
