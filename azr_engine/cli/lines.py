"""JSON lines in and out for `admit` and `judge`: bounded memory, order kept, the line number in every complaint."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from azr_engine.engine.errors import UserError

BATCH_LINES = 512
MAX_LINE_CHARACTERS = 4_000_000

Numbered = tuple[int, dict[str, Any]]


def read_lines(stream: IO[str]) -> Iterator[Numbered]:
    """Line numbers (from 1) and objects; blank lines are skipped.

    Raises:
        UserError: a line is too long, is not JSON, or is no object.
    """
    number = 0
    while line := stream.readline(MAX_LINE_CHARACTERS):
        number += 1
        if len(line) >= MAX_LINE_CHARACTERS and not line.endswith("\n"):
            raise UserError(f"line {number} is longer than {MAX_LINE_CHARACTERS} characters")
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"line {number} is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise UserError(f"line {number} is no JSON object")
        yield number, value


def batches(items: Iterable[Numbered], size: int = BATCH_LINES) -> Iterator[tuple[list[Numbered], UserError | None]]:
    """Lists of up to `size` items; a bad line ends the stream after the good lines before it, with its error."""
    batch: list[Numbered] = []
    source = iter(items)
    while True:
        try:
            item = next(source, None)
        except UserError as error:
            yield batch, error
            return
        if item is None:
            if batch:
                yield batch, None
            return
        batch.append(item)
        if len(batch) >= size:
            yield batch, None
            batch = []


async def stream(work: Callable[[Sequence[Numbered]], Awaitable[Sequence[dict[str, Any]]]]) -> AsyncIterator[None]:
    """Push standard input through `work`, batch by batch, and print one JSON line per input line."""
    for batch, error in batches(read_lines(sys.stdin)):
        for result in await work(batch) if batch else []:
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        if error is not None:
            raise error
        yield


def text_field(number: int, line: dict[str, Any], name: str) -> str:
    """A field that must be a text. Raises UserError naming the line."""
    value = line.get(name)
    if not isinstance(value, str):
        raise UserError(f"line {number} needs {name!r}, a text")
    return value


def object_field(number: int, line: dict[str, Any], name: str) -> dict[str, Any]:
    """A field that must be an object. Raises UserError naming the line."""
    value = line.get(name)
    if not isinstance(value, dict):
        raise UserError(f"line {number} needs {name!r}, an object")
    return value
