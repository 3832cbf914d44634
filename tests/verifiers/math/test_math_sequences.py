"""Sequences: terms, what comes next, formulas, and their induction from the first terms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.math import MathVerifier, OperationError, compute, gold_text

FIBONACCI = {"operation": "recurrence", "expressions": ["p+q"], "arguments": {"initial": "[0,1]"}}
small = st.integers(-9, 9)


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    verifier = MathVerifier(workers=1, cpu_seconds=4.0)
    yield verifier
    asyncio.run(verifier.close())


def result(operation: str, expression: str, **arguments: str) -> str:
    return compute({"operation": operation, "expression": expression, "arguments": arguments})["result"]


def admit(verifier: MathVerifier, **fields: Any) -> Task | Rejection:
    (outcome,) = asyncio.run(verifier.admit([Draft("math", "induction", fields)]))
    return outcome


def judge(verifier: MathVerifier, task: Task, text: str) -> Verdict:
    (verdict,) = asyncio.run(verifier.judge([(task, Answer({"answer": text}, text))]))
    return verdict


@settings(max_examples=50, deadline=None)
@given(coefficients=st.lists(small, min_size=1, max_size=4), start=st.integers(-3, 3))
def test_polynomials_go_on(coefficients: list[int], start: int) -> None:
    values = [sum(c * (n + start) ** i for i, c in enumerate(coefficients)) for n in range(10)]
    assert result("next", str(values[:7]), count="3") == str(values[7:]).replace(" ", "")
    assert result("next", str(values[:7])) == str(values[7])


@settings(max_examples=50, deadline=None)
@given(weights=st.lists(st.fractions(-2, 2, max_denominator=2), min_size=1, max_size=2), first=small, second=small)
def test_linear_recurrences_go_on(weights: list[Fraction], first: int, second: int) -> None:
    values = [Fraction(first), Fraction(second)][: len(weights)]
    while len(values) < 9:
        values.append(sum((w * v for w, v in zip(weights, reversed(values), strict=False)), Fraction(0)))
    shown = "[" + ",".join(str(value) for value in values[:8]) + "]"
    assert Fraction(result("next", shown)) == values[8]


def test_too_few_terms_explain_nothing() -> None:
    for shown in ("[1,4,9,16]", "[3,1,4,1,5,9]", "[1,2,4,8,16,31]"):
        with pytest.raises(OperationError, match="unsolved"):
            result("next", shown)


@pytest.mark.parametrize(
    ("shown", "formula"),
    [
        ("[1,2,5,10,17,26]", "n**2+1"), ("[5,5,5,5]", "5"), ("[2,6,18,54]", "2*3**n"),
        ("[0,1,0,1,0,1]", "1/2-(-1)**n/2"), ("[1/2,1/4,1/8,1/16]", "2**(-n-1)"), ("[0,1,3,6,10]", "n**2/2+n/2"),
    ],
)  # fmt: skip
def test_formulas(shown: str, formula: str) -> None:
    assert result("formula", shown) == formula


def test_an_exception_at_the_start_is_no_rule() -> None:
    with pytest.raises(OperationError, match="unsolved"):
        result("formula", "[1,0,0,0,0,0]")


def test_terms_of_a_formula() -> None:
    assert result("terms", "2**n-n", count="5") == "[1,1,2,5,12]"
    with pytest.raises(OperationError, match="undefined"):
        result("terms", "1/n")


def test_induction_shows_half_of_the_terms_and_wants_a_formula(verifier: MathVerifier) -> None:
    task = admit(verifier, operation="terms", expressions=["n**2+1"], message="grows")
    assert isinstance(task, Task)
    assert task.given == {"terms": ["1", "2", "5", "10", "17", "26"], "message": "grows", "variable": "n"}
    assert judge(verifier, task, gold_text(task)).status == "pass"
    assert judge(verifier, task, "a_n = 1 + n^2").status == "pass"
    through_the_shown = "n**2+1+n*(n-1)*(n-2)*(n-3)*(n-4)*(n-5)"
    assert judge(verifier, task, through_the_shown).reason == "another a(6)"
    assert judge(verifier, task, "x**2+1").status == "fail"
    assert judge(verifier, task, "[1,2,5]").status == "fail"


def test_a_recurrence_is_induced_by_its_closed_form(verifier: MathVerifier) -> None:
    task = admit(verifier, **FIBONACCI)
    assert isinstance(task, Task)
    assert task.given["terms"] == ["0", "1", "1", "2", "3", "5"]
    assert "p+q" not in str(task.given)
    assert judge(verifier, task, gold_text(task)).status == "pass"
    binet = r"\frac{1}{\sqrt5}\left(\left(\frac{1+\sqrt5}{2}\right)^n-\left(\frac{1-\sqrt5}{2}\right)^n\right)"
    assert judge(verifier, task, binet).status == "pass"
    assert judge(verifier, task, "n").status == "fail"


def test_a_tower_of_powers_in_n_is_refused_in_time(verifier: MathVerifier) -> None:
    task = admit(verifier, **FIBONACCI)
    assert isinstance(task, Task)
    assert judge(verifier, task, "n**n**n**n").status == "fail"


def test_sequences_that_ask_nothing(verifier: MathVerifier) -> None:
    def reason(**fields: Any) -> str:
        outcome = admit(verifier, **fields)
        assert isinstance(outcome, Rejection), outcome
        return outcome.reason

    assert reason(operation="terms", expressions=["0*n"]) == "trivial"
    assert reason(operation="terms", expressions=["(-1)**n"]) == "trivial"
    assert reason(operation="terms", expressions=["n", "n+1"]) == "bad_arguments"
    assert reason(operation="terms", expressions=["x"]) == "bad_arguments"
    assert reason(operation="terms", expressions=["1/(n-8)"]) == "undefined"


def test_a_message_that_gives_the_answer_away_is_banned(verifier: MathVerifier) -> None:
    for message in ("it is n^2 + 1", "n**2+1"):
        outcome = admit(verifier, operation="terms", expressions=["n**2+1"], message=message)
        assert isinstance(outcome, Rejection) and outcome.reason == "banned"
    expressions = ["x**2", "x**3", "x**4", "x**5"]
    outcome = admit(verifier, operation="differentiate", expressions=expressions, message="differentiate it")
    assert isinstance(outcome, Rejection) and outcome.reason == "banned"
    assert isinstance(admit(verifier, operation="differentiate", expressions=expressions, message="slopes"), Task)
