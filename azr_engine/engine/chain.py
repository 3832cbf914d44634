"""A log whose lines are chained by hashes, so that a changed, removed, inserted or swapped line shows.

The last member of each line, `chain`, is SHA-256 over the line before's hash and this line's text without it. The head
(the last hash) stands in a file of its own beside the log, which gives away lines cut off at the end. A log cut back
to an earlier line is a whole log again, so a resumed run goes on from where it was cut.

Not covered: somebody who may write both files and makes the whole chain anew. Against that, keep a head elsewhere and
ask whether the log still holds it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from azr_engine.engine.durable import TEMPORARY, append_line, storage_errors, whole_lines

GENESIS = "0" * 64
"""What stands in the place of a hash before the first line."""
_LINE = re.compile(rb'(\{.*),"chain":"([0-9a-f]{64})"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chained:
    """What became of the check of a log.

    Attributes:
        n_lines: whole lines of it, or those before the first that is wrong.
        head: the last good hash.
        wrong: what is wrong, in one line; empty when all is well.
    """

    n_lines: int
    head: str
    wrong: str = ""


class ChainedLog:
    """Appends lines to the log at `path`; one writer at a time is the caller's promise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head_path = path.with_suffix(".head")
        self._head: str | None = None

    def append(self, line: str) -> None:
        """Add a line of JSON that ends with its line feed, safe against the death of the process alone.

        Raises:
            UserError: the disk is full or the file cannot be written; nothing of the line stays.
        """
        head = _last_hash(self.path) if self._head is None else self._head
        text = line.rstrip("\n").encode("utf-8")
        digest = _hash(head, text)
        append_line(self.path, f'{line.rstrip()[:-1]},"chain":"{digest}"}}\n', durable=False)
        self._head = digest
        self._write_head(digest)

    def settle(self) -> None:
        """Take the log as it stands now, after it was cut back, as whole."""
        self._head = None
        if self.path.exists():
            head = _last_hash(self.path)
            if not self.head_path.exists() or self.head_path.read_text(encoding="ascii") != head:
                self._write_head(head)

    def _write_head(self, head: str) -> None:
        with storage_errors(self.head_path):
            temporary = self.head_path.with_name(TEMPORARY + self.head_path.name)
            temporary.write_text(head, encoding="ascii")
            temporary.replace(self.head_path)


def verify_chain(path: Path, known_head: str | None = None) -> Chained:
    """Check a log from its first line to its last, also while it grows: a line still being written is left out.

    Args:
        known_head: a hash noted earlier, which the log must still hold.
    """
    data = path.read_bytes() if path.exists() else b""
    head, previous, seen = GENESIS, GENESIS, {GENESIS}
    lines = data.split(b"\n")[:-1]
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            return Chained(number - 1, head, f"line {number} carries no hash")
        if found[2].decode() != _hash(head, found[1] + b"}"):
            return Chained(number - 1, head, f"line {number} is not what was written after line {number - 1}")
        previous, head = head, found[2].decode()
        seen.add(head)
    if known_head is not None and known_head not in seen:
        return Chained(len(lines), head, f"no line has the hash {known_head[:16]}")
    return Chained(len(lines), head, _end(path, {head, previous}))


def _end(path: Path, heads: set[str]) -> str:
    """What is wrong with the log's end, given the last hash and the one before it.

    The head is written after its line: a run that was killed between the two left the hash before.
    """
    file = path.with_suffix(".head")
    if not file.exists():
        return f"{file.name} is missing" if heads != {GENESIS} else ""
    if file.read_text(encoding="ascii", errors="replace") not in heads:
        return f"lines are missing at the end: {file.name} names one that is not there"
    return ""


def _last_hash(path: Path) -> str:
    lines = whole_lines(path)
    found = _LINE.fullmatch(lines[-1].encode("utf-8")) if lines else None
    return found[2].decode() if found else GENESIS


def _hash(head: str, text: bytes) -> str:
    return hashlib.sha256(head.encode("ascii") + b"\n" + text).hexdigest()
