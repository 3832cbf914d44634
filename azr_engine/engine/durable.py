"""Files that survive a kill, a full disk and a torn write: append a line, replace a text, flush a tree.

The layers above decide what the files mean. Nothing here locks: one writer at a time is the caller's promise.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError

TEMPORARY = ".tmp-"
"""What the name of everything half done begins with."""

_STORAGE_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOLCK}
)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, missing permission and their like into a UserError that names `path`.

    Libraries that hide the error number of a full disk are recognised by their text.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and "no space left on device" in str(error).lower():
            number = errno.ENOSPC
        if number not in _STORAGE_ERRORS:
            raise
        raise UserError(f"cannot write {path}: {os.strerror(number or 0)}") from error


def json_line(value: Mapping[str, Any]) -> str:
    """One line of JSON with its end; NaN and the infinities become null. Raises TypeError for what JSON cannot hold."""
    return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False) + "\n"


def append_line(path: Path, line: str, *, durable: bool = True) -> None:
    """Add a line to a file, on the disk on return if `durable`.

    Raises:
        UserError: the disk is full or the file cannot be written; nothing of the line stays.
    """
    with storage_errors(path):
        is_new = not path.exists()
        with path.open("ab", buffering=0) as file:
            size = file.tell()
            data = memoryview(line.encode("utf-8"))
            try:
                while data:
                    data = data[file.write(data) :]
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(size)
                raise
            if durable:
                os.fsync(file.fileno())
        if is_new and durable:
            sync(path.parent)


def replace_text(path: Path, text: str) -> None:
    """Give a file a new content, whole or not at all, and on the disk on return. Raises OSError."""
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that are whole JSON objects, without their ends; none if there is no file."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [text for text in (line.decode("utf-8", "replace") for line in lines) if _is_object(text)]


def sync(path: Path) -> None:
    """Flush one file or directory to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush a folder and all below it to the disk. Raises OSError."""
    for entry in folder.iterdir():
        if entry.is_dir():
            sync_tree(entry)
        else:
            sync(entry)
    sync(folder)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
