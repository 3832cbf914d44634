"""The supervisor's end of a Lean server: start it, ask it, and end it when it breaks."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azr_engine.verifiers.lean.installation import Installation
from azr_engine.verifiers.lean.wire import LENGTHS_BYTES, MAX_BODY_BYTES, lengths, pack
from azr_engine.verifiers.sandbox.boot import worker_command, worker_environment

_START_SECONDS = 60.0
_MAX_HEAD_BYTES = 8 << 20
_MEMORY = {"MIMALLOC_ARENA_RESERVE": "64MiB", "MIMALLOC_ARENA_EAGER_COMMIT": "0"}
"""Lean's allocator would reserve a gigabyte at once, which no limit could tell from use."""


class ServerLost(RuntimeError):
    """The server ended, fell silent or broke the protocol; the message says which."""


class Server:
    """One Lean server, started at its first request.

    Args:
        tier: `namespaces`, or `process` where the user said so.
        readable: folders that it may read besides.
    """

    def __init__(self, installation: Installation, tier: str, readable: Sequence[Path] = ()) -> None:
        folders = [str(folder) for folder in installation.search_path]
        setting = {
            "library": str(installation.library),
            "search_path": folders,
            "readable": [str(folder) for folder in readable],
            "tier": tier,
        }
        self._command = worker_command("azr_engine.verifiers.lean.server", json.dumps(setting))
        self._process: subprocess.Popen[bytes] | None = None
        self._greeted = False
        self.peak_mb = 0
        """Largest resident size of a request's process so far, in MiB."""

    def ask(self, head: dict[str, Any], body: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait at most `seconds` for the answer.

        Raises:
            ServerLost: no answer; the server is gone, and the next request starts a new one.
        """
        try:
            process = self._ready()
            _write(process, pack(head, body), time.monotonic() + seconds)
            outcome, module = _frame(process, time.monotonic() + seconds)
            self.peak_mb = max(self.peak_mb, int(outcome.get("memory_mb", 0)))
            return outcome, module
        except (ServerLost, OSError, ValueError) as error:
            words = self.stop()
            raise ServerLost(f"{error}{': ' if words else ''}{words}") from None

    def start(self, *, wait: bool) -> None:
        """Start now what the first request would start, and `wait` until it is ready. Raises ServerLost."""
        try:
            if wait:
                self._ready()
            else:
                self._spawn()
        except (ServerLost, OSError, ValueError) as error:
            raise ServerLost(f"{error}: {self.stop()}") from None

    def _ready(self) -> subprocess.Popen[bytes]:
        process = self._process or self._spawn()
        if not self._greeted:
            head, _ = _frame(process, time.monotonic() + _START_SECONDS)
            if not head.get("ready"):
                raise ServerLost("the Lean server does not start")
            self._greeted = True
        return process

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._greeted = False
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**worker_environment(0), **_MEMORY},
            cwd="/",
            start_new_session=True,
        )
        return self._process

    def stop(self) -> str:
        """End the server and all it started; the last line that it wrote to stderr."""
        process, self._process = self._process, None
        if process is None:
            return ""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        words = b""
        if process.stderr is not None and select.select([process.stderr], [], [], 0)[0]:
            words = os.read(process.stderr.fileno(), 4096)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        lines = words.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def _write(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> None:
    assert process.stdin is not None
    descriptor = process.stdin.fileno()
    os.set_blocking(descriptor, False)
    view = memoryview(data)
    while view:
        if not select.select([], [descriptor], [], max(0.0, deadline - time.monotonic()))[1]:
            raise ServerLost("the Lean server takes no requests")
        view = view[os.write(descriptor, view) :]


def _frame(process: subprocess.Popen[bytes], deadline: float) -> tuple[dict[str, Any], bytes]:
    n_head, n_body = lengths(_read(process, LENGTHS_BYTES, deadline))
    if n_head > _MAX_HEAD_BYTES or n_body > MAX_BODY_BYTES:
        raise ServerLost("the Lean server broke the protocol")
    head: dict[str, Any] = json.loads(_read(process, n_head, deadline))
    return head, _read(process, n_body, deadline)


def _read(process: subprocess.Popen[bytes], n_bytes: int, deadline: float) -> bytes:
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    pieces: list[bytes] = []
    while n_bytes:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        data = os.read(descriptor, min(n_bytes, 1 << 20)) if ready else b""
        if not data:
            raise ServerLost("the Lean server ended" if ready else "the Lean server fell silent")
        pieces.append(data)
        n_bytes -= len(data)
    return b"".join(pieces)
