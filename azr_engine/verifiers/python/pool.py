"""The supervisor's side: an asyncio pool of workers that any tier can launch.

Each worker holds a few requests at once (lanes), so that it never waits for us; a full pool makes `run` wait, which is
the backpressure. Every request first gets a small slice of CPU time; one that needs more starts again, with its whole
limit, in one of the few lanes kept for such, so that endless programs crowd out no others. A worker that dies or falls
silent takes its unfinished requests with it: each is retried once on a fresh worker and then reported as `fault`.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from azr_engine.verifiers.python.link import Link, WorkerDied
from azr_engine.verifiers.python.outcomes import Outcome, read_outcomes
from azr_engine.verifiers.python.requests import N_HASH_SEEDS, Limits, Place, Request
from azr_engine.verifiers.python.wire import MAX_CHILDREN, MAX_OUTCOME_BYTES, NUMBER_BYTES, Call

logger = logging.getLogger(__name__)

_SLICE_CPU_SECONDS = 0.1
_SLOW_LANES = 2
_QUICK_LANES = MAX_CHILDREN - _SLOW_LANES + 2
_MAX_QUEUED = 512
_START_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
"""After a worker that did not start, how long the place stays empty."""


class Handle(Protocol):
    """A launched worker: its link, and how to end it and hear why it died."""

    @property
    def link(self) -> Link:
        """Its connection."""
        ...

    def kill(self) -> str:
        """End it now, wait until it is gone, and return its last words."""
        ...


class Launcher(Protocol):
    """How a tier starts a worker."""

    name: str
    cpu_factor: float
    """Seconds that its CPU clock may count for a second of a program's work."""

    async def launch(self, place: Place, limits: Limits) -> Handle:
        """Start a worker; its link becomes ready when it has locked itself in.

        Raises:
            WorkerDied: it cannot be started; the message is one clear line.
        """
        ...

    async def close(self) -> None:
        """Release what the workers shared."""
        ...


class _Need(NamedTuple):
    """What a job asks of the lane that serves it; a `hash_seed` of None is content with any."""

    hash_seed: int | None
    modules: bool
    slow: bool


@dataclass(slots=True, eq=False)
class _Job:
    request: Request
    done: asyncio.Future[list[Outcome]]
    retried: bool = False
    slow: bool = False
    spent: Sequence[float] = ()

    @property
    def need(self) -> _Need:
        return _Need(self.request.hash_seed, self.request.program.imports, self.slow)


class _Backlog:
    """Jobs that wait for a lane, and lanes that wait for a job."""

    def __init__(self) -> None:
        self._jobs: dict[_Need, collections.deque[_Job]] = collections.defaultdict(collections.deque)
        self._idle: dict[_Need, collections.deque[asyncio.Future[_Job]]] = collections.defaultdict(collections.deque)

    def put(self, job: _Job) -> None:
        idle = self._idle[job.need]
        while idle:
            future = idle.popleft()
            if not future.done():
                future.set_result(job)
                return
        self._jobs[job.need].append(job)

    async def take(self, needs: Sequence[_Need]) -> _Job:
        for need in needs:
            if self._jobs[need]:
                return self._jobs[need].popleft()
        future: asyncio.Future[_Job] = asyncio.get_running_loop().create_future()
        for need in needs:
            self._idle[need].append(future)
        job = await future
        for need in needs:
            # Between `put` and here another job may have met this lane, and crossed it off as taken.
            with contextlib.suppress(ValueError):
                self._idle[need].remove(future)
        return job


class _Slot:
    """The place of one worker, refilled when it dies; starts it when the first job comes."""

    def __init__(self, launcher: Launcher, limits: Limits, place: Place) -> None:
        self._launcher, self._limits, self.place = launcher, limits, place
        self._handle: Handle | None = None
        self._starting = asyncio.Lock()
        self._failed: tuple[float, str] = (-_PAUSE_SECONDS, "")

    async def run(self, request: Request, cpu_seconds: float) -> list[Outcome]:
        handle = await self._living()
        call = self._call(request, cpu_seconds)
        # The worker keeps the wall limit of each input; this one holds when the worker itself is stuck.
        patience = self._limits.wall_seconds * (len(call.arguments) + MAX_CHILDREN) + _START_SECONDS
        answer = handle.link.ask(call.pack())
        try:
            async with asyncio.timeout(patience):
                result = await answer
        except TimeoutError:
            handle.link.lose(WorkerDied("the worker fell silent"))
            raise WorkerDied("the worker fell silent") from None
        return read_outcomes(result, NUMBER_BYTES, len(call.arguments))

    async def _living(self) -> Handle:
        if self._handle is not None and self._handle.link.alive and self._handle.link.ready.done():
            return self._handle
        async with self._starting:
            if self._handle is not None and self._handle.link.alive:
                return self._handle
            self.kill()
            failed_at, words = self._failed
            if time.monotonic() - failed_at < _PAUSE_SECONDS:
                raise WorkerDied(words)
            try:
                self._handle = await self._launcher.launch(self.place, self._limits)
                async with asyncio.timeout(_START_SECONDS):
                    await self._handle.link.ready
            except (WorkerDied, TimeoutError) as error:
                words = self.kill() or f"the worker did not start: {error}"
                self._failed = time.monotonic(), words
                raise WorkerDied(words) from None
            return self._handle

    def _call(self, request: Request, cpu_seconds: float) -> Call:
        limits, program = self._limits, request.program
        return Call(
            source="" if program.code else program.source,
            code=program.code,
            function=program.function,
            arguments=[arguments.packed for arguments in (*request.inputs, *request.probes)],
            n_probes=len(request.probes),
            essential=request.essential,
            pure=request.pure,
            cpu_seconds=cpu_seconds * self._launcher.cpu_factor,
            probe_cpu_seconds=limits.probe_cpu_seconds * self._launcher.cpu_factor,
            wall_seconds=limits.wall_seconds,
        )

    def kill(self) -> str:
        if self._handle is None:
            return ""
        words, self._handle = self._handle.kill(), None
        if words:
            logger.warning("a %s worker died: %s", self._launcher.name, words)
        return words


class WorkerPool:
    """An `Executor` over the workers of one tier. Bound to the event loop of its first `run`; `close` unbinds it."""

    def __init__(self, launcher: Launcher, *, n_workers: int, limits: Limits, announcement: str = "") -> None:
        """`announcement` is a line for stderr when the first request comes."""
        self._announcement = announcement
        self.name = launcher.name
        self.limits = limits
        self._launcher = launcher
        self._n_workers = n_workers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: list[_Slot] = []
        self._lanes: list[asyncio.Task[None]] = []

    async def run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """See `Executor.run`."""
        if not requests:
            return []
        self._bind()
        loop = asyncio.get_running_loop()
        jobs: list[_Job] = []
        try:
            for request in requests:
                await self._room.acquire()
                jobs.append(_Job(request, loop.create_future()))
                self._backlog.put(jobs[-1])
            return [await job.done for job in jobs]
        finally:
            for job in jobs:
                job.done.cancel()  # of no effect on what is done

    async def close(self) -> None:
        """See `Executor.close`."""
        self._unbind()
        await self._launcher.close()

    def _bind(self) -> None:
        """Start the lanes; a pool last used by another event loop begins anew, since that loop's links are dead."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._unbind()
        if self._announcement:
            print(self._announcement, file=sys.stderr)
            self._announcement = ""
        self._loop = loop
        self._backlog = _Backlog()
        self._room = asyncio.Semaphore(_MAX_QUEUED)
        n_common = max(3, self._n_workers)
        for index in range(max(N_HASH_SEEDS, self._n_workers)):
            for has_modules in (False, True):
                slot = _Slot(self._launcher, self.limits, Place(index % N_HASH_SEEDS, has_modules))
                self._slots.append(slot)
                for number in range(_QUICK_LANES + _SLOW_LANES):
                    lane = self._serve(slot, index < n_common, number >= _QUICK_LANES)
                    self._lanes.append(loop.create_task(lane))

    def _unbind(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            for lane in self._lanes:
                lane.cancel()
        for slot in self._slots:
            slot.kill()
        self._loop, self._slots, self._lanes = None, [], []

    async def _serve(self, slot: _Slot, takes_any: bool, slow: bool) -> None:
        hash_seed, has_modules = slot.place
        needs = [_Need(seed, has_modules, slow) for seed in ((hash_seed, None) if takes_any else (hash_seed,))]
        while True:
            job = await self._backlog.take(needs)
            if not job.done.done():
                await self._attempt(job, slot)
            if job.done.done() and not job.slow:
                self._room.release()

    async def _attempt(self, job: _Job, slot: _Slot) -> None:
        """Run a job; settle it, or put it back for a second attempt."""
        limit = self.limits.cpu_seconds
        first_limit = limit if job.slow else min(limit, _SLICE_CPU_SECONDS)
        try:
            outcomes = await slot.run(job.request, first_limit)
        except WorkerDied as death:
            outcomes = _faults(job.request, str(death))
        except Exception as error:
            # A lane that ended here would leave its job, and whoever waits for it, unanswered for ever.
            logger.exception("a %s worker's lane failed", self._launcher.name)
            outcomes = _faults(job.request, f"{type(error).__name__} in the lane")
        if job.done.done():
            return
        if not job.retried and any(outcome.status == "fault" for outcome in outcomes):
            job.retried = True
            self._backlog.put(job)
        elif first_limit < limit and any(_needs_more(outcome) for outcome in outcomes[: len(job.request.inputs)]):
            job.slow, job.spent = True, [outcome.cpu_seconds for outcome in outcomes]
            self._room.release()  # what is slow must not keep others from coming in
            self._backlog.put(job)
        else:
            job.done.set_result(_with_time(outcomes, job.spent) if job.spent else outcomes)


def _faults(request: Request, words: str) -> list[Outcome]:
    """Every input and probe of a request as a fault of ours."""
    return [Outcome("fault", words[: MAX_OUTCOME_BYTES // 4])] * (len(request.inputs) + len(request.probes))


def _needs_more(outcome: Outcome) -> bool:
    """Whether a first attempt was cut short for its CPU time, not its wall time."""
    return outcome.status == "timeout" and outcome.cpu_seconds >= _SLICE_CPU_SECONDS / 2


def _with_time(outcomes: list[Outcome], spent: Sequence[float]) -> list[Outcome]:
    """The outcomes of the last attempt with the CPU time of the first one added."""
    return [
        outcome._replace(cpu_seconds=outcome.cpu_seconds + seconds)
        for outcome, seconds in zip(outcomes, spent, strict=True)
    ]
