"""The profile of a long campaign, and real verifiers with tasks of theirs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
from hypothesis import settings

from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.types import Task
from azr_engine.verifiers.math import MathVerifier
from azr_engine.verifiers.python.executor import choose_executor
from azr_engine.verifiers.python.verifier import PythonVerifier

# Other examples every time, and many more of them.
settings.register_profile("campaign", settings.get_profile("reproducible"), max_examples=10_000, derandomize=False)


@pytest.fixture(scope="package")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="package")
def verifiers(runner: asyncio.Runner) -> Iterator[dict[str, Verifier]]:
    found: dict[str, Verifier] = {
        "python": PythonVerifier(choose_executor("auto", workers=1)),
        "math": MathVerifier(workers=1),
    }
    yield found
    for verifier in found.values():
        runner.run(verifier.close())


@pytest.fixture(scope="package")
def tasks(runner: asyncio.Runner, verifiers: dict[str, Verifier]) -> list[Task]:
    """A few tasks of each kind, from the grammars."""
    found: list[Task] = []
    domains: list[Domain] = [PythonDomain(), MathDomain()]
    for domain in domains:
        seeds = iter(domain.seeds(random.Random(7)))
        drafts = [next(seeds) for _ in range(4 * len(domain.kinds))]
        found += [task for task in runner.run(verifiers[domain.name].admit(drafts)) if isinstance(task, Task)]
    return found
