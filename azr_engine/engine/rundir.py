"""The run directory: one run's files, safe against `kill -9`, a full disk and a second run in the same place.

A step counts once its checkpoint has been renamed into place; everything else is brought in line with the last
good checkpoint by `recover`. The checkpoint of a step holds that step's metrics line, so no metrics are lost
between the two writes. What is inside a checkpoint otherwise, and the content of the task store, belong to
others; the store has its own rollback to a step.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Self

from azr_engine.engine.chain import ChainedLog
from azr_engine.engine.durable import (
    TEMPORARY,
    append_line,
    json_line,
    replace_text,
    storage_errors,
    sync,
    sync_tree,
    whole_lines,
)
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Event

_LOCK = "run.lock"
_CONFIG = "config.resolved.toml"
_METRICS = "metrics.jsonl"
_METRICS_IN_CHECKPOINT = "metrics.json"
_CHECKPOINT_NAME = re.compile(r"step-([1-9]\d*)")
# Locks of fcntl belong to the process, so the second run inside one process (a notebook) must be refused by hand.
_held: set[Path] = set()


class RunDirectory:
    """Paths and writes of one run. Get one from `create`, `resume` or, for reading alone, `open`."""

    def __init__(self, path: Path, lock: IO[str] | None) -> None:
        self.path = path
        self.config_path = path / _CONFIG
        self.metrics_path = path / _METRICS
        self.events_path = path / "events.jsonl"
        self.tasks_path = path / "tasks.sqlite"
        self.report_path = path / "report.html"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self._lock = lock
        self._events = ChainedLog(self.events_path)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A fresh run directory, locked; parents are made. An empty directory, or one that never began, will do.

        Raises:
            UserError: it holds a run or other files, cannot be written, or another run is using it.
        """
        path = path.resolve()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {path}: {error.strerror}") from error
        with storage_errors(path):
            _refuse_content(path)
            run = cls._locked(path)
            try:
                _refuse_content(path)
            except BaseException:
                run.close()
                raise
        return run

    @classmethod
    def resume(cls, path: Path) -> Self:
        """An existing run directory, locked. Call `recover` before writing.

        Raises:
            UserError: there is no run, it cannot be written, or another run is using it.
        """
        path = path.resolve()
        if not (path / _LOCK).is_file() and not (path / _CONFIG).is_file():
            raise UserError(f"{path} holds no run to resume; leave out --resume to start one")
        return cls._locked(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing run directory for reading, also while its run goes on.

        Raises:
            UserError: there is no run.
        """
        path = path.resolve()
        if not (path / _CONFIG).is_file() and not (path / _METRICS).is_file():
            raise UserError(f"{path} holds no run")
        return cls(path, None)

    def close(self) -> None:
        """Release the lock; the kernel does so too when the process dies."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            _held.discard(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def write_config(self, text: str) -> None:
        """Put `config.resolved.toml` in place, whole or not at all. Raises UserError where it cannot be written."""
        self._require_lock()
        with storage_errors(self.config_path):
            replace_text(self.config_path, text)

    def append_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Add a step's line to `metrics.jsonl`, durable on return; NaN and infinities become null.

        Raises:
            UserError: the disk is full or the file cannot be written; nothing of the line stays.
            TypeError: a value has no form in JSON.
        """
        self._require_lock()
        append_line(self.metrics_path, json_line(metrics))

    def append_event(self, event: Event) -> None:
        """Add a line to `events.jsonl`, chained to the one before (see `chain`), safe against the death of the process
        but not of the machine.

        Raises as `append_metrics` does.
        """
        self._require_lock()
        self._events.append(json_line(event.to_json()))

    def read_metrics(self) -> list[dict[str, Any]]:
        """The metrics lines so far, in order; a line still being written is left out."""
        return [json.loads(line) for line in whole_lines(self.metrics_path)]

    def save_checkpoint(
        self,
        step: int,
        write: Callable[[Path], None],
        metrics: Mapping[str, Any],
        keep: int,
        spared: int | None = None,
    ) -> Path:
        """Save the state after `step` as `checkpoints/step-N`, whole or not at all, then prune to `keep`.

        Args:
            step: a positive number, higher than the last checkpoint's.
            write: fills the empty directory it is given.
            metrics: the step's, `step` among them, kept inside the checkpoint; `append_metrics` is still to call.
            keep: how many checkpoints stay, this one included; at least 1.
            spared: what `checkpoint_at` of this step names stays as well.

        Returns:
            The checkpoint's path.

        Raises:
            UserError: the disk is full or cannot be written; earlier checkpoints stay, nothing of this one does.
            ValueError: `step` or `keep` is out of range, or the metrics are of another step.
        """
        self._require_lock()
        if step <= self._last_step() or keep < 1 or metrics.get("step") != step:
            raise ValueError(f"cannot save step {step} after step {self._last_step()}, keeping {keep}, with {metrics}")
        final = self.checkpoints / f"step-{step}"
        temporary = self.checkpoints / f"{TEMPORARY}step-{step}"
        with storage_errors(final):
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir()
                write(temporary)
                (temporary / _METRICS_IN_CHECKPOINT).write_text(json_line(metrics), encoding="utf-8")
                sync_tree(temporary)
                temporary.rename(final)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            sync(self.checkpoints)
            also = self.checkpoint_at(spared) if spared is not None else None
            for old in sorted(self._steps())[:-keep]:
                if also is None or also.name != f"step-{old}":
                    self._remove_checkpoint(old)
        return final

    def latest_checkpoint(self) -> Path | None:
        """The newest whole checkpoint, if there is one."""
        step = self._last_step()
        return self.checkpoints / f"step-{step}" if step else None

    def checkpoint_at(self, step: int) -> Path | None:
        """The newest checkpoint that is not after `step`, or the oldest there is; None without any."""
        steps = sorted(self._steps())
        at = max((s for s in steps if s <= step), default=steps[0] if steps else None)
        return self.checkpoints / f"step-{at}" if at is not None else None

    def recover(self) -> int:
        """Bring metrics and events in line with the last good checkpoint, and remove what was half done.

        Lines of later steps go; a torn line goes; the metrics line of the checkpoint's own step is added if the
        run died before it was written.

        Returns:
            The last good step, 0 if there is none.

        Raises:
            UserError: the directory cannot be written.
        """
        self._require_lock()
        with storage_errors(self.path):
            for stale in (*self.path.glob(f"{TEMPORARY}*"), *self.checkpoints.glob(f"{TEMPORARY}*")):
                shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            step = self._last_step()
            _keep_steps(self.events_path, step)
            self._events.settle()
            _keep_steps(self.metrics_path, step)
            if step and step not in {line.get("step") for line in self.read_metrics()}:
                saved = self.checkpoints / f"step-{step}" / _METRICS_IN_CHECKPOINT
                append_line(self.metrics_path, saved.read_text(encoding="utf-8"))
        return step

    @classmethod
    def _locked(cls, path: Path) -> Self:
        with storage_errors(path):
            run = cls(path, _lock(path))
            try:
                run.checkpoints.mkdir(exist_ok=True)
                run.tensorboard.mkdir(exist_ok=True)
                sync(path)
            except BaseException:
                run.close()
                raise
        return run

    def _require_lock(self) -> None:
        if self._lock is None:
            raise ValueError(f"{self.path} is open for reading only")

    def _steps(self) -> list[int]:
        if not self.checkpoints.is_dir():
            return []
        names = (_CHECKPOINT_NAME.fullmatch(entry.name) for entry in self.checkpoints.iterdir())
        return [int(name[1]) for name in names if name]

    def _last_step(self) -> int:
        return max(self._steps(), default=0)

    def _remove_checkpoint(self, step: int) -> None:
        # Renamed first, so that a kill in the middle leaves a stale temporary, never a checkpoint with holes.
        doomed = self.checkpoints / f"{TEMPORARY}old-{step}"
        (self.checkpoints / f"step-{step}").rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _refuse_content(path: Path) -> None:
    if (path / _CONFIG).exists() or (path / _METRICS).exists():
        raise UserError(f"{path} holds a run already; add --resume to continue it or choose another --out")
    for entry in path.iterdir():
        ours = entry.name == _LOCK or entry.name.startswith(TEMPORARY)
        if not ours and not (entry.is_dir() and not any(entry.iterdir())):
            raise UserError(f"{path} is not empty (it holds {entry.name}); choose another --out")


def _lock(path: Path) -> IO[str]:
    busy = UserError(f"{path} is in use by another run; wait for it to end or choose another --out")
    if path in _held:
        raise busy
    file = (path / _LOCK).open("a", encoding="utf-8")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise busy from error
    except BaseException:
        file.close()
        raise
    _held.add(path)
    return file


def _keep_steps(path: Path, step: int) -> None:
    """Drop from a file of JSON lines what is torn or later than `step`."""
    if not path.exists():
        return
    kept = "".join(f"{line}\n" for line in whole_lines(path) if json.loads(line).get("step", 0) <= step)
    if kept.encode("utf-8") != path.read_bytes():
        replace_text(path, kept)
