"""The math domain's prompts: words for every operation in the chat style, the compact style as it always was."""

from __future__ import annotations

import string
from typing import Any

import pytest

from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.math.templates import BACKWARD, FORWARD, operations_text, question
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Prompt, Task
from azr_engine.verifiers.math import TABLE

DOMAIN = MathDomain()
ONE = {"operation": "differentiate", "expression": "x**2+sin(x)", "variable": "x", "arguments": {"order": "2"}}
MANY = {"operation": "differentiate", "expressions": ["x**2", "x**3", "x**4"], "variable": "x", "arguments": {}}
PAIRS = [{"input": "x**2", "output": "2*x"}, {"input": "x**3", "output": "3*x**2"}]


def task(kind: str, given: dict[str, Any], draft: dict[str, Any] | None = None) -> Task:
    return Task("id", "math", kind, given, {"result": "secret"}, "", draft=draft or {})


def shown(operation: str, expression: str, variable: str = "x", **arguments: str) -> dict[str, Any]:
    return {"operation": operation, "expression": expression, "variable": variable, "arguments": arguments}


def compact(prompt: Prompt) -> str:
    return str(STYLES["compact"].render(prompt))


def chat(prompt: Prompt) -> str:
    return str(STYLES["chat"].render(prompt)[-1]["content"])  # type: ignore[index]


COMPACT = [
    (
        task("deduction", ONE),
        "@solve@math@deduction@operation:differentiate@expression:x**2+sin(x)@arguments:order=2@answer:",
    ),
    (
        task("deduction", shown("solve", "t**2=4", "t")),
        "@solve@math@deduction@operation:solve@expression:t**2=4@arguments:variable=t@answer:",
    ),
    (
        task("abduction", {"operation": "factor", "result": "(x+1)*(x-1)", "variable": "x", "arguments": {}}),
        "@solve@math@abduction@operation:factor@result:(x+1)*(x-1)@answer:",
    ),
    (
        task("induction", {"pairs": PAIRS, "message": "slope @", "variable": "x"}),
        "@solve@math@induction@message:slope @@@pairs:x**2->2*x\nx**3->3*x**2@answer:",
    ),
    (
        task("error", shown("substitute", "1/(x-2)", value="2")),
        "@solve@math@error@operation:substitute@expression:1/(x-2)@arguments:value=2@answer:",
    ),
    (
        task("deduction", shown("recurrence", "p+q", initial="[0,1]")),
        "@solve@math@deduction@operation:recurrence@expression:p+q@arguments:initial=[0,1]@answer:",
    ),
]


@pytest.mark.parametrize(("subject", "text"), COMPACT)
def test_the_compact_style_shows_what_a_small_model_was_trained_on(subject: Task, text: str) -> None:
    assert compact(DOMAIN.solve_prompt(subject)) == text


def test_the_compact_proposals_are_what_a_small_model_was_trained_on() -> None:
    one, many = task("deduction", {}, ONE), task("induction", {}, {**MANY, "message": "slope @"})
    reference = "@ref@operation:differentiate@expression:x**2+sin(x)@arguments:order=2"
    assert compact(DOMAIN.propose_prompt("deduction", [one])) == f"@propose@math@deduction{reference}@new@operation:"
    reference = "@ref@operation:differentiate@expressions:x**2\nx**3\nx**4@arguments:@message:slope @@"
    assert compact(DOMAIN.propose_prompt("induction", [many])) == f"@propose@math@induction{reference}@new@operation:"
    assert compact(DOMAIN.propose_prompt("error", [])) == "@propose@math@error@new@operation:"


def test_a_sequence_shows_its_terms() -> None:
    subject = task("induction", {"terms": ["1", "2", "5"], "message": "", "variable": "n"})
    prompt = DOMAIN.solve_prompt(subject)
    assert compact(prompt) == "@solve@math@induction@terms:1,2,5@answer:"
    assert "Find a formula for a(n) in n" in chat(prompt)


@pytest.mark.parametrize("name", TABLE)
def test_every_operation_has_words_that_hold_all_that_is_given(name: str) -> None:
    required = {argument: f"<{argument}>" for argument, row in TABLE[name].arguments.items()}
    forward = question(shown(name, "<e>", "t", **required))
    backward = question({"operation": name, "result": "<r>", "variable": "t", "arguments": required})
    assert "<e>" in forward and "<r>" in backward
    for argument, text in required.items():
        if argument != "order" or name == "series":
            assert text in forward
            assert text in backward or name == "terms"  # how many terms there are shows in the result


def test_words_for_operations_that_are_none_would_be_dead() -> None:
    variants = {"integrate between", "next several"}
    assert set(FORWARD) == set(BACKWARD) == {*TABLE, *variants}
    fields = {
        field for text in (*FORWARD.values(), *BACKWARD.values()) for _, field, _, _ in string.Formatter().parse(text)
    }
    arguments = {argument for row in TABLE.values() for argument in row.arguments} - {"order"}
    assert fields >= arguments


def test_the_chat_style_asks_in_words() -> None:
    assert "Find all real x such that x**2-1 = 0." in chat(
        DOMAIN.solve_prompt(task("deduction", shown("solve", "x**2-1")))
    )
    assert "Find the second derivative of x**2+sin(x) with respect to x." in chat(
        DOMAIN.solve_prompt(task("deduction", ONE))
    )
    error = chat(DOMAIN.solve_prompt(task("error", shown("limit", "1/x", point="0"))))
    assert "Find the limit of 1/x as x tends to 0." in error and "no-solution" in error


def test_the_proposer_is_told_every_operation_and_argument() -> None:
    text = chat(DOMAIN.propose_prompt("deduction", []))
    assert operations_text() in text
    for name, row in TABLE.items():
        assert name in text
        assert all(argument in text for argument in row.arguments)
