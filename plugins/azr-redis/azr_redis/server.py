"""A Redis server of our own: on a socket in a private folder, in memory, ended with the process that started it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from azr_engine.domains.function import call
from azr_engine.engine.errors import MissingDependency
from azr_redis.domain import RedisDomain

START_SECONDS = 20.0
REPLY_SECONDS = 5.0
_OPTIONS = ("--port", "0", "--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--databases", "1")
_UNTIL_INPUT_ENDS = '"$@" & read -r _; kill $!; wait'
"""The server ends when our end of its shell's standard input closes, also when we are killed."""


class RedisServer:
    """A running server and one connection to it.

    Raises:
        MissingDependency: there is no `redis-server` on this machine.
        OSError: it does not start.
    """

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise MissingDependency("the domain redis needs redis-server: apt-get install redis-server")
        self._folder = tempfile.TemporaryDirectory(prefix="azr-redis-")
        path = Path(self._folder.name) / "socket"
        command = ["sh", "-c", _UNTIL_INPUT_ENDS, "sh", program, "--unixsocket", str(path), "--dir", self._folder.name]
        self._process = subprocess.Popen(
            [*command, *_OPTIONS], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._socket = _connect(path, self._process)
        self._replies: BinaryIO = self._socket.makefile("rb")

    def ask(self, words: Sequence[str]) -> Any:
        """One command's reply: text, number, None or a list. Raises ValueError for an error reply."""
        parts = [word.encode() for word in words]
        sent = b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)])
        self._socket.sendall(sent)
        return self._reply()

    def _reply(self) -> Any:
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server is gone")
        mark, rest = line[:1], line[1:-2]
        match mark:
            case b"+":
                return rest.decode()
            case b":":
                return int(rest)
            case b"-":
                raise ValueError(rest.decode(errors="replace"))
            case b"$":
                return None if rest == b"-1" else self._replies.read(int(rest) + 2)[:-2].decode()
            case b"*":
                return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"unknown reply {line[:20]!r}")

    def close(self) -> None:
        """End the server and wait for it."""
        self._replies.close()
        self._socket.close()
        self._process.communicate()
        self._folder.cleanup()


def _connect(path: Path, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(REPLY_SECONDS)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline or process.poll() is not None:
                process.communicate()
                raise
            time.sleep(0.01)


class RedisRunner:
    """Calls the domain's `run` in a thread of its own, on a server of its own that starts at first use."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="redis")
        self._server: RedisServer | None = None

    async def run(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """See `Runner.run`. A server that is lost is started anew; what it was asked at that moment is a fault."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: [self._one(i) for i in items])

    def _one(self, item: dict[str, Any]) -> dict[str, Any]:
        server = self._server = self._server or RedisServer()
        lost: list[OSError] = []

        def ask(words: Sequence[str]) -> Any:
            try:
                return server.ask(words)
            except OSError as error:
                lost.append(error)
                raise

        outcome = call(RedisDomain(ask), item)
        if not lost:
            return outcome
        server.close()
        self._server = None
        return {"fault": f"the server is gone: {lost[0]}"}

    def close(self) -> None:
        """End the server."""
        self._thread.shutdown()
        if self._server is not None:
            self._server.close()
            self._server = None
