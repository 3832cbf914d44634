"""The two message formats between supervisor and worker, shared by both sides.

Requests go down as marshal, which the worker may trust. Results come up as counted bytes that the supervisor only
slices, never evaluates or unpickles: a worker may have been taken over by what it ran.

    frame   := length:u32 payload
    request := job:u32 marshal(call)
    result  := job:u32 outcome*
    outcome := status " " cpu_microseconds " " length "\n" text:utf-8      numbers in decimal
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Iterator

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
MAX_OUTCOME_BYTES = 4 * 16_384
"""Canonical text is at most 16,384 characters, each at most four bytes."""

MAX_CHILDREN = 6
"""Children of one worker at once; each may use the whole memory limit."""

END = b"\xff"
"""What a child writes after its last outcome; it occurs in no UTF-8."""

NUMBER_BYTES = 4
_MAX_HEAD_BYTES = 64
_MAX_MICROSECONDS = 10**12


class Call:
    """One program with its inputs, as the worker receives it.

    `code` is `source` compiled and marshalled, or empty. `arguments` are marshalled tuples; the last `n_probes` of
    them are probes, run with `probe_cpu_seconds` and given up at the first that kills its child. With `essential`, so
    are the inputs. With `pure`, a changed argument is an outcome of its own.
    CPU and wall limits are per input, in seconds.
    """

    def __init__(
        self,
        source: str,
        code: bytes,
        function: str,
        arguments: list[bytes],
        n_probes: int,
        essential: bool,
        pure: bool,
        cpu_seconds: float,
        probe_cpu_seconds: float,
        wall_seconds: float,
    ) -> None:
        self.source = source
        self.code = code
        self.function = function
        self.arguments = arguments
        self.n_probes = n_probes
        self.essential = essential
        self.pure = pure
        self.cpu_seconds = cpu_seconds
        self.probe_cpu_seconds = probe_cpu_seconds
        self.wall_seconds = wall_seconds

    def pack(self) -> bytes:
        """Its fields in the order above, for `unpack`."""
        return marshal.dumps(list(vars(self).values()), 2)

    @classmethod
    def unpack(cls, data: bytes) -> Call:
        """What `pack` packed; for a worker, which trusts its supervisor."""
        return cls(*marshal.loads(data))


def pack_number(number: int) -> bytes:
    """A length or a job as it stands in a frame."""
    return number.to_bytes(NUMBER_BYTES, "little")


def unpack_number(data: bytes | bytearray, at: int = 0) -> int:
    """The number at byte `at`."""
    return int.from_bytes(data[at : at + NUMBER_BYTES], "little")


def pack_outcome(status: str, text: str = "", cpu_seconds: float = 0.0) -> bytes:
    """The bytes of one outcome: a status, the text that goes with it (see `STATUSES`), CPU seconds in the child."""
    encoded = text.encode("utf-8", "backslashreplace")
    return b"%b %d %d\n%b" % (status.encode(), cpu_seconds * 1e6, len(encoded), encoded)


def unpack_outcomes(data: bytes, at: int = 0) -> Iterator[tuple[str, str, float, int]]:
    """Each whole outcome in `data` from byte `at`: what `pack_outcome` was given, and the byte where it ends.

    Raises:
        ValueError: at the first that is none; the sender broke the protocol.
    """
    while (newline := data.find(b"\n", at, at + _MAX_HEAD_BYTES)) >= 0:
        status, microseconds, length = data[at:newline].decode().split(" ")
        start, at = newline + 1, newline + 1 + int(length)
        if status not in STATUSES or not 0 <= int(length) <= MAX_OUTCOME_BYTES:
            raise ValueError("no such outcome")
        if not 0 <= int(microseconds) <= _MAX_MICROSECONDS:
            raise ValueError("no such time")
        if len(data) < at:
            return
        yield status, data[start:at].decode(), int(microseconds) / 1e6, at
    if len(data) - at > _MAX_HEAD_BYTES:
        raise ValueError("no outcome")
