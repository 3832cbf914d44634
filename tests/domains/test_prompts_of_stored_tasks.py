"""A task that is tried again, or shown as a reference, looks as it did when it was new: for every domain and kind."""

from __future__ import annotations

import asyncio
import random
from itertools import islice
from pathlib import Path

import pytest

from azr_engine.engine.config import load_config
from azr_engine.engine.session import choose_domains
from azr_engine.engine.solving import public
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Task
from azr_engine.plugins.conformance.shape import rendered
from azr_engine.plugins.manager import Plugins
from azr_engine.verifiers.lean.installation import wheel_problem

DOMAINS = ["python", "math"] if wheel_problem() else ["python", "math", "lean"]


@pytest.mark.parametrize("name", DOMAINS)
def test_prompts_are_the_same_after_the_store(name: str, tmp_path: Path) -> None:
    options = {"domains": [name]} | ({"math": {"seeds": "wide"}} if name == "math" else {})
    domains, verifiers = choose_domains(load_config(options=options), Plugins())
    domain = domains[name]

    async def admit() -> list[Task]:
        verifier = verifiers[domain.verifier]
        outcomes = await verifier.admit(list(islice(domain.seeds(random.Random(7)), 80)))
        await verifier.close()
        return list({found.id: found for found in outcomes if isinstance(found, Task)}.values())

    new = asyncio.run(admit())
    assert {task.kind for task in new} == set(domain.kinds)
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        store.commit_step(1, new, [], [], capacity=1000)
        for task in new:
            stored = store.task(task.id)
            assert rendered(domain.solve_prompt(public(stored))) == rendered(domain.solve_prompt(public(task)))
            again, first = (domain.propose_prompt(task.kind, [one]) for one in (stored, task))
            assert rendered(again) == rendered(first)
