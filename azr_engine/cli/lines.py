"""JSON lines in and out for `admit` and `judge`: bounded memory, order kept, the line number in every complaint.

Reading, working and writing overlap: while a few batches are under way the next is read and the first one done is
written. A batch is what the pipe held, so a program that writes one line and waits gets its answer.
"""

from __future__ import annotations

import asyncio
import collections
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, BinaryIO, TypeVar

from azr_engine.engine.errors import UserError

MAX_LINE_BYTES = 4_000_000
_CHUNK_BYTES = 1 << 16
_BATCHES_AHEAD = 4

Item = TypeVar("Item")
Line = dict[str, Any]
_Done = tuple[Sequence[dict[str, Any]], UserError | None] | None


async def stream(
    read: Callable[[int, Line], Item], work: Callable[[Sequence[Item]], Awaitable[Sequence[dict[str, Any]]]]
) -> None:
    """Take standard input through `read`, line by line, and `work`, batch by batch; print one JSON line for each.

    Blank lines are skipped. A line that cannot be read ends the stream once those before it are answered.

    Raises:
        UserError: a line is too long, is not JSON, is no object, or was refused by `read`; the message names it.
    """
    source = batches(sys.stdin.buffer, read)
    room = asyncio.Semaphore(_BATCHES_AHEAD)
    under_way: collections.deque[asyncio.Future[_Done]] = collections.deque()

    async def next_batch() -> _Done:
        """Read the next batch, have its successor read, and work on it."""
        await room.acquire()
        batch = await asyncio.to_thread(next, source, None)
        if batch is None:
            return None
        items, error = batch
        if error is None:
            under_way.append(asyncio.ensure_future(next_batch()))
        return await work(items) if items else [], error

    under_way.append(asyncio.ensure_future(next_batch()))
    while (done := await under_way.popleft()) is not None:
        results, error = done
        await asyncio.to_thread(_write, results)
        room.release()
        if error is not None:
            raise error


def _write(results: Sequence[dict[str, Any]]) -> None:
    sys.stdout.write("".join(json.dumps(result, ensure_ascii=False) + "\n" for result in results))
    sys.stdout.flush()


def batches(stream: BinaryIO, read: Callable[[int, Line], Item]) -> Iterator[tuple[list[Item], UserError | None]]:
    """What `read` makes of the lines, in lists; a bad line ends them, its error beside what came before it."""
    number = 0
    try:
        for lines in _arriving_lines(stream):
            batch: list[Item] = []
            for line in lines:
                number += 1
                if line.strip():
                    try:
                        batch.append(read(number, _parse(number, line)))
                    except UserError as error:
                        yield batch, error
                        return
            if batch:
                yield batch, None
    except _TooLong:
        yield [], UserError(f"line {number + 1} is longer than {MAX_LINE_BYTES} bytes")


class _TooLong(Exception):
    """A line beyond `MAX_LINE_BYTES`."""


def _arriving_lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Whole lines as they arrive, in lists of at most a chunk; the last line need not end."""
    pieces: list[bytes] = []
    n_bytes = 0
    while chunk := stream.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*pieces, head]).split(b"\n")
            pieces, n_bytes = [], 0
        pieces.append(tail)
        n_bytes += len(tail)
        if n_bytes > MAX_LINE_BYTES:
            raise _TooLong
    if n_bytes:
        yield [b"".join(pieces)]


def _parse(number: int, line: bytes) -> Line:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"line {number} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"line {number} is no JSON object")
    return value


def text_field(number: int, line: Line, name: str) -> str:
    """A field that must be a text. Raises UserError naming the line."""
    value = line.get(name)
    if not isinstance(value, str):
        raise UserError(f"line {number} needs {name!r}, a text")
    return value


def object_field(number: int, line: Line, name: str) -> dict[str, Any]:
    """A field that must be an object. Raises UserError naming the line."""
    value = line.get(name)
    if not isinstance(value, dict):
        raise UserError(f"line {number} needs {name!r}, an object")
    return value
