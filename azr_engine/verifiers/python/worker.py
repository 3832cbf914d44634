"""The worker: a fork server that runs each program in a child of its own, under supervision.

    boot.py azr_engine.verifiers.python.worker TIER MEMORY_BYTES [modules] [group=FOLDER]
    TIER: namespaces | container | process

It moves into the control group, imports what programs may use (nothing without `modules`), locks itself in, and then
takes requests from file descriptor 0 until that closes, and answers on the same (a socket) or, in a container, on 1.
Each request gets a fresh child, which dies with it; a child killed half-way is followed by another for the remaining
inputs. CPU time is bounded by the kernel (SIGPROF) and by the child's CPU clock read from here; wall time is bounded
from here. Several children run at once, so that looping ones do not hold up the queue.

Every page that this process writes between two forks is copied again, which costs more than the work itself. So what
a child writes stays in its pipe until the child has ended or the next tick, and a request that goes well passes
through unread in both directions.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time

from azr_engine.verifiers.python import child
from azr_engine.verifiers.python.wire import (
    END,
    MAX_CHILDREN,
    NUMBER_BYTES,
    Call,
    pack_number,
    pack_outcome,
    unpack_number,
    unpack_outcomes,
)
from azr_engine.verifiers.sandbox import libc, limits, namespaces, signals
from azr_engine.verifiers.sandbox.cage import Cage
from azr_engine.verifiers.sandbox.cage import holds as cage_holds
from azr_engine.verifiers.sandbox.killer import Killer
from azr_engine.verifiers.sandbox.seccomp import Filter

_CHILD_CALLS = """
    read write close fstat lseek mmap mprotect munmap mremap brk madvise rt_sigaction rt_sigprocmask rt_sigreturn
    sched_yield sigaltstack futex getpid gettid getuid getgid geteuid getegid getppid exit exit_group time clock_gettime
    clock_getres getrusage setitimer getitimer set_robust_list rseq
"""
_WORKER_CALLS = " clone fork wait4 poll ppoll pipe2 prlimit64 setrlimit dup dup2 dup3 close_range "
"""Of no use to a child in its cage. Installing a filter of its own in each child would cost more than its work."""
_TICK_MS = 100
_READ_BYTES = 1 << 14
"""Enough for most results at once, and no new memory for each."""

_CONTROL, _STDOUT = 0, 1


def main(arguments: list[str]) -> None:
    """Lock in and serve until the supervisor closes the connection."""
    tier, memory_bytes, *options = arguments
    for option in options:
        if option.startswith("group="):
            limits.join_group(option.removeprefix("group="))
    if "modules" in options:
        child.import_modules()
    limits.limit_worker(int(memory_bytes))
    if tier == "namespaces":
        namespaces.enter()
    elif tier == "process":
        namespaces.become_nobody()
        signals.handle(signals.SIGTERM, lambda *_: sys.exit())
    signals.handle(signals.SIGPROF, signals.SIG_DFL)  # the CPU clock's; whoever started us may have ignored it
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(libc.PR_SET_DUMPABLE, 0)
    killer = Killer(filtered=tier != "process")
    if tier == "process":
        cage = Cage(limits.die_with_parent)
    elif cage_holds():
        cage = Cage()
        Filter((_CHILD_CALLS + _WORKER_CALLS).split()).install()
    else:
        sys.exit("here a process forks past its limit on processes")
    child.silence()
    child.warm_up()
    gc.collect()
    libc.trim_heap()
    gc.freeze()
    worker = _Worker(killer, cage, _STDOUT if tier == "container" else _CONTROL)
    try:
        worker.run()
    finally:
        worker.kill_all()


class _Child:
    """One running child: the request it serves from input `n_given` on, and what came of the inputs before."""

    __slots__ = ("_call", "given", "n_given", "pid", "request", "started", "unread")

    def __init__(self, request: bytes, given: bytes, n_given: int, pid: int) -> None:
        self.request, self.given, self.n_given, self.pid = request, given, n_given, pid
        self.unread = b""
        self.started = time.monotonic()
        self._call: Call | None = None

    @property
    def call(self) -> Call:
        """What the request says; nobody asks of a child that is quick and well."""
        if self._call is None:
            self._call = Call.unpack(self.request[NUMBER_BYTES:])
        return self._call


class _Worker:
    def __init__(self, killer: Killer, cage: Cage, replies: int) -> None:
        self._killer = killer
        self._cage = cage
        self._replies = replies
        self._poll = select.poll()
        self._poll.register(_CONTROL, select.POLLIN)
        self._inbox = self._outbox = b""
        self._waiting: list[bytes] = []
        self._children: dict[int, _Child] = {}
        self._next_tick = 0.0

    def run(self) -> None:
        self._send(b"")  # ready
        while True:
            self._flush()
            for pipe, event in self._poll.poll(_TICK_MS if self._children else None):
                if pipe == _CONTROL:
                    if not self._read_control():
                        return
                elif event & select.POLLIN and not event & select.POLLHUP:
                    self._take(pipe, os.read(pipe, _READ_BYTES))
                else:
                    self._collect(pipe)
            now = time.monotonic()
            if now >= self._next_tick:
                self._next_tick = now + _TICK_MS / 1000
                self._drain()
                self._enforce_limits(now)
            self._flush()  # before the next forks, which take their time
            while self._waiting and len(self._children) < MAX_CHILDREN:
                self._fork(self._waiting.pop(0), b"", 0)

    def _read_control(self) -> bool:
        data = os.read(_CONTROL, _READ_BYTES)
        inbox, at = self._inbox + data, 0
        while len(inbox) - at >= NUMBER_BYTES:
            start = at + NUMBER_BYTES
            end = start + unpack_number(inbox, at)
            if len(inbox) < end:
                break
            self._waiting.append(inbox[start:end])
            at = end
        self._inbox = inbox[at:]
        return bool(data)

    def _send(self, payload: bytes) -> None:
        self._outbox += pack_number(len(payload)) + payload

    def _flush(self) -> None:
        """Let what has been sent since leave in one piece."""
        while self._outbox:
            self._outbox = self._outbox[os.write(self._replies, self._outbox) :]

    def _fork(self, request: bytes, given: bytes, n_given: int) -> None:
        pipes: tuple[int, ...] = ()
        try:
            pipes = reading, writing = os.pipe2(0)
            pid = libc.fork()
        except OSError:
            for pipe in pipes:
                os.close(pipe)
            self._answer(request, given, n_given, "fault", "no process")
            return
        if pid == 0:
            status = 1
            try:
                child.live(self._cage, request[NUMBER_BYTES:], n_given, writing)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        self._children[reading] = _Child(request, given, n_given, pid)
        self._poll.register(reading, 0)  # tells when the child has ended

    def _collect(self, pipe: int) -> None:
        """Hand on what a child gave, now that it has closed its pipe."""
        running = self._children[pipe]
        data = os.read(pipe, _READ_BYTES)
        if running.unread or data[-1:] != END:
            self._take(pipe, data)
            return
        self._forget(pipe)
        if not os.waitpid(running.pid, os.WNOHANG)[0]:
            self._kill(running.pid)
        self._send(running.request[:NUMBER_BYTES] + running.given + data)

    def _forget(self, pipe: int) -> _Child:
        self._poll.unregister(pipe)
        os.close(pipe)
        return self._children.pop(pipe)

    def _drain(self) -> None:
        """Take what children have written so far, lest one waits for room in its pipe."""
        pipes = select.poll()
        for pipe in self._children:
            pipes.register(pipe, select.POLLIN)
        for pipe, _ in pipes.poll(0):
            self._take(pipe, os.read(pipe, _READ_BYTES))

    def _take(self, pipe: int, data: bytes) -> None:
        """Sort what a child wrote into outcomes, and end it when there is nothing more to expect."""
        running = self._children[pipe]
        running.unread += data
        end, verdict = 0, None
        try:
            for outcome in unpack_outcomes(running.unread):
                end = outcome[-1]
                running.n_given += 1
        except ValueError:
            verdict = "crash", "broken result"
        if end:
            running.given += running.unread[:end]
            running.unread = running.unread[end:]
            running.started = time.monotonic()
        if verdict or not data or running.n_given >= len(running.call.arguments):
            self._end(pipe, verdict)
        else:
            self._poll.modify(pipe, select.POLLIN)  # it has much to say

    def _enforce_limits(self, now: float) -> None:
        for pipe, running in list(self._children.items()):
            call = running.call
            budget = call.cpu_seconds * (len(call.arguments) + 1)
            if now - running.started > call.wall_seconds or _cpu_seconds(running.pid) > budget:
                self._end(pipe, ("timeout", ""))

    def _end(self, pipe: int, verdict: tuple[str, str] | None) -> None:
        """Reap the child; go on in another one if inputs remain."""
        running = self._forget(pipe)
        call, given, n_given = running.call, running.given, running.n_given
        used = _cpu_seconds(running.pid)
        cause = self._reap(running.pid)
        if n_given < len(call.arguments):
            given += pack_outcome(*(verdict or cause), used)
            n_given += 1
        if n_given < len(call.arguments) and not call.essential and n_given <= len(call.arguments) - call.n_probes:
            self._fork(running.request, given, n_given)
        else:
            self._answer(running.request, given, n_given, "skipped")

    def _answer(self, request: bytes, given: bytes, n_given: int, status: str, text: str = "") -> None:
        """Send what was given, with `status` for each input that is left."""
        n_left = len(Call.unpack(request[NUMBER_BYTES:]).arguments) - n_given
        self._send(request[:NUMBER_BYTES] + given + pack_outcome(status, text) * n_left)

    def kill_all(self) -> None:
        """End every child that still runs."""
        for running in self._children.values():
            self._kill(running.pid)

    def _kill(self, pid: int) -> int:
        """End a child and return its exit status as `os.waitpid` gives it."""
        self._killer.kill(pid)
        return os.waitpid(pid, 0)[1]

    def _reap(self, pid: int) -> tuple[str, str]:
        """End a child, if it has not ended yet, and tell what it died of: a status with its text."""
        reaped, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status if reaped else self._kill(pid))
        if code == -signals.SIGKILL and not reaped:
            return "crash", "gave up its results"  # it lived on after it had closed its pipe
        if code in (-signals.SIGPROF, -signals.SIGXCPU):
            return "timeout", ""
        if code == -signals.SIGKILL:
            return "memory", ""  # not by us: the kernel's memory cap
        return "crash", f"signal {-code}" if code < 0 else f"exit {code}"


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime(limits.cpu_clock_id(pid))
    except OSError:
        return 0.0  # gone already
