"""A Lean server: a process that has Lean's library loaded, is locked in, and forks a child for each request.

    boot.py azr_engine.verifiers.lean.server
        '{"library": PATH, "search_path": [PATH, ...], "readable": [PATH, ...], "tier": "namespaces"}'

`compile` runs Lean's own command line on one source text and returns what it printed and the module it wrote.
`replay` has the kernel check terms that were built here, in a child that has read no submission (`kernel`). What it
imports is imported once, here, before the fork; a server that replays should do nothing else, as a compilation wants
the same modules at the same addresses. One request at a time; between two, every process and file that a submission
may have left behind is gone.

A child's CPU time is bounded by the kernel (SIGPROF, and RLIMIT_CPU behind it), wall time and resident memory from
here, what it writes by RLIMIT_FSIZE and the size of the scratch folder. RLIMIT_AS is of no use: Lean reserves gigabytes
of addresses that it never touches; RLIMIT_DATA bounds what it may touch. Lean maps modules so that they could be
written, so their sizes (`mapped_bytes`) are added to that bound.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import select
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azr_engine.verifiers.lean import jail
from azr_engine.verifiers.lean.filter import LeanFilter
from azr_engine.verifiers.lean.kernel import Kernel
from azr_engine.verifiers.lean.wire import LENGTHS_BYTES, MAX_BODY_BYTES, lengths, pack
from azr_engine.verifiers.sandbox import libc, limits, signals

_SOURCE, _MODULE, _PRINTED = "source.lean", "module.olean", "printed"
_MAX_PRINTED_BYTES = 1 << 20
_FILE_BYTES = 32 << 20
_OPEN_FILES = 256
_WALL_FACTOR, _WALL_EXTRA_SECONDS = 8.0, 5.0
_BASE_DATA_BYTES = 1200 << 20
"""What the library reserves as writable before it reads anything, above all a thread stack of 1 GiB; little is used."""

Head = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Load, lock in, and serve until standard input closes."""
    setting = json.loads(arguments[0])
    os.environ["LEAN_PATH"] = ":".join(setting["search_path"])
    library = ctypes.CDLL(setting["library"], mode=ctypes.RTLD_GLOBAL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    if setting["tier"] == "namespaces":
        jail.enter([*setting["search_path"], *setting["readable"]])
        server = _Server(library, jail.SCRATCH, LeanFilter())
    else:
        limits.die_with_parent()
        server = _Server(library, tempfile.mkdtemp(prefix="azr-lean-"), None)
    library.lean_initialize()
    gc.collect()
    gc.freeze()
    server.serve()


class _Server:
    def __init__(self, library: ctypes.CDLL, scratch: str, child_filter: LeanFilter | None) -> None:
        self._library, self._scratch, self._filter = library, scratch, child_filter
        self._kernels: dict[tuple[str, ...], Kernel] = {}
        os.chdir(scratch)

    def serve(self) -> None:
        """Say that we are ready, then answer requests."""
        _write(pack({"ready": True}))
        try:
            while frame := _read_frame():
                _write(self._answer(*frame))
        finally:
            if self._filter is None:
                shutil.rmtree(self._scratch, ignore_errors=True)

    def _answer(self, head: Head, body: bytes) -> bytes:
        work = self._compiling(head) if head["do"] == "compile" else self._replaying(head)
        self._put(_SOURCE, body)
        outcome = self._in_child(head, work)
        outcome["printed"] = self._take(_PRINTED, _MAX_PRINTED_BYTES).decode("utf-8", "replace")
        module = self._take(_MODULE, MAX_BODY_BYTES) if outcome["end"] == "exit 0" else b""
        if self._filter is not None:
            _end_all_others()
        jail.clear_scratch(Path())
        return pack(outcome, module)

    def _compiling(self, head: Head) -> Callable[[], int]:
        """Lean's command line; its exit status."""
        words = ["lean", *head["options"], "-o", _MODULE, _SOURCE]
        encoded = [word.encode() for word in words]

        def work() -> int:
            status: int = self._library.lean_main(len(words), (ctypes.c_char_p * (len(words) + 1))(*encoded, None))
            return status

        return work

    def _replaying(self, head: Head) -> Callable[[], int]:
        imports = tuple(head["imports"])
        if imports not in self._kernels:
            if self._filter is not None:
                jail.pretend_program()
            self._kernels[imports] = Kernel(self._library, imports)
        kernel = self._kernels[imports]

        def work() -> int:
            tables = json.loads(Path(_SOURCE).read_bytes())
            complaint = kernel.check(tables, head["max_heartbeats"])
            os.write(1, b"kernel: " + complaint.encode())
            return 0

        return work

    def _in_child(self, head: Head, work: Callable[[], int]) -> Head:
        """How the child ended: `exit N`, `timeout` or `crash`; its CPU seconds and its peak of resident MiB."""
        waiting, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(waiting)
            self._bind(head)
            try:
                status = work()
            except BaseException as error:
                os.write(1, f"{type(error).__name__}: {error}".encode()[:1000])
                status = 70
            os._exit(status & 0xFF)
        os.close(held)
        end = _watch(waiting, pid, head)
        os.close(waiting)
        _, status, usage = os.wait4(pid, 0)
        return {
            "end": end or _end(status),
            "seconds": round(usage.ru_utime + usage.ru_stime, 4),
            "memory_mb": usage.ru_maxrss >> 10,
        }

    def _bind(self, head: Head) -> None:
        """Limits, output and filter of a child."""
        printed = os.open(_PRINTED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        nothing = os.open("nothing", os.O_RDONLY | os.O_CREAT, 0o600)
        os.dup2(nothing, 0)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        seconds = int(head["cpu_seconds"]) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
        data = _BASE_DATA_BYTES + head["mapped_bytes"] + (head["memory_mb"] << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (data, data))
        signals.handle(signals.SIGPROF, signals.SIG_DFL)
        limits.start_cpu_clock(head["cpu_seconds"])
        limits.die_with_parent()
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
        if self._filter is not None:
            jail.pretend_program()
            self._filter.install()

    def _put(self, name: str, data: bytes) -> None:
        Path(name).write_bytes(data)

    def _take(self, name: str, n_bytes: int) -> bytes:
        """The beginning of a plain file of the scratch folder; nothing where there is none."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(n_bytes)


def _watch(descriptor: int, pid: int, head: Head) -> str:
    """Wait until the child closes its end of the pipe, or kill it at its wall limit."""
    seconds = _WALL_FACTOR * head["cpu_seconds"] + _WALL_EXTRA_SECONDS
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if poll.poll(seconds * 1000):
        return ""
    os.kill(pid, signals.SIGKILL)
    return "timeout"


def _end(status: int) -> str:
    if os.WIFEXITED(status):
        return f"exit {os.WEXITSTATUS(status)}"
    return "timeout" if os.WTERMSIG(status) in (signals.SIGPROF, signals.SIGXCPU, signals.SIGKILL) else "crash"


def _end_all_others() -> None:
    """As the first process of its namespace, this one outlives `kill -1`, and inherits every orphan."""
    try:
        os.kill(-1, signals.SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _read_exactly(n_bytes: int) -> bytes:
    pieces = []
    while n_bytes and (piece := os.read(0, min(n_bytes, 1 << 20))):
        pieces.append(piece)
        n_bytes -= len(piece)
    return b"" if n_bytes else b"".join(pieces)


def _read_frame() -> tuple[Head, bytes] | None:
    start = _read_exactly(LENGTHS_BYTES)
    if not start:
        return None
    n_head, n_body = lengths(start)
    return json.loads(_read_exactly(n_head)), _read_exactly(n_body)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main(sys.argv[1:])
