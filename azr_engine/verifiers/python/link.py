"""One worker's connection, seen from the supervisor: requests out, results in, and one way to fail."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from azr_engine.verifiers.python.wire import NUMBER_BYTES, pack_number, unpack_number


class WorkerDied(Exception):
    """The worker went away or broke the protocol; the message says how."""


class Link(asyncio.Protocol):
    """A byte stream to one worker, cut into frames."""

    def __init__(self) -> None:
        self.answers: dict[int, asyncio.Future[bytes]] = {}
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.alive = True
        self._jobs = itertools.count(1)
        self._buffer = bytearray()
        self._outbox: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while len(self._buffer) >= NUMBER_BYTES:
                end = NUMBER_BYTES + unpack_number(self._buffer)
                if len(self._buffer) < end:
                    break
                payload = bytes(self._buffer[NUMBER_BYTES:end])
                del self._buffer[:end]
                self._take(payload)
        except ValueError as error:
            self.lose(WorkerDied(str(error)))

    def _take(self, payload: bytes) -> None:
        if not payload:
            if not self.ready.done():
                self.ready.set_result(None)
            return
        answer = self.answers.pop(unpack_number(payload), None)
        if answer is None:
            raise ValueError("the worker broke the protocol")
        if not answer.done():
            answer.set_result(payload)

    def connection_lost(self, error: Exception | None) -> None:
        self.lose(WorkerDied("the worker closed the connection"))

    def ask(self, call: bytes) -> asyncio.Future[bytes]:
        """Send one call; the future brings the result, whose outcomes start at byte `NUMBER_BYTES`, or `WorkerDied`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        if not self.alive or self._transport is None:
            answer.set_exception(WorkerDied("the worker is gone"))
            return answer
        job = next(self._jobs) & 0xFFFFFFFF
        self.answers[job] = answer
        if not self._outbox:
            loop.call_soon(self._flush)  # what is asked until then leaves in one piece
        self._outbox.append(pack_number(NUMBER_BYTES + len(call)) + pack_number(job) + call)
        return answer

    def _flush(self) -> None:
        pieces, self._outbox = self._outbox, []
        if self.alive and self._transport is not None:
            self._transport.write(b"".join(pieces))

    def lose(self, error: WorkerDied) -> None:
        """Fail all that is under way and drop the connection."""
        self.alive = False
        pending: list[asyncio.Future[Any]] = [self.ready, *self.answers.values()]
        for future in pending:
            if not future.done():
                future.set_exception(error)
        if not self.ready.cancelled():
            self.ready.exception()  # marks it as seen: a worker may die with nobody waiting for it to start
        self.answers.clear()
        if self._transport is not None:
            self._transport.close()
