"""Gold never enters a prompt: over every domain and kind, every style, both roles."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azr_engine.engine.config import load_config
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.session import choose_domains
from azr_engine.engine.solving import public
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Draft, Task
from azr_engine.plugins.manager import Plugins
from azr_engine.verifiers.lean.installation import wheel_problem

Both = tuple[dict[str, Domain], dict[str, Verifier]]
SECRET = "sesame7351"
DOMAINS = ["python", "math"] if wheel_problem() else ["python", "math", "lean"]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def parts(loop: asyncio.AbstractEventLoop) -> Iterator[Both]:
    domains, verifiers = choose_domains(load_config(options={"domains": DOMAINS}), Plugins())
    yield domains, verifiers
    for verifier in verifiers.values():
        loop.run_until_complete(verifier.close())


def rendered(domain: Domain, task: Task) -> str:
    return json.dumps([style.render(domain.solve_prompt(task)) for style in STYLES.values()])


def tasks_of(loop: asyncio.AbstractEventLoop, verifier: Verifier, drafts: list[Draft]) -> list[Task]:
    return [outcome for outcome in loop.run_until_complete(verifier.admit(drafts)) if isinstance(outcome, Task)]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_prompts_do_not_depend_on_gold_or_draft(loop: Any, parts: Both, seed: int) -> None:
    domains, verifiers = parts
    for domain in domains.values():
        drafts = list(islice(domain.seeds(random.Random(seed)), 12))
        found = tasks_of(loop, verifiers[domain.verifier], drafts)
        assert {task.kind for task in found} == set(domain.kinds)
        for task in found:
            poisoned = dataclasses.replace(task, gold={"output": SECRET}, draft={"program": SECRET})
            assert SECRET not in rendered(domain, poisoned)
            assert rendered(domain, public(task)) == rendered(domain, task)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(10**6, 10**7))
def test_recognisable_python_golds_stay_out(loop: Any, parts: Both, number: int) -> None:
    domains, verifiers = parts
    program = "def f(x):\n    return x * 3"
    one = {"program": program, "input": str(number)}
    many = {"program": program, "inputs": [str(number + i) for i in range(4)], "message": "a multiple"}
    drafts = [Draft("python", "deduction", one), Draft("python", "abduction", one), Draft("python", "induction", many)]
    deduction, abduction, induction = tasks_of(loop, verifiers["python"], drafts)
    domain = domains["python"]
    assert str(3 * number) not in rendered(domain, deduction)
    assert str(number) not in rendered(domain, abduction)
    prompt = rendered(domain, induction)
    assert "x * 3" not in prompt
    assert str(number) in prompt
    assert str(number + 3) not in prompt


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1000, 9000))
def test_recognisable_math_golds_stay_out(loop: Any, parts: Both, number: int) -> None:
    domains, verifiers = parts
    one = {"operation": "substitute", "expression": f"x+{number}", "arguments": {"value": "77777"}}
    expressions = [f"{number + i}*x**2" for i in range(4)]
    many = {"operation": "differentiate", "expressions": expressions, "message": ""}
    drafts = [Draft("math", "deduction", one), Draft("math", "abduction", one), Draft("math", "induction", many)]
    deduction, abduction, induction = tasks_of(loop, verifiers["math"], drafts)
    domain = domains["math"]
    assert str(number + 77777) not in rendered(domain, deduction)
    assert f"x+{number}" not in rendered(domain, abduction)
    assert "differentiate" not in rendered(domain, induction).replace("differentiate, integrate", "")
    assert str(number + 3) not in rendered(domain, induction)
