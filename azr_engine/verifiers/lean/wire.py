"""What goes between the supervisor and a Lean server: frames of a length, a JSON head and a body of bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

_HEAD = struct.Struct("<II")
MAX_BODY_BYTES = 64 << 20


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame: lengths of head and body, 4 bytes each, then both."""
    text = json.dumps(head).encode()
    return _HEAD.pack(len(text), len(body)) + text + body


def lengths(data: bytes) -> tuple[int, int]:
    """The lengths that a frame begins with."""
    head, body = _HEAD.unpack(data)
    return head, body


LENGTHS_BYTES = _HEAD.size
