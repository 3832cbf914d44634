"""One pool of Lean servers for all tests of the folder, or the reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Limits
from azr_engine.verifiers.lean.installation import Installation, embedded, wheel_problem

LIMITS = Limits(cpu_seconds=20.0)


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The embedded Lean."""
    if problem := wheel_problem():
        pytest.skip(problem)
    return embedded()


@pytest.fixture(scope="session")
def pool(installation: Installation) -> Iterator[LeanPool]:
    """Checks as a run makes them."""
    pool = LeanPool("embedded", lambda: installation, limits=LIMITS)
    yield pool
    asyncio.run(pool.close())


@pytest.fixture(scope="session")
def unlinted(installation: Installation) -> Iterator[LeanPool]:
    """Checks without the first look: what the module check and the second kernel run stop by themselves."""
    pool = LeanPool("embedded", lambda: installation, limits=LIMITS, lint=False)
    yield pool
    asyncio.run(pool.close())
