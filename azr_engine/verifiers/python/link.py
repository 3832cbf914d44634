"""One worker's connection, seen from the supervisor: frames out, outcomes in, and one way to fail."""

from __future__ import annotations

import asyncio
import marshal
from typing import Any

from azr_engine.verifiers.python.wire import LENGTH, Call, Outcome, unpack_outcomes


class WorkerDied(Exception):
    """The worker went away or broke the protocol; the message says how."""


class Link(asyncio.Protocol):
    """A byte stream to one worker, cut into frames."""

    def __init__(self) -> None:
        self.answers: dict[int, asyncio.Future[list[Outcome]]] = {}
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.alive = True
        self._buffer = bytearray()
        self._outbox: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while len(self._buffer) >= LENGTH.size:
                length = LENGTH.unpack_from(self._buffer)[0]
                end = LENGTH.size + length
                if len(self._buffer) < end:
                    break
                payload = bytes(self._buffer[LENGTH.size : end])
                del self._buffer[:end]
                self._take(payload)
        except ValueError as error:
            self.lose(WorkerDied(str(error)))

    def _take(self, payload: bytes) -> None:
        if not payload:
            if not self.ready.done():
                self.ready.set_result(None)
            return
        outcomes, used = unpack_outcomes(payload, LENGTH.size)
        answer = self.answers.pop(LENGTH.unpack_from(payload)[0], None)
        if used != len(payload) or answer is None:
            raise ValueError("the worker broke the protocol")
        if not answer.done():
            answer.set_result(outcomes)

    def connection_lost(self, error: Exception | None) -> None:
        self.lose(WorkerDied("the worker closed the connection"))

    def ask(self, call: Call) -> asyncio.Future[list[Outcome]]:
        """Send one call; the future brings its outcomes or `WorkerDied`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Outcome]] = loop.create_future()
        if not self.alive or self._transport is None:
            answer.set_exception(WorkerDied("the worker is gone"))
            return answer
        self.answers[call.job] = answer
        payload = marshal.dumps(tuple(call), 2)
        if not self._outbox:
            loop.call_soon(self._flush)  # what is asked until then leaves in one piece
        self._outbox.append(LENGTH.pack(len(payload)) + payload)
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
