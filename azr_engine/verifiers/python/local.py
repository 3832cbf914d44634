"""Workers that are processes of this machine: the tiers `namespaces` and `process`.

`namespaces` covers files, network, other processes, system calls, memory, CPU and wall time; see
`verifiers.sandbox` for each. It relies on the kernel alone, and shares it with the programs.
Memory: RLIMIT_AS bounds each child everywhere, shared memory included; a tmpfs or memfd is out of its reach, for the
root is empty and the calls are denied. Where the machine lets us make a control group, it bounds each worker with all
its children and what the kernel holds for them; elsewhere that is `MAX_CHILDREN` times the limit of a child.
`process` has resource limits, an unprivileged user where the caller is root, and the supervisor. It covers accidents:
loops, memory, floods of output. It does not cover malice: a program that leaves the interpreter's rules can read what
the user can read and use the network.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess

from azr_engine.verifiers.python.link import Link, WorkerDied
from azr_engine.verifiers.python.requests import Limits, Place
from azr_engine.verifiers.sandbox.boot import worker_command, worker_environment
from azr_engine.verifiers.sandbox.cgroup import MemoryGroup

WORKER_MODULE = "azr_engine.verifiers.python.worker"
_LAST_WORDS_BYTES = 4096
_PATIENCE_SECONDS = 5.0


def worker_arguments(tier: str, place: Place, limits: Limits) -> list[str]:
    """What a worker is told at its start (see `worker`)."""
    return [tier, str(limits.memory_mb << 20), *(["modules"] if place.has_modules else [])]


def _memory_group(limits: Limits) -> MemoryGroup | None:
    try:
        return MemoryGroup(limits.worker_memory_mb << 20)
    except OSError:
        return None


class LocalHandle:
    """One worker process; it leads the process group that ends with it."""

    def __init__(self, process: subprocess.Popen[bytes], link: Link, group: MemoryGroup | None) -> None:
        self.link = link
        self._process = process
        self._group = group

    def kill(self) -> str:
        """End the worker, wait for it, and return the last line it wrote to stderr."""
        process = self._process
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._group is not None:
            self._group.remove()
        assert process.stderr is not None
        with process.stderr as stderr:
            readable, _, _ = select.select([stderr], [], [], 0)
            words = os.read(stderr.fileno(), _LAST_WORDS_BYTES) if readable else b""
        lines = words.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


class LocalLauncher:
    """Starts workers of the tier `namespaces` or `process`."""

    cpu_factor = 1.0

    def __init__(self, name: str) -> None:
        self.name = name

    async def launch(self, place: Place, limits: Limits) -> LocalHandle:
        """See `Launcher.launch`."""
        ours, theirs = socket.socketpair()
        group = _memory_group(limits) if self.name == "namespaces" else None
        options = [f"group={group.folder}"] if group else []
        command = worker_command(WORKER_MODULE, *worker_arguments(self.name, place, limits), *options)
        try:
            with theirs:
                process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=worker_environment(place.hash_seed),
                    cwd="/",
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            if group:
                group.remove()
            raise WorkerDied(f"cannot start {command[0]}: {error.strerror}") from None
        _, link = await asyncio.get_running_loop().create_connection(Link, sock=ours)
        return LocalHandle(process, link, group)

    async def close(self) -> None:
        """Nothing is shared between local workers."""
