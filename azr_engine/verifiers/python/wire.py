"""The two message formats between supervisor and worker, shared by both sides.

Requests go down as marshal, which the worker may trust. Results come up as counted bytes that the supervisor only
slices, never evaluates or unpickles: a worker may have been taken over by what it ran.

The module `typing` stays away from all that a worker imports, for a worker carries its imports into every fork.

    frame   := length:u32 payload
    result  := job:u32 outcome*
    outcome := status:u8 cpu_seconds:f64 length:u32 text:utf-8
"""

from __future__ import annotations

import struct
from collections import namedtuple

STATUSES = (
    "ok",  # text: canonical value
    "error",  # text: exception type; dotted unless it is a built-in one
    "timeout",
    "memory",
    "unserialisable",
    "oversize",
    "mutates_input",
    "nondeterministic",
    "banned",
    "crash",
    "fault",
    "skipped",
    "syntax",
)
CODES = {name: code for code, name in enumerate(STATUSES)}
MAX_OUTCOME_BYTES = 4 * 16_384
"""Canonical text is at most 16,384 characters, each at most four bytes."""

MAX_CHILDREN = 6
"""Children of one worker at once; each may use the whole memory limit."""

LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<BdI")


class Outcome(namedtuple("Outcome", "status text cpu_seconds", defaults=("", 0.0))):
    """One input's result: a status, the text that goes with it (see `STATUSES`), and CPU seconds in the child."""

    __slots__ = ()
    status: str
    text: str
    cpu_seconds: float


class Call(
    namedtuple(
        "Call",
        "job source code function arguments n_probes essential pure cpu_seconds probe_cpu_seconds wall_seconds",
    )
):
    """One program with its inputs, as the worker receives it.

    `code` is `source` compiled and marshalled, or empty. `arguments` are marshalled tuples; the last `n_probes` of
    them are probes, run with `probe_cpu_seconds` and given up at the first that kills its child. With `essential`, so
    are the inputs. With `pure`, a changed argument is an outcome of its own.
    CPU and wall limits are per input, in seconds.
    """

    __slots__ = ()
    job: int
    source: str
    code: bytes
    function: str
    arguments: list[bytes]
    n_probes: int
    essential: bool
    pure: bool
    cpu_seconds: float
    probe_cpu_seconds: float
    wall_seconds: float


def pack_outcome(outcome: Outcome) -> bytes:
    """The bytes of one outcome."""
    text = outcome.text.encode("utf-8", "backslashreplace")
    return _HEAD.pack(CODES[outcome.status], outcome.cpu_seconds, len(text)) + text


def unpack_outcomes(data: bytes | bytearray, at: int = 0) -> tuple[list[Outcome], int]:
    """The whole outcomes in `data` from byte `at`, and where the first incomplete one starts.

    Raises:
        ValueError: not outcomes; the sender broke the protocol.
    """
    outcomes = []
    while len(data) - at >= _HEAD.size:
        code, cpu_seconds, length = _HEAD.unpack_from(data, at)
        if code >= len(STATUSES) or length > MAX_OUTCOME_BYTES or not 0.0 <= cpu_seconds < 1e6:
            raise ValueError("broken outcome")
        end = at + _HEAD.size + length
        if len(data) < end:
            break
        outcomes.append(Outcome(STATUSES[code], bytes(data[at + _HEAD.size : end]).decode(), cpu_seconds))
        at = end
    return outcomes, at
