"""What a worker does once it has imported all it needs: lock itself in, then fork a child per batch of items.

Every item is one JSON line in and one out; what a child writes is read as JSON alone. The kernel ends a child whose
item passes its CPU limit (SIGPROF), the worker ends one that passes the wall limit, and the items behind the killed
one go on in a fresh child, which knows nothing of what an earlier one did.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from azr_engine.verifiers.sandbox import limits, namespaces
from azr_engine.verifiers.sandbox.seccomp import Filter

RunItem = Callable[[dict[str, Any]], dict[str, Any]]
"""From an item to its outcome, both JSON; must not raise for what a model wrote."""

WALL_FACTOR, WALL_EXTRA_SECONDS = 4.0, 1.0
_SYSTEM_CALLS = """
    read write close fstat lseek mmap mprotect munmap mremap brk madvise rt_sigaction rt_sigprocmask rt_sigreturn
    sched_yield sigaltstack futex getpid gettid getuid getgid geteuid getegid getppid exit exit_group time clock_gettime
    clock_getres getrusage setitimer getitimer set_robust_list rseq getrandom clone fork wait4 kill poll
    ppoll pipe2 prlimit64 fcntl
"""
"""What forking, computing and talking over pipes need; no file can be opened and no program started."""


def serve(memory_mb: int, run_item: RunItem) -> None:
    """Lock in, say so, and serve batches until standard input closes.

    Args:
        memory_mb: address space that a child may take above what is in use now, in MiB.
        run_item: called in a forked child.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no outcome
    limits.limit_worker(memory_mb << 20)
    isolated = lock_in()
    gc.collect()
    gc.freeze()
    _write(replies, {"ready": True, "isolated": isolated})
    for line in sys.stdin:
        request = json.loads(line)
        for outcome in run_batch(run_item, request["items"], request["cpu_seconds"]):
            _write(replies, outcome)


def lock_in() -> bool:
    """Enter empty namespaces behind a system call filter; False where the kernel allows neither.

    Without them the limits still hold.
    """
    try:
        namespaces.enter()
        Filter(_SYSTEM_CALLS.split()).install()
    except OSError:
        return False
    return True


def _write(descriptor: int, value: dict[str, Any]) -> None:
    data = memoryview((json.dumps(value) + "\n").encode())
    while data:
        data = data[os.write(descriptor, data) :]


def run_batch(run_item: RunItem, items: list[dict[str, Any]], cpu_seconds: float) -> Iterator[dict[str, Any]]:
    """One outcome per item, in order: what `run_item` returns with its CPU `seconds`, or `{"killed": reason}`."""
    n_done = 0
    while n_done < len(items):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(run_item, items[n_done:], cpu_seconds, writing)
        os.close(writing)
        for outcome in _read(reading, pid, WALL_FACTOR * cpu_seconds + WALL_EXTRA_SECONDS):
            n_done += 1
            yield outcome
        os.close(reading)
        _, status = os.waitpid(pid, 0)
        if n_done < len(items):
            n_done += 1
            yield {"killed": _death(status)}


def _death(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGKILL) else "crash"
    return "crash"


def _read(descriptor: int, pid: int, wall_seconds: float) -> Iterator[dict[str, Any]]:
    """The child's lines; it is killed when it stays silent for `wall_seconds`."""
    buffer = b""
    deadline = time.monotonic() + wall_seconds
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            os.kill(pid, signal.SIGKILL)
            return
        data = os.read(descriptor, 1 << 16)
        if not data:
            return
        buffer += data
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            deadline = time.monotonic() + wall_seconds
            yield json.loads(line)


def _child(run_item: RunItem, items: list[dict[str, Any]], cpu_seconds: float, writing: int) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    try:
        for item in items:
            limits.start_cpu_clock(cpu_seconds)
            started = time.process_time()
            outcome = run_item(item)
            outcome["seconds"] = round(time.process_time() - started, 6)
            _write(writing, outcome)
    except BaseException:
        os._exit(1)
    os._exit(0)
