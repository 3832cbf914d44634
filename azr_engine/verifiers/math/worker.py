"""The worker: imports SymPy once, locks itself in, then forks a child per batch of items.

Every item is one JSON line in and one out; nothing that came from a model is ever evaluated, and what a child
writes is read as JSON alone. The kernel ends a child whose item passes its CPU limit (SIGPROF), the worker ends
one that passes the wall limit, and the items behind the killed one go on in a fresh child.

Run as `python -m azr_engine.verifiers.math.worker MEMORY_MB`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from azr_engine.verifiers.math.equivalence import equal_on
from azr_engine.verifiers.math.judgement import judge
from azr_engine.verifiers.math.operations import compute
from azr_engine.verifiers.math.operations.problem import OperationError
from azr_engine.verifiers.math.tasks import admit
from azr_engine.verifiers.sandbox import limits, namespaces
from azr_engine.verifiers.sandbox.seccomp import Filter

WALL_FACTOR, WALL_EXTRA_SECONDS = 4.0, 1.0
_SYSTEM_CALLS = """
    read write close fstat lseek mmap mprotect munmap mremap brk madvise rt_sigaction rt_sigprocmask rt_sigreturn
    sched_yield sigaltstack futex getpid gettid getuid getgid geteuid getegid getppid exit exit_group time clock_gettime
    clock_getres getrusage setitimer getitimer set_robust_list rseq getrandom clone fork wait4 kill poll
    ppoll pipe2 prlimit64 fcntl
"""
"""What forking, computing and talking over pipes need; no file can be opened and no program started."""
_STATUS = {True: "pass", False: "fail", None: "abstain"}
_WARM_UP: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("factor", "x**2-1", {}), ("simplify", "sin(x)**2+cos(x)**2", {}), ("integrate", "x*exp(x)", {}),
    ("integrate", "1/(x**2+1)", {"lower": "0", "upper": "1"}), ("limit", "sin(x)/x", {"point": "0"}),
    ("series", "exp(x)", {"order": "3"}), ("sum", "x**2", {"lower": "1", "upper": "n"}),
    ("sum", "1/2**x", {"lower": "0", "upper": "oo"}), ("solve", "exp(2*x)-3*exp(x)+2=0", {}),
    ("solve", "x**2-x-1", {}), ("solve", "sqrt(x)=3", {}), ("inequality", "(x-1)/(x+2)>0", {}),
    ("apart", "1/(x**2-1)", {}), ("recurrence", "p+q", {"initial": "[0,1]"}), ("system", "[x+y=3,x-y=1]", {}),
    ("eigenvalues", "[[1,1],[1,0]]", {}), ("inverse", "[[1,2],[3,4]]", {}), ("gcd", "x**2-1", {"other": "x-1"}),
)  # fmt: skip
"""One problem per part of SymPy that builds tables when first used, which no child should pay for."""
_PACKAGES = ("assumptions", "calculus", "concrete", "functions", "integrals", "matrices", "ntheory", "polys", "series",
             "sets", "simplify", "solvers")  # fmt: skip
_NOT_NEEDED = re.compile(r"\.(tests|benchmarks|\w+_doc)(\.|$)")


def main(arguments: list[str]) -> None:
    """Warm up, lock in and serve batches until standard input closes."""
    memory_mb = int(arguments[0])
    import_everything()
    for operation, expression, extra in _WARM_UP:
        with contextlib.suppress(OperationError):
            compute({"operation": operation, "expression": expression, "arguments": extra})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limits.limit_worker(memory_mb << 20)
    isolated = lock_in()
    gc.collect()
    gc.freeze()
    _write(1, {"ready": True, "isolated": isolated})
    for line in sys.stdin:
        request = json.loads(line)
        for outcome in run_batch(request["items"], request["cpu_seconds"]):
            _write(1, outcome)


def import_everything() -> None:
    """Import what SymPy would import when first used: once locked in, there is no file left to import from."""
    for name in _PACKAGES:
        package = importlib.import_module(f"sympy.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _NOT_NEEDED.search(module.name):
                importlib.import_module(module.name)


def lock_in() -> bool:
    """Enter empty namespaces behind a system call filter; False where the kernel allows neither.

    Without them the limits still hold, and the grammar is still all that reaches SymPy.
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


def run_batch(items: list[dict[str, Any]], cpu_seconds: float) -> Iterator[dict[str, Any]]:
    """One outcome per item, in order: what `run_item` returns, or `{"killed": reason}`."""
    n_done = 0
    while n_done < len(items):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(items[n_done:], cpu_seconds, writing)
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


def _child(items: list[dict[str, Any]], cpu_seconds: float, writing: int) -> None:
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


def run_item(item: dict[str, Any]) -> dict[str, Any]:
    """Of an admission `{"task"}` or `{"rejected", "detail"}`, of a judgement `{"status", "reason"}`."""
    try:
        if item["do"] == "admit":
            return {"task": admit(item["kind"], item["fields"])}
        decision, reason = judge(item["kind"], item["given"], item["gold"], item["answer"], equal_on)
    except OperationError as error:
        return {"rejected": error.reason, "detail": error.detail}
    except MemoryError:
        return {"killed": "memory"}
    except Exception as error:
        return {"killed": "crash", "detail": f"{type(error).__name__}: {error}"[:200]}
    return {"status": _STATUS[decision], "reason": reason}


if __name__ == "__main__":
    main(sys.argv[1:])
