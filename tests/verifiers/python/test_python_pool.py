"""The supervisor's queue: every job meets a lane, however jobs and lanes arrive; a lane outlives what fails in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.policy import check_program
from azr_engine.verifiers.python.pool import Launcher, WorkerPool, _Backlog, _Job, _Need
from azr_engine.verifiers.python.requests import Limits, Request

NEEDS = [_Need(seed, modules, slow) for seed in (0, 1, None) for modules in (False, True) for slow in (False, True)]


@dataclass(eq=False)
class Wanted:
    """As much of a job as the queue looks at."""

    need: _Need


async def _served(batches: Sequence[Sequence[_Need]]) -> int:
    """How many of the jobs are taken by one lane for each kind of worker, batches put with nothing in between."""
    backlog, taken = _Backlog(), []

    async def lane(needs: Sequence[_Need]) -> None:
        while True:
            taken.append(await backlog.take(needs))

    lanes = [
        asyncio.create_task(lane([_Need(seed, modules, slow), _Need(None, modules, slow)]))
        for seed in (0, 1)
        for modules in (False, True)
        for slow in (False, True)
    ]
    for batch in batches:
        await asyncio.sleep(0)
        for need in batch:
            backlog.put(cast("_Job", Wanted(need)))
    for _ in range(2 * sum(map(len, batches)) + 2):
        await asyncio.sleep(0)
    ended = [one for one in lanes if one.done()]
    for one in lanes:
        one.cancel()
    assert not ended, [one.exception() for one in ended]
    return len(taken)


@given(st.lists(st.lists(st.sampled_from(NEEDS), max_size=6), max_size=6))
def test_every_job_is_served_and_no_lane_ends(batches: list[list[_Need]]) -> None:
    assert asyncio.run(_served(batches)) == sum(map(len, batches))


def test_two_jobs_that_meet_the_same_idle_lane_are_both_served() -> None:
    """One that asks for the lane's hash seed and one that takes any, put in one go, once ended the lane for good."""
    assert asyncio.run(_served([[_Need(0, False, False), _Need(None, False, False)]])) == 2


class _Broken:
    """A tier with a fault that nobody thought of."""

    name = "broken"
    cpu_factor = 1.0

    async def launch(self, place: object, limits: Limits) -> object:
        raise LookupError("unforeseen")

    async def close(self) -> None:
        """Nothing is held."""


def test_what_fails_unforeseen_is_a_fault_of_ours_and_ends_no_lane(caplog: pytest.LogCaptureFixture) -> None:
    program, arguments = check_program("def f(x):\n    return x"), read_arguments("1")
    request = Request(program, (arguments, arguments))

    async def ask() -> list[str]:
        pool = WorkerPool(cast("Launcher", _Broken()), n_workers=1, limits=Limits())
        try:
            found = [await pool.run([request] * 40) for _ in range(2)]
        finally:
            await pool.close()
        return [outcome.status for batch in found for outcomes in batch for outcome in outcomes]

    assert asyncio.run(ask()) == ["fault"] * 160
    assert "LookupError: unforeseen" in caplog.text
