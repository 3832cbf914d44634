"""The worker: a fork server that runs each program in a child of its own, under supervision.

    boot.py azr_engine.verifiers.python.worker TIER MEMORY_BYTES [modules]      TIER: namespaces | container | process

It imports what programs may use (nothing without `modules`), locks itself in, and then takes requests from file
descriptor 0 until that closes, and answers on the same (a socket) or, in a container, on 1. Each call gets a fresh
child, which dies with it; a child killed half-way is followed by another for the remaining inputs. CPU time is bounded
by the kernel (SIGPROF) and by the child's CPU clock read from here; wall time is bounded from here. Several children
run at once, so that looping ones do not hold up the queue.

A child's outcomes stay in its pipe until it ends or the next tick: waking up for each would cost more than it is
worth, because every page that this process writes between two forks is copied again.
"""

from __future__ import annotations

import collections
import gc
import marshal
import os
import select
import sys
import time

from azr_engine.verifiers.python import child
from azr_engine.verifiers.python.wire import LENGTH, MAX_CHILDREN, Call, Outcome, pack_outcome, unpack_outcomes
from azr_engine.verifiers.sandbox import libc, limits, namespaces, signals
from azr_engine.verifiers.sandbox.seccomp import Filter

_CHILD_CALLS = """
    read write close fstat lseek mmap mprotect munmap mremap brk madvise rt_sigaction rt_sigprocmask rt_sigreturn
    sched_yield sigaltstack futex getpid gettid getuid getgid geteuid getegid getppid exit exit_group time clock_gettime
    clock_getres getrusage setitimer getitimer set_robust_list rseq
"""
_WORKER_CALLS = """
    prctl clone fork wait4 kill poll ppoll pipe2 prlimit64 setrlimit dup dup2 dup3 close_range fcntl
"""
_TICK_MS = 50
_READ_BYTES = 1 << 16
_CONTROL, _STDOUT, _RESULT = 0, 1, 3


def main(arguments: list[str]) -> None:
    """Lock in and serve until the supervisor closes the connection."""
    tier, memory_bytes = arguments[0], int(arguments[1])
    if "modules" in arguments[2:]:
        child.import_modules()
    limits.limit_worker(memory_bytes)
    child_filter = None
    if tier == "namespaces":
        namespaces.enter()
    elif tier == "process":
        namespaces.become_nobody()
        signals.handle(signals.SIGTERM, lambda *_: sys.exit())
    signals.handle(signals.SIGPROF, signals.SIG_DFL)  # the CPU clock's; whoever started us may have ignored it
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(libc.PR_SET_DUMPABLE, 0)
    if tier != "process":
        child_filter = Filter(_CHILD_CALLS.split())
        Filter((_CHILD_CALLS + _WORKER_CALLS).split()).install()
    child.silence()
    child.warm_up()
    gc.collect()
    gc.freeze()
    gc.disable()
    worker = _Worker(child_filter, _STDOUT if tier == "container" else _CONTROL)
    try:
        worker.run()
    finally:
        worker.kill_all()


class _Child:
    """One running child and what it has written so far."""

    __slots__ = ("buffer", "call", "outcomes", "pid", "pipe", "started", "worker")

    def __init__(self, call: Call, outcomes: list[Outcome], pid: int, pipe: int) -> None:
        self.call, self.outcomes, self.pid, self.pipe = call, outcomes, pid, pipe
        self.buffer = bytearray()
        self.started = time.monotonic()


class _Worker:
    def __init__(self, child_filter: Filter | None, replies: int) -> None:
        self._filter = child_filter
        self._replies = replies
        self._poll = select.poll()
        self._poll.register(_CONTROL, select.POLLIN)
        self._inbox = bytearray()
        self._waiting: collections.deque[Call] = collections.deque()
        self._children: dict[int, _Child] = {}
        self._next_tick = 0.0

    def run(self) -> None:
        self._send(b"")  # ready
        while True:
            for descriptor, _ in self._poll.poll(_TICK_MS if self._children else None):
                if descriptor != _CONTROL:
                    self._read_child(self._children[descriptor])
                elif not self._read_control():
                    return
            now = time.monotonic()
            if now >= self._next_tick:
                self._next_tick = now + _TICK_MS / 1000
                self._drain()
                self._enforce_limits(now)
            while self._waiting and len(self._children) < MAX_CHILDREN:
                self._fork(self._waiting.popleft(), [])

    def _read_control(self) -> bool:
        data = os.read(_CONTROL, _READ_BYTES)
        self._inbox += data
        while len(self._inbox) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._inbox)[0]
            if len(self._inbox) < end:
                break
            self._waiting.append(Call(*marshal.loads(self._inbox[LENGTH.size : end])))
            del self._inbox[:end]
        return bool(data)

    def _send(self, payload: bytes) -> None:
        view = memoryview(LENGTH.pack(len(payload)) + payload)
        while view:
            view = view[os.write(self._replies, view) :]

    def _fork(self, call: Call, outcomes: list[Outcome]) -> None:
        try:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            pid = os.fork()
        except OSError:
            self._finish(call, outcomes + [Outcome("fault", "no process")] * (len(call.arguments) - len(outcomes)))
            return
        if pid == 0:
            self._become_child(call, len(outcomes), writing)
        os.close(writing)
        self._children[reading] = _Child(call, outcomes, pid, reading)
        self._poll.register(reading, 0)  # tells when the child has ended

    def _become_child(self, call: Call, first: int, writing: int) -> None:
        status = 1
        try:
            os.dup2(writing, _RESULT)
            os.closerange(0, _RESULT)
            os.closerange(_RESULT + 1, limits.OPEN_FILES)
            if self._filter:  # which forbids processes and threads too
                self._filter.install()
            else:
                limits.forbid_processes()
                limits.die_with_parent()
            gc.enable()
            child.serve(call, first, _RESULT)
            status = 0
        finally:
            os._exit(status)

    def _read_child(self, running: _Child) -> None:
        data = os.read(running.pipe, _READ_BYTES)
        running.buffer += data
        try:
            new, used = unpack_outcomes(running.buffer)
        except ValueError:
            self._end(running, Outcome("crash", "broken result"))
            return
        del running.buffer[:used]
        if new:
            running.outcomes += new
            running.started = time.monotonic()
        if not data or len(running.outcomes) >= len(running.call.arguments):
            self._end(running, None)

    def _drain(self) -> None:
        """Take what children have written so far, lest one waits for room in its pipe."""
        pipes = select.poll()
        for pipe in self._children:
            pipes.register(pipe, select.POLLIN)
        for pipe, _ in pipes.poll(0):
            self._read_child(self._children[pipe])

    def _enforce_limits(self, now: float) -> None:
        for running in list(self._children.values()):
            call = running.call
            budget = call.cpu_seconds * (len(call.arguments) + 1)
            if now - running.started > call.wall_seconds or _cpu_seconds(running.pid) > budget:
                self._end(running, Outcome("timeout"))

    def _end(self, running: _Child, verdict: Outcome | None) -> None:
        """Reap the child; go on in another one if inputs remain."""
        call, outcomes = running.call, running.outcomes
        self._poll.unregister(running.pipe)
        del self._children[running.pipe]
        os.close(running.pipe)
        missing = len(call.arguments) - len(outcomes)
        used = _cpu_seconds(running.pid) if missing > 0 else 0.0
        cause = _reap(running.pid)
        if missing > 0:
            outcomes.append((verdict or cause)._replace(cpu_seconds=used))
            missing -= 1
        n_inputs = len(call.arguments) - call.n_probes
        if missing > 0 and not call.essential and len(outcomes) <= n_inputs:
            self._fork(call, outcomes)
        else:
            self._finish(call, outcomes[: len(call.arguments)] + [Outcome("skipped")] * missing)

    def _finish(self, call: Call, outcomes: list[Outcome]) -> None:
        self._send(LENGTH.pack(call.job) + b"".join([pack_outcome(outcome) for outcome in outcomes]))

    def kill_all(self) -> None:
        """End every child that still runs."""
        for running in self._children.values():
            os.kill(running.pid, signals.SIGKILL)
            os.waitpid(running.pid, 0)


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime(limits.cpu_clock_id(pid))
    except OSError:
        return 0.0  # gone already


def _reap(pid: int) -> Outcome:
    """End a child, if it has not ended yet, and tell what it died of."""
    reaped, status = os.waitpid(pid, os.WNOHANG)
    if not reaped:
        os.kill(pid, signals.SIGKILL)
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == -signals.SIGKILL and not reaped:
        return Outcome("crash", "gave up its results")  # it lived on after it had closed its pipe
    if code in (-signals.SIGPROF, -signals.SIGXCPU):
        return Outcome("timeout")
    if code == -signals.SIGKILL:
        return Outcome("memory")  # not by us: the kernel's memory cap
    return Outcome("crash", f"signal {-code}" if code < 0 else f"exit {code}")
