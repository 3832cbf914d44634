"""Run programs on inputs, somewhere safe: the tiers, which of them work here, and the choice among them.

A tier is a way of isolating; tiers differ in what holds when a program is hostile, never in what an honest program's
outcome is. From strong to weak: `gvisor` has a kernel of its own; `namespaces` leaves a program no file at all, under
a user of no rights; `docker` leaves it a read-only file system, under a daemon that is root; `process` is no sandbox,
and `auto` never takes it. See `verifiers.python.containers` and `verifiers.python.local`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.python.containers import ContainerLauncher
from azr_engine.verifiers.python.fallback import FallbackExecutor
from azr_engine.verifiers.python.link import WorkerDied
from azr_engine.verifiers.python.local import LocalLauncher
from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.pool import Launcher, WorkerPool
from azr_engine.verifiers.python.requests import Executor, Limits, Place, Request

__all__ = [
    "Executor",
    "Limits",
    "Outcome",
    "Request",
    "TierHealth",
    "auto_choice",
    "choose_executor",
    "probe_tier",
    "probe_tiers",
]

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
    fallback: str = "pause",
    i_know_this_is_not_a_sandbox: bool = False,
) -> Executor:
    """The executor of the tier `name`; `auto` takes the strongest that works.

    Which one that is, and why, is said in one line on stderr when the first worker starts, not here: many a command
    chooses an executor and never runs anything. `workers` defaults to the number of usable cores. Should the tier go
    away later (a Docker daemon that dies), the tier `fallback` takes over; with `pause` every request is a fault then,
    which pauses a run.

    Raises:
        UserError: no such tier, it does not work here, or it is no sandbox and that was not acknowledged.
    """
    if name not in ("auto", *_LAUNCHERS):
        raise UserError(f"no sandbox named {name!r}; choose one of auto, {', '.join(_LAUNCHERS)}")
    if name == "process" and not i_know_this_is_not_a_sandbox:
        raise UserError("the tier 'process' is no sandbox; pass --i-know-this-is-not-a-sandbox to run programs in it")
    if fallback not in ("pause", *_AUTO):
        raise UserError(f"no sandbox to fall back to named {fallback!r}; choose one of pause, {', '.join(_AUTO)}")
    tried: list[TierHealth] = []
    for candidate in _AUTO if name == "auto" else (name,):
        tried.append(_lasting_health(candidate))
        if tried[-1].works:
            break
    else:
        raise UserError(f"no sandbox works here ({'; '.join(f'{health.name}: {health.why}' for health in tried)})")
    announcement = f"sandbox: {auto_choice(tried)}" if name == "auto" else ""
    executor = _pool(candidate, workers, limits, announcement)
    if fallback in ("pause", candidate):
        return executor
    second = _lasting_health(fallback)
    if not second.works:
        raise UserError(f"sandbox.fallback: {fallback} does not work here ({second.why})")
    return FallbackExecutor(executor, _pool(fallback, workers, limits), lambda: _why_gone(candidate))


def _pool(name: str, workers: int | None, limits: Limits | None, announcement: str = "") -> WorkerPool:
    n_workers = workers or len(os.sched_getaffinity(0))
    return WorkerPool(_LAUNCHERS[name](), n_workers=n_workers, limits=limits or Limits(), announcement=announcement)


def auto_choice(tiers: Sequence[TierHealth]) -> str:
    """What `auto` takes among tiers that were probed, with the reason against each stronger one."""
    against: list[str] = []
    for health in sorted((tier for tier in tiers if tier.name in _AUTO), key=lambda tier: _AUTO.index(tier.name)):
        if health.works:
            return f"{health.name} ({'; '.join(against) or 'the strongest'})"
        against.append(f"{health.name}: {health.why}")
    return f"none works ({'; '.join(against)})"


def probe_tiers() -> list[TierHealth]:
    """Start one worker of every tier and see it lock itself in; about a second in all."""
    return [probe_tier(name) for name in _LAUNCHERS]


def probe_tier(name: str) -> TierHealth:
    """Start one worker of a tier now and see it lock itself in."""
    try:
        with ThreadPoolExecutor(1) as thread:  # an event loop may already run in this one
            thread.submit(asyncio.run, _launch_once(_LAUNCHERS[name]())).result()
    except (WorkerDied, OSError) as error:
        return TierHealth(name, False, str(error))
    return TierHealth(name, True, "a worker locked itself in")


_working: dict[tuple[str, str | None, int], TierHealth] = {}


def _lasting_health(name: str) -> TierHealth:
    """`probe_tier`, but asked once per process, daemon and user of a tier that works: a container takes its time."""
    key = name, os.environ.get("DOCKER_HOST"), os.geteuid()
    if key not in _working:
        health = probe_tier(name)
        if not health.works:
            return health
        _working[key] = health
    return _working[key]


def _why_gone(name: str) -> str:
    health = probe_tier(name)
    return "" if health.works else health.why


async def _launch_once(launcher: Launcher) -> None:
    handle = await launcher.launch(Place(0, has_modules=True), Limits())
    try:
        async with asyncio.timeout(30):
            await handle.link.ready
    except (WorkerDied, TimeoutError) as error:
        raise WorkerDied(handle.kill() or str(error)) from None
    handle.kill()
    await launcher.close()
