"""The supervisor's side: an asyncio pool of workers that any tier can launch.

Each worker holds a few requests at once (lanes), so that it never waits for us; a full pool makes `run` wait, which is
the backpressure. A worker that dies or falls silent takes its unfinished requests with it: each is retried once on a
fresh worker and then reported as `fault`.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from azr_engine.verifiers.python.link import Link, WorkerDied
from azr_engine.verifiers.python.requests import N_HASH_SEEDS, Limits, Request
from azr_engine.verifiers.python.wire import MAX_CHILDREN, MAX_OUTCOME_BYTES, Call, Outcome

logger = logging.getLogger(__name__)

_LANES = MAX_CHILDREN + 2
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

    async def launch(self, hash_seed: int, limits: Limits) -> Handle:
        """Start a worker; its link becomes ready when it has locked itself in.

        Raises:
            WorkerDied: it cannot be started; the message is one clear line.
        """
        ...

    async def close(self) -> None:
        """Release what the workers shared."""
        ...


class _Job:
    __slots__ = ("done", "request", "retried")

    def __init__(self, request: Request, done: asyncio.Future[list[Outcome]]) -> None:
        self.request, self.done, self.retried = request, done, False


class _Backlog:
    """Jobs that wait for a worker: some for one of a given hash seed, some for any that takes common work."""

    def __init__(self) -> None:
        self._own: list[collections.deque[_Job]] = [collections.deque() for _ in range(N_HASH_SEEDS)]
        self._common: collections.deque[_Job] = collections.deque()
        self._idle: collections.deque[tuple[int, bool, asyncio.Future[_Job]]] = collections.deque()

    def put(self, job: _Job) -> None:
        seed = job.request.hash_seed
        for waiting in self._idle:
            own_seed, takes_common, future = waiting
            if not future.done() and (own_seed == seed or (seed is None and takes_common)):
                self._idle.remove(waiting)
                future.set_result(job)
                return
        (self._common if seed is None else self._own[seed]).append(job)

    async def take(self, seed: int, takes_common: bool) -> _Job:
        if self._own[seed]:
            return self._own[seed].popleft()
        if takes_common and self._common:
            return self._common.popleft()
        future: asyncio.Future[_Job] = asyncio.get_running_loop().create_future()
        self._idle.append((seed, takes_common, future))
        return await future


class _Slot:
    """The place of one worker, refilled when it dies; starts it when the first job comes."""

    def __init__(self, launcher: Launcher, limits: Limits, hash_seed: int) -> None:
        self._launcher, self._limits, self._hash_seed = launcher, limits, hash_seed
        self._handle: Handle | None = None
        self._starting = asyncio.Lock()
        self._failed: tuple[float, str] = (-_PAUSE_SECONDS, "")
        self._numbers = itertools.count(1)

    async def run(self, request: Request) -> list[Outcome]:
        handle = await self._living()
        call = self._call(request)
        # The worker keeps the wall limit of each input; this one holds when the worker itself is stuck.
        patience = self._limits.wall_seconds * (len(call.arguments) + _LANES) + _START_SECONDS
        answer = handle.link.ask(call)
        try:
            async with asyncio.timeout(patience):
                outcomes = await answer
        except TimeoutError:
            handle.link.lose(WorkerDied("the worker fell silent"))
            raise WorkerDied("the worker fell silent") from None
        if len(outcomes) != len(call.arguments):
            handle.link.lose(WorkerDied("the worker broke the protocol"))
            raise WorkerDied("the worker broke the protocol")
        return outcomes

    async def _living(self) -> Handle:
        async with self._starting:
            if self._handle is not None and self._handle.link.alive:
                return self._handle
            self.kill()
            failed_at, words = self._failed
            if time.monotonic() - failed_at < _PAUSE_SECONDS:
                raise WorkerDied(words)
            try:
                self._handle = await self._launcher.launch(self._hash_seed, self._limits)
                async with asyncio.timeout(_START_SECONDS):
                    await self._handle.link.ready
            except (WorkerDied, TimeoutError) as error:
                words = self.kill() or f"the worker did not start: {error}"
                self._failed = time.monotonic(), words
                raise WorkerDied(words) from None
            return self._handle

    def _call(self, request: Request) -> Call:
        limits, program = self._limits, request.program
        return Call(
            job=next(self._numbers) & 0xFFFFFFFF,
            source="" if program.code else program.source,
            code=program.code,
            function=program.function,
            arguments=[arguments.packed for arguments in (*request.inputs, *request.probes)],
            n_probes=len(request.probes),
            essential=request.essential,
            pure=request.pure,
            cpu_seconds=limits.cpu_seconds,
            probe_cpu_seconds=limits.probe_cpu_seconds,
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

    def __init__(self, launcher: Launcher, *, n_workers: int, limits: Limits) -> None:
        self.name = launcher.name
        self.limits = limits
        self._launcher = launcher
        self._n_workers = n_workers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: list[_Slot] = []
        self._lanes: list[asyncio.Task[None]] = []

    async def run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """See `Executor.run`."""
        self._bind()
        return list(await asyncio.gather(*[self._run_one(request) for request in requests]))

    async def close(self) -> None:
        """See `Executor.close`."""
        self._unbind()
        await self._launcher.close()

    async def _run_one(self, request: Request) -> list[Outcome]:
        async with self._room:
            job = _Job(request, asyncio.get_running_loop().create_future())
            self._backlog.put(job)
            return await job.done

    def _bind(self) -> None:
        """Start the lanes; a pool last used by another event loop begins anew, since that loop's links are dead."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._unbind()
        self._loop = loop
        self._backlog = _Backlog()
        self._room = asyncio.Semaphore(_MAX_QUEUED)
        n_common = max(3, self._n_workers)
        for index in range(max(N_HASH_SEEDS, self._n_workers)):
            slot = _Slot(self._launcher, self.limits, index % N_HASH_SEEDS)
            self._slots.append(slot)
            for _ in range(_LANES):
                lane = self._serve(slot, index % N_HASH_SEEDS, index < n_common)
                self._lanes.append(loop.create_task(lane))

    def _unbind(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            for lane in self._lanes:
                lane.cancel()
        for slot in self._slots:
            slot.kill()
        self._loop, self._slots, self._lanes = None, [], []

    async def _serve(self, slot: _Slot, seed: int, takes_common: bool) -> None:
        while True:
            job = await self._backlog.take(seed, takes_common)
            try:
                outcomes = await slot.run(job.request)
            except WorkerDied as death:
                n_inputs = len(job.request.inputs) + len(job.request.probes)
                outcomes = [Outcome("fault", str(death)[: MAX_OUTCOME_BYTES // 4])] * n_inputs
            if not job.retried and any(outcome.status == "fault" for outcome in outcomes):
                job.retried = True
                self._backlog.put(job)
            elif not job.done.done():
                job.done.set_result(outcomes)
