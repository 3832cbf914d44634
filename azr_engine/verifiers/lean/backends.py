"""The ways to have a proof checked, behind one protocol.

`embedded` and `toolchain` are the same code on different installations: a pool of Lean servers. `leandojo` (see there)
walks through a traced repository tactic by tactic and has what it finds checked again by one of these.
"""

from __future__ import annotations

import asyncio
import os
import queue
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Verdict
from azr_engine.verifiers.lean import installation
from azr_engine.verifiers.lean.checking import DEFAULT_HEADER, Checker, Goal, Limits
from azr_engine.verifiers.lean.config import LeanConfig
from azr_engine.verifiers.lean.headers import compile_header
from azr_engine.verifiers.lean.installation import Installation
from azr_engine.verifiers.lean.link import Server, ServerLost
from azr_engine.verifiers.lean.opinion import Tool, describe, find_tool
from azr_engine.verifiers.sandbox.probe import refusals

_COMPILERS_PER_KERNEL = 4
"""A second kernel run takes less than a fourth of the time that the compilation before it took."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Backend(Protocol):
    """Something that checks proofs."""

    name: str

    async def check(
        self, statement: str, proof: str, header: str | None = None, limits: Limits | None = None
    ) -> Verdict:
        """A verdict on one proof; `header` replaces the backend's own."""
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...


class LeanPool:
    """A backend over one installation: Lean servers, each driven by one thread at a time.

    Every check has processes of its own. What a batch shares is what was read before any submission: the library, the
    header's imports as Lean left them (`headers`), and the environment of the kernel that looks again.

    Args:
        find: the installation, asked for at first use; it may raise UserError.
        ask_also: finds the second opinion for that installation, or None; it may raise UserError.
        tier: `namespaces`, or `process` where the user said so.
        lint: whether texts are looked at before Lean sees them.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[], Installation],
        *,
        workers: int | None = None,
        tier: str = "namespaces",
        header: str = DEFAULT_HEADER,
        limits: Limits | None = None,
        lint: bool = True,
        ask_also: Callable[[Installation], Tool | None] = lambda _: None,
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self.n_workers = workers or len(os.sched_getaffinity(0))
        self._find, self._tier, self._header, self._lint = find, tier, header, lint
        self._ask_also = ask_also
        self._opinion: Tool | None = None
        self._idle: queue.SimpleQueue[Server] = queue.SimpleQueue()
        self._kernels: queue.SimpleQueue[Server] = queue.SimpleQueue()
        self._servers: list[Server] = []
        self._own_headers: tempfile.TemporaryDirectory[str] | None = None
        self._checkers: dict[str, Checker] = {}
        self._threads = ThreadPoolExecutor(self.n_workers, thread_name_prefix="lean")

    async def check(
        self, statement: str, proof: str, header: str | None = None, limits: Limits | None = None
    ) -> Verdict:
        """See `Backend.check`."""
        (verdict,) = await self.check_files([[Goal(statement, proof)]], header, limits)
        return verdict

    async def check_files(
        self, files: Sequence[Sequence[Goal]], header: str | None = None, limits: Limits | None = None
    ) -> list[Verdict]:
        """A verdict per file, in order; `fault` where the server failed."""

        def one(checker: Checker, server: Server, goals: Sequence[Goal]) -> Verdict:
            try:
                return checker.check(server, goals, limits or self.limits)
            except ServerLost as lost:
                return Verdict("fault", 0.0, str(lost))

        return await self.run(one, files, header)

    async def run(
        self, work: Callable[[Checker, Server, _Item], _Result], items: Sequence[_Item], header: str | None = None
    ) -> list[_Result]:
        """What `work` makes of each item, in order, on as many servers as there are."""
        if not items:
            return []
        loop = asyncio.get_running_loop()
        checker = await loop.run_in_executor(self._threads, self._checker, header)

        def on_a_server(item: _Item) -> _Result:
            server = self._idle.get()
            try:
                return work(checker, server, item)
            finally:
                self._idle.put(server)

        return list(await asyncio.gather(*(loop.run_in_executor(self._threads, on_a_server, item) for item in items)))

    def _checker(self, header: str | None) -> Checker:
        """The checker for a header; the first call finds Lean and makes the servers. Raises UserError."""
        text = self._header if header is None else header
        if text not in self._checkers:
            if not self._servers:
                self._open()
            compiled = compile_header(self._installation, text, self._headers)
            checker = Checker(self._installation, compiled, self._kernels, opinion=self._opinion, lint=self._lint)
            self._try_opinion(checker)
            self._checkers[text] = checker
        return self._checkers[text]

    def _try_opinion(self, checker: Checker) -> None:
        server = self._idle.get()
        try:
            checker.try_opinion(server, self.limits)
        finally:
            self._idle.put(server)

    def _open(self) -> None:
        self._installation = self._find()
        self._opinion = self._ask_also(self._installation)
        if self._installation.headers is not None:
            self._headers = self._installation.headers
        else:
            self._own_headers = tempfile.TemporaryDirectory(prefix="azr-lean-headers-")
            self._headers = Path(self._own_headers.name).resolve()
            self._headers.chmod(0o755)  # a server that root starts reads it as nobody
        n_servers = self.n_workers + -(-self.n_workers // _COMPILERS_PER_KERNEL)
        servers = [Server(self._installation, self._tier, [self._headers]) for _ in range(n_servers)]
        compilers, kernels = servers[: self.n_workers], servers[self.n_workers :]
        try:
            kernels[0].start(wait=False)
            compilers[0].start(wait=True)
        except ServerLost as lost:
            if self._tier == "namespaces" and (why := refusals()["namespaces"]):
                raise UserError(
                    f"Lean's sandbox needs namespaces, which this machine refuses ({why}); allow unprivileged user "
                    "namespaces, or use --sandbox process --i-know-this-is-not-a-sandbox"
                ) from None
            raise UserError(f"Lean does not start: {lost}") from None
        self._servers = servers
        for server in compilers:
            self._idle.put(server)
        for server in kernels:
            self._kernels.put(server)

    async def close(self) -> None:
        """End the servers; unfinished checks end as faults."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for server in self._servers:
            server.stop()
        if self._own_headers is not None:
            self._own_headers.cleanup()


def open_backend(config: LeanConfig, *, workers: int | None = None, tier: str = "namespaces") -> LeanPool:
    """The backend that the settings name; Lean itself is found at first use.

    Raises:
        UserError: a setting names a folder that does not exist, or a backend that needs another.
    """
    if config.backend == "leandojo":
        raise UserError("lean.backend leandojo serves traced repositories, not runs; see docs/lean.md")
    name, home, project = _choice(config)
    header = DEFAULT_HEADER if config.header is None else config.header.rstrip("\n") + "\n"
    limits = Limits(config.cpu_seconds, config.memory_mb, config.heartbeats)

    def find() -> Installation:
        return installation.embedded() if name == "embedded" else installation.toolchain(home, project)

    def ask_also(found: Installation) -> Tool | None:
        return find_tool(config.second_opinion, found, project, tier)

    return LeanPool(name, find, workers=workers, tier=tier, header=header, limits=limits, ask_also=ask_also)


def describe_backend(config: LeanConfig) -> dict[str, str]:
    """The Lean that the settings find and its second opinion, in words."""
    name, home, project = _choice(config)
    if name != "toolchain":
        problem = installation.wheel_problem()
        lean = f"no: {problem}" if problem else f"embedded {installation.WHEEL_LEAN}"
        return {"lean": lean, "second_opinion": "none: the embedded Lean's kernel looks twice at each proof"}
    try:
        found = installation.toolchain(home, project)
    except UserError as error:
        return {"lean": f"no: {error}", "second_opinion": "none"}
    return {
        "lean": f"{found.name} {found.version}",
        "second_opinion": describe(config.second_opinion, found, project),
    }


def _choice(config: LeanConfig) -> tuple[str, Path | None, Path | None]:
    """`embedded` or `toolchain`, its home and its project. Raises UserError."""
    home, project = _folder("lean.home", config.home), _folder("lean.project", config.project)
    if config.backend == "auto":
        return "toolchain" if home or project else "embedded", home, project
    return config.backend, home, project


def _folder(setting: str, text: str | None) -> Path | None:
    if text is None:
        return None
    folder = Path(text).expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"setting {setting!r}: there is no folder {folder}")
    return folder
