"""Run programs on inputs, somewhere safe: the tiers, which of them work here, and the choice among them.

A tier is a way of isolating; tiers differ in what holds when a program is hostile, never in what an honest program's
outcome is. From strong to weak: `gvisor` has a kernel of its own; `namespaces` leaves a program no file at all, under
a user of no rights; `docker` leaves it a read-only file system, under a daemon that is root; `process` is no sandbox,
and `auto` never takes it. See `verifiers.python.containers` and `verifiers.python.local`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.python.containers import ContainerLauncher
from azr_engine.verifiers.python.link import WorkerDied
from azr_engine.verifiers.python.local import LocalLauncher
from azr_engine.verifiers.python.pool import Launcher, WorkerPool
from azr_engine.verifiers.python.requests import Executor, Limits, Request
from azr_engine.verifiers.python.wire import Outcome

__all__ = ["Executor", "Limits", "Outcome", "Request", "TierHealth", "choose_executor", "probe_tier", "probe_tiers"]

logger = logging.getLogger(__name__)

_LAUNCHERS: dict[str, Callable[[], Launcher]] = {
    "gvisor": lambda: ContainerLauncher("gvisor"),
    "namespaces": lambda: LocalLauncher("namespaces"),
    "docker": lambda: ContainerLauncher("docker"),
    "process": lambda: LocalLauncher("process"),
}
_AUTO = ("gvisor", "namespaces", "docker")
"""What `auto` tries, the strongest first."""


@dataclass(frozen=True, slots=True)
class TierHealth:
    """Whether a tier works on this machine now, and why or why not in one line."""

    name: str
    works: bool
    why: str


def choose_executor(
    name: str = "auto",
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    i_know_this_is_not_a_sandbox: bool = False,
) -> Executor:
    """The executor of the tier `name`; `auto` takes the strongest that works and logs which and why.

    `workers` defaults to the number of usable cores.

    Raises:
        UserError: no such tier, it does not work here, or it is no sandbox and that was not acknowledged.
    """
    if name not in ("auto", *_LAUNCHERS):
        raise UserError(f"no sandbox named {name!r}; choose one of auto, {', '.join(_LAUNCHERS)}")
    if name == "process" and not i_know_this_is_not_a_sandbox:
        raise UserError("the tier 'process' is no sandbox; pass --i-know-this-is-not-a-sandbox to run programs in it")
    candidates = _AUTO if name == "auto" else (name,)
    reasons: list[str] = []
    for candidate in candidates:
        health = probe_tier(candidate)
        if health.works:
            if name == "auto":
                logger.info("sandbox: %s (%s)", candidate, "; ".join([*reasons, health.why]))
            n_workers = workers or len(os.sched_getaffinity(0))
            return WorkerPool(_LAUNCHERS[candidate](), n_workers=n_workers, limits=limits or Limits())
        reasons.append(f"{candidate}: {health.why}")
    raise UserError(f"no sandbox works here ({'; '.join(reasons)})")


def probe_tiers() -> list[TierHealth]:
    """Start one worker of every tier and see it lock itself in; about a second in all."""
    return [probe_tier(name) for name in _LAUNCHERS]


def probe_tier(name: str) -> TierHealth:
    """Start one worker of a tier and see it lock itself in."""
    try:
        with ThreadPoolExecutor(1) as thread:  # an event loop may already run in this one
            thread.submit(asyncio.run, _launch_once(_LAUNCHERS[name]())).result()
    except (WorkerDied, OSError) as error:
        return TierHealth(name, False, str(error))
    return TierHealth(name, True, "a worker locked itself in")


async def _launch_once(launcher: Launcher) -> None:
    handle = await launcher.launch(0, Limits())
    try:
        async with asyncio.timeout(30):
            await handle.link.ready
    except (WorkerDied, TimeoutError) as error:
        raise WorkerDied(handle.kill() or str(error)) from None
    handle.kill()
    await launcher.close()
