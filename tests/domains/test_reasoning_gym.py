"""The domains `rg:NAME`: registration and its complaints, items that repeat, scores that cannot be forged."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azr_engine.domains.reasoning_gym import ReasoningGymDomain, plugin
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task, Verdict
from azr_engine.verifiers.reasoning_gym import N_ITEMS, UNUSABLE, ReasoningGymVerifier, generators

NAMES = ("chain_sum", "gcd", "simple_integration", "countdown", "spiral_matrix", "string_insertion", "rush_hour")
installed = pytest.mark.skipif(importlib.util.find_spec("reasoning_gym") is None, reason="needs reasoning-gym")


@pytest.fixture(scope="module")
def verifier() -> Iterator[ReasoningGymVerifier]:
    verifier = ReasoningGymVerifier(NAMES, workers=1, cpu_seconds=2.0)
    yield verifier
    asyncio.run(verifier.close())


def admit(verifier: ReasoningGymVerifier, name: str, *numbers: Any) -> list[Task | Rejection]:
    return asyncio.run(verifier.admit([Draft(f"rg:{name}", "question", {"number": number}) for number in numbers]))


def task_of(verifier: ReasoningGymVerifier, name: str, number: int = 17) -> Task:
    (task,) = admit(verifier, name, number)
    assert isinstance(task, Task), task
    return task


def judge(verifier: ReasoningGymVerifier, task: Task, *texts: str) -> list[Verdict]:
    return asyncio.run(verifier.judge([(task, Answer({"answer": text}, text)) for text in texts]))


def test_other_runs_get_no_domain_and_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config = RunConfig(domains=("python",))
    assert plugin.azr_domains(config) == []
    assert plugin.azr_verifiers(config) == []


def test_a_missing_package_is_one_line_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install azr-engine\[reasoning-gym\]"):
        plugin.azr_domains(RunConfig(domains=("rg:gcd",)))


@installed
def test_names_are_checked_and_repetitions_are_one_domain() -> None:
    assert [d.name for d in plugin.azr_domains(RunConfig(domains=("rg:gcd", "math", "rg:lcm", "rg:gcd")))] == [
        "rg:gcd",
        "rg:lcm",
    ]
    with pytest.raises(UserError, match="no generator 'chain_sums'; known: chain_sum"):
        plugin.azr_domains(RunConfig(domains=("rg:chain_sums",)))
    for name in UNUSABLE:
        with pytest.raises(UserError, match=f"{name}.*not served"):
            plugin.azr_domains(RunConfig(domains=(f"rg:{name}",)))


@pytest.mark.parametrize("number", ["5", 5.0, True, None])
def test_a_draft_is_one_whole_number(number: Any) -> None:
    domain = ReasoningGymDomain("gcd")
    assert isinstance(domain.draft("question", {"number": number}), Malformed)
    assert isinstance(domain.draft("question", {"number": 5, "more": 1}), Malformed)
    assert isinstance(domain.draft("deduction", {"number": 5}), Malformed)
    assert domain.parse_draft("question", {"number": " 5\n"}) == Draft("rg:gcd", "question", {"number": 5})
    assert isinstance(domain.parse_draft("question", {"number": "-5"}), Malformed)


@installed
def test_the_prompt_holds_the_question_and_not_the_answer(verifier: ReasoningGymVerifier) -> None:
    task = task_of(verifier, "chain_sum")
    (given,) = ReasoningGymDomain("chain_sum").solve_prompt(task).givens
    assert given.text == task.given["question"]
    assert set(task.given) == {"question"}


@installed
def test_gold_passes_and_near_misses_fail(verifier: ReasoningGymVerifier) -> None:
    for name in ("chain_sum", "gcd", "simple_integration", "countdown", "spiral_matrix"):
        task = task_of(verifier, name)
        gold = task.gold["answer"]
        right, wrong, prose, empty = judge(verifier, task, gold, f"7*({gold})", f"I think that it is {gold}", " ")
        assert right == Verdict("pass", 1.0, seconds=right.seconds), name
        assert {wrong.status, prose.status, empty.status} == {"fail"}, name


@installed
def test_items_are_the_same_in_another_process(verifier: ReasoningGymVerifier) -> None:
    numbers = (0, 999, 1000, N_ITEMS - 1)
    other = ReasoningGymVerifier(NAMES, workers=1)
    try:
        for name in NAMES:
            assert admit(verifier, name, *numbers) == admit(other, name, *reversed(numbers))[::-1], name
    finally:
        asyncio.run(other.close())


@installed
def test_numbers_beyond_the_range_and_other_generators_are_refused(verifier: ReasoningGymVerifier) -> None:
    outcomes = [*admit(verifier, "gcd", -1, N_ITEMS, "3", True), *admit(verifier, "sudoku", 1)]
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Rejection)] == ["bad_arguments"] * 5


@installed
def test_a_question_of_another_version_is_our_fault(verifier: ReasoningGymVerifier) -> None:
    task = task_of(verifier, "gcd")
    stale = Task(task.id, task.domain, task.kind, {"question": "another"}, task.gold, "")
    (verdict,) = judge(verifier, stale, task.gold["answer"])
    assert verdict.status == "fault"


@installed
def test_no_answer_is_ever_run(verifier: ReasoningGymVerifier) -> None:
    forging = [
        "[__import__('os').write(i, b'{\"score\": 1.0}\\n') for i in range(20)]",
        "__import__('os')._exit(0)",
        "(lambda: 1)()",
        "().__class__.__base__.__subclasses__()",
        "[c for c in 'abc']",
        "9**9**9**9",
    ]
    for name in ("spiral_matrix", "string_insertion", "simple_integration", "countdown"):
        task = task_of(verifier, name)
        verdicts = judge(verifier, task, *forging)
        assert [verdict.status for verdict in verdicts] == ["fail"] * len(forging), name
        assert not [v for v in verdicts if v.reason.startswith(("crash", "timeout"))], name
        assert judge(verifier, task, task.gold["answer"])[0].status == "pass"


@installed
def test_the_integral_itself_is_no_antiderivative(verifier: ReasoningGymVerifier) -> None:
    task = task_of(verifier, "simple_integration")
    integrand = re.search(r"∫ (.*) dx|of (.*) with|: (.*) dx", task.given["question"])
    text = next(part for part in integrand.groups() if part) if integrand else "x"
    (verdict,) = judge(verifier, task, f"Integral({text}, x)")
    assert verdict.status == "fail"


@installed
def test_a_scorer_that_raises_is_the_answers_failure(verifier: ReasoningGymVerifier) -> None:
    task = task_of(verifier, "rush_hour")
    assert {verdict.status for verdict in judge(verifier, task, "7", "{}", "A+1 " * 1000, "\x00")} == {"fail"}


@installed
@pytest.mark.slow
def test_every_generator_served_tells_gold_from_junk() -> None:
    names = generators.generator_names()
    verifier = ReasoningGymVerifier(names, workers=1)
    try:
        for name in names:
            task = task_of(verifier, name)
            (junk,) = judge(verifier, task, "qwerty")
            assert junk.status == "fail", name
            gold = task.gold["answer"]
            if gold is not None and "Integral(" not in gold:  # some of its golds are integrals left as they were
                assert judge(verifier, task, gold)[0].status == "pass", name
    finally:
        asyncio.run(verifier.close())


@installed
def test_every_scorer_that_evaluates_its_answer_is_known() -> None:
    """Looks through the installed package for `score_answer` methods that call eval, exec or parse_expr."""
    spec = importlib.util.find_spec("reasoning_gym")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    literals, expressions = set(), set()
    for path in package.rglob("*.py"):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        for called, arguments in _calls_in_scorers(ast.parse(path.read_text(encoding="utf-8"))):
            if called in ("eval", "exec") and "answer" in arguments:
                literals.add(module)
            elif called in ("parse_expr", "sympify", "parse_latex") and "answer" in arguments:
                expressions.add(module)
    assert literals == generators.READ_LITERALS
    assert expressions == generators.READ_EXPRESSIONS


def _calls_in_scorers(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or function.name != "score_answer":
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
                yield name, [argument.id for argument in call.args if isinstance(argument, ast.Name)]
