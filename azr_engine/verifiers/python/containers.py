"""Workers in hardened containers: the tiers `docker` and `gvisor`.

Each worker is one long-lived container without network, capabilities, writable files, shared memory or log, run by an
unprivileged user under process, memory and CPU caps and no_new_privs; inside it the worker, under a system call filter
of its own, forks a child per program. The memory cap of the control group bounds what resource limits cannot see.
`docker` shares the host's kernel with the programs; `gvisor` (the daemon's runtime `runsc`) puts a kernel of its own
between them, and is much slower. Neither covers a hole in the daemon, which runs as root.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import struct
from typing import Any

from azr_engine.verifiers.python.image import PACKAGE_ROOT, image_archive, image_key, interpreter
from azr_engine.verifiers.python.link import Link, WorkerDied
from azr_engine.verifiers.python.local import WORKER_MODULE, worker_arguments
from azr_engine.verifiers.python.requests import Limits, Place
from azr_engine.verifiers.sandbox.boot import worker_command, worker_environment

IMAGE = "azr-engine-python"
LABEL = "azr-engine-worker"
_BOOT = PACKAGE_ROOT / "azr_engine" / "verifiers" / "sandbox" / "boot.py"
_RUNTIMES = {"docker": None, "gvisor": "runsc"}
_CPU_FACTORS = {"docker": 1.0, "gvisor": 4.0}
"""gVisor's clock counts what its kernel does for a program, and goes on while other work holds the cores."""

_DAEMON_SECONDS = 60
_MAX_PROCESSES = 16


class ContainerLink(Link):
    """A link through the daemon, which puts eight bytes before each piece: the stream, three zeros, a length."""

    _HEAD = struct.Struct(">B3xI")
    _STDOUT = 1

    def __init__(self) -> None:
        super().__init__()
        self._pieces = bytearray()
        self.words = bytearray()

    def data_received(self, data: bytes) -> None:
        """Pass on what the worker wrote to its stdout; keep the rest as its last words."""
        self._pieces += data
        while len(self._pieces) >= self._HEAD.size:
            stream, length = self._HEAD.unpack_from(self._pieces)
            end = self._HEAD.size + length
            if len(self._pieces) < end:
                return
            piece = bytes(self._pieces[self._HEAD.size : end])
            del self._pieces[:end]
            if stream == self._STDOUT:
                super().data_received(piece)
            else:
                self.words = (self.words + piece)[-4096:]


class ContainerHandle:
    """One container and the link to the worker in it."""

    def __init__(self, client: Any, container_id: str, link: ContainerLink) -> None:
        self.link = link
        self._client, self._id = client, container_id

    def kill(self) -> str:
        """End the container and wait until it is gone; a daemon that is gone too has nothing left to ask."""
        with contextlib.suppress(*_daemon_errors()):
            self._client.api.remove_container(self._id, force=True)
        lines = self.link.words.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


class ContainerLauncher:
    """Starts workers of the tier `docker` or `gvisor` through the daemon that DOCKER_HOST names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cpu_factor = _CPU_FACTORS[name]
        self._client: Any | None = None
        self._image = ""
        self._preparing: asyncio.Lock | None = None

    async def launch(self, place: Place, limits: Limits) -> ContainerHandle:
        """See `Launcher.launch`."""
        errors = _daemon_errors()
        try:
            return await self._launch(place, limits)
        except errors as error:
            self._client = None
            raise WorkerDied(_one_line(error)) from None

    async def _launch(self, place: Place, limits: Limits) -> ContainerHandle:
        self._preparing = self._preparing or asyncio.Lock()
        async with self._preparing:
            if self._client is None:
                self._client, self._image = await asyncio.to_thread(self._connect)
            client: Any = self._client
        container_id, stream = await asyncio.to_thread(self._create, client, place, limits)
        _, link = await asyncio.get_running_loop().create_connection(ContainerLink, sock=stream)
        handle = ContainerHandle(client, container_id, link)
        try:
            await asyncio.to_thread(client.api.start, container_id)
        except Exception:
            handle.kill()
            raise
        return handle

    async def close(self) -> None:
        """Close the connection to the daemon."""
        if self._client is not None:
            self._client.close()
        self._client = self._preparing = None

    def _connect(self) -> tuple[Any, str]:
        """Reach the daemon, and build the image if it lacks it."""
        client = importlib.import_module("docker").from_env(timeout=_DAEMON_SECONDS)
        runtime = _RUNTIMES[self.name]
        if runtime and runtime not in client.info().get("Runtimes", {}):
            raise WorkerDied(f"the Docker daemon has no runtime named {runtime}")
        image = f"{IMAGE}:{image_key()}"
        if not client.images.list(name=image):
            client.api.import_image_from_data(image_archive(), repository=IMAGE, tag=image.partition(":")[2])
        return client, image

    def _create(self, client: Any, place: Place, limits: Limits) -> tuple[str, Any]:
        memory = f"{limits.worker_memory_mb}m"
        options = client.api.create_host_config(
            auto_remove=True,
            cap_drop=["ALL"],
            ipc_mode="none",
            log_config={"Type": "none"},
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=min(2, int(client.info()["NCPU"])) * 10**9,
            network_mode="none",
            pids_limit=_MAX_PROCESSES,
            read_only=True,
            runtime=_RUNTIMES[self.name],
            security_opt=["no-new-privileges"],
        )
        arguments = worker_arguments("container", place, limits)
        command = worker_command(WORKER_MODULE, *arguments, python=str(interpreter()), boot=str(_BOOT))
        created = client.api.create_container(
            self._image,
            command,
            environment=worker_environment(place.hash_seed),
            host_config=options,
            labels=[LABEL],
            stdin_open=True,
            user="65534:65534",
        )
        container_id = str(created["Id"])
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        stream = client.api.attach_socket(container_id, params=streams)
        return container_id, stream._sock.dup()


def _daemon_errors() -> tuple[type[Exception], ...]:
    """What goes wrong between us and a daemon.

    Raises:
        WorkerDied: the package that talks to it is not installed.
    """
    try:
        failed = importlib.import_module("docker.errors").DockerException
        unreachable = importlib.import_module("requests.exceptions").RequestException
    except ImportError:
        raise WorkerDied("the package 'docker' is missing; install azr-engine[docker]") from None
    return failed, unreachable, OSError


def _one_line(error: BaseException) -> str:
    """What a person can act on, out of an error that wraps others."""
    text = " ".join(str(error).split())
    if "Permission denied" in text or "PermissionError" in text:
        return "no permission on the Docker socket: join the group 'docker' or set DOCKER_HOST to one that you may use"
    if any(
        sign in text for sign in ("FileNotFoundError", "ConnectionRefused", "Connection aborted", "Connection refused")
    ):
        return "no Docker daemon answers: start one or set DOCKER_HOST"
    return f"Docker: {text[:300]}"
