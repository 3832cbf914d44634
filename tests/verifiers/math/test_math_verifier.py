"""`MathVerifier` end to end: the four kinds, what is refused, and workers that are made to fail."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict, task_id
from azr_engine.verifiers.math import REASONS, MathVerifier, gold_text


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    made = MathVerifier(workers=1, cpu_seconds=1.0)
    yield made
    asyncio.run(made.close())


def admit(verifier: MathVerifier, kind: str, **fields: Any) -> Task | Rejection:
    return asyncio.run(verifier.admit([Draft("math", kind, fields)]))[0]


def task(verifier: MathVerifier, kind: str, **fields: Any) -> Task:
    admitted = admit(verifier, kind, **fields)
    assert isinstance(admitted, Task), admitted
    return admitted


def judge(verifier: MathVerifier, subject: Task, *answers: str) -> list[Verdict]:
    return asyncio.run(verifier.judge([(subject, Answer({"answer": text}, text)) for text in answers]))


def statuses(verifier: MathVerifier, subject: Task, *answers: str) -> list[str]:
    return [verdict.status for verdict in judge(verifier, subject, *answers)]


def test_it_is_a_verifier(verifier: MathVerifier) -> None:
    assert isinstance(verifier, Verifier)
    assert (verifier.name, verifier.nature) == ("math", "deterministic")


def test_deduction(verifier: MathVerifier) -> None:
    subject = task(verifier, "deduction", operation="expand", expression="(x+1)(x-2)")
    assert subject.given == {"operation": "expand", "expression": "(x+1)*(x-2)", "variable": "x", "arguments": {}}
    assert subject.gold == {"result": "x**2-x-2"}
    assert subject.id == task_id("math", "deduction", subject.given)
    assert statuses(verifier, subject, "-2-x+x^2", "(x+1)*(x-2)", "x**2-x-3", "x.y") == ["pass", "fail", "fail", "fail"]


def test_abduction_takes_any_preimage_and_no_copy(verifier: MathVerifier) -> None:
    subject = task(verifier, "abduction", operation="factor", expression="x**2-1")
    assert subject.given["result"] == "(x-1)*(x+1)" and "expression" not in subject.given
    assert statuses(verifier, subject, "x**2-1", "x*x-1", "(x+2)*(x-2)+3") == ["pass"] * 3
    copies = ["(x-1)*(x+1)", "(x+1)*(x-1)", "(1-x)*(-x-1)", "1*(x-1)*(x+1)", "(x-1)*(x+1)+x-x", "2*(x-1)*(x+1)/2"]
    assert statuses(verifier, subject, *copies) == ["fail"] * len(copies)


@pytest.mark.parametrize(
    ("fields", "right", "wrong"),
    [
        ({"operation": "expand", "expression": "(x+1)*(x-1)"}, ["(x-1)*(1+x)"],
         ["x**2-1", "-(1-x**2)", "x*x-1", "(x**2-1)*1", "x**2-1+0*(x+1)", "2*(x**2/2-1/2)"]),
        ({"operation": "differentiate", "expression": "x**2*sin(x)"}, ["x**2*sin(x)+3", "sin(x)*x*x"], ["x**2*cos(x)"]),
        ({"operation": "integrate", "expression": "cos(x)"}, ["cos(x)", "sin(x+pi/2)"], ["sin(x)", "cos(x)+1"]),
        ({"operation": "substitute", "expression": "x**2+1", "arguments": {"value": "3"}}, ["3*x+1", "x+7"],
         ["10", "10+x-x", "10+0*x", "x+8"]),
        ({"operation": "solve", "expression": "x**2-x-6=0"}, ["(x-3)*(x+2)", "2*x**2=2*x+12"],
         ["x-3", "(x-3)**2*(x+1)", "[-2,3]"]),
        ({"operation": "solve", "expression": "2*x=6"}, ["x+1=4", "x-3"], ["x=3", "3=x"]),
        ({"operation": "mod", "expression": "17", "arguments": {"modulus": "5"}}, ["22", "7"], ["2", "1+1", "18"]),
        ({"operation": "gcd", "expression": "12", "arguments": {"other": "18"}}, ["24", "30"], ["6", "3+3", "18*3"]),
        ({"operation": "sum", "expression": "x", "arguments": {"lower": "1", "upper": "4"}}, ["5*x-10", "5-x"],
         ["5/2", "x+1"]),
        ({"operation": "inequality", "expression": "2*x<6"}, ["x+1<4", "3-x>0"], ["x<3", "3>x", "x<=3"]),
    ],
)  # fmt: skip
def test_abduction_by_operation(
    verifier: MathVerifier, fields: dict[str, Any], right: list[str], wrong: list[str]
) -> None:
    subject = task(verifier, "abduction", **fields)
    assert statuses(verifier, subject, gold_text(subject), *right) == ["pass"] * (1 + len(right))
    assert "pass" not in statuses(verifier, subject, *wrong)


def test_induction_is_judged_on_held_back_pairs(verifier: MathVerifier) -> None:
    inputs = ["x+1", "x**2", "2*x", "x-3"]
    arguments = {"value": "3"}
    subject = task(verifier, "induction", operation="substitute", expressions=inputs, arguments=arguments, message="m")
    assert [pair["input"] for pair in subject.given["pairs"]] == inputs[:2]
    assert [pair["output"] for pair in subject.gold["pairs"]] == ["6", "0"]
    assert gold_text(subject) == "substitute value=3"
    answers = ["substitute value=3", "limit point=3", "substitute value=2", "substitute", "value=3", "nonsense x", ""]
    assert statuses(verifier, subject, *answers) == ["pass", "pass", *["fail"] * 5]


def test_error_predicts_the_outcome(verifier: MathVerifier) -> None:
    cases: dict[str, dict[str, Any]] = {
        "undefined": {"operation": "evaluate", "expression": "5/(2-2)"},
        "no-solution": {"operation": "solve", "expression": "x**2+1=0"},
        "divergent": {"operation": "sum", "expression": "1/x", "arguments": {"lower": "1", "upper": "oo"}},
        "none": {"operation": "evaluate", "expression": "5/(3-2)"},
    }
    for outcome, fields in cases.items():
        subject = task(verifier, "error", **fields)
        assert subject.gold == {"error": outcome}
        expected = ["pass" if word == outcome else "fail" for word in cases]
        assert statuses(verifier, subject, *cases) == expected
        assert statuses(verifier, subject, "perhaps") == ["fail"]


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("deduction", {"operation": "expand", "expression": "x+1"}, "trivial"),
        ("deduction", {"operation": "factor", "expression": "(1-x)*(x+1)"}, "trivial"),
        ("deduction", {"operation": "evaluate", "expression": "7"}, "trivial"),
        ("deduction", {"operation": "differentiate", "expression": "y**2"}, "trivial"),
        ("deduction", {"operation": "differentiate", "expression": "x-x+5"}, "trivial"),
        ("deduction", {"operation": "substitute", "expression": "4", "arguments": {"value": "1"}}, "trivial"),
        ("abduction", {"operation": "evaluate", "expression": "3+4"}, "trivial"),
        ("abduction", {"operation": "solve", "expression": "x=3"}, "trivial"),
        ("induction", {"operation": "expand", "expressions": ["x*(x+1)"]}, "bad_arguments"),
        ("induction", {"operation": "expand", "expressions": ["x*(x+1)", "x*(x+1)"]}, "trivial"),
        ("induction", {"operation": "expand", "expressions": "x*(x+1)"}, "bad_arguments"),
        ("deduction", {"operation": "evaluate", "expression": "1/0"}, "undefined"),
        ("deduction", {"operation": "solve", "expression": "x**2+1=0"}, "no_solution"),
        ("deduction", {"operation": "evaluate", "expression": "9**9**9"}, "oversize"),
        ("deduction", {"operation": "evaluate", "expression": "factorial(10**9)"}, "oversize"),
        ("deduction", {"operation": "evaluate", "expression": "(" * 5000}, "oversize"),
        ("deduction", {"operation": "expand", "expression": "x.__class__"}, "banned"),
        ("deduction", {"operation": "expand", "expression": "lambda: 0"}, "banned"),
        ("deduction", {"operation": "expand", "expression": "x+"}, "syntax"),
        ("deduction", {"operation": "no such", "expression": "x"}, "unknown_operation"),
        ("deduction", {"operation": ["expand"], "expression": "x"}, "unknown_operation"),
        ("deduction", {"operation": "expand"}, "bad_arguments"),
        ("deduction", {"operation": "expand", "expression": None}, "bad_arguments"),
        ("deduction", {"operation": "expand", "expression": "x", "arguments": "x"}, "bad_arguments"),
        ("no such", {"operation": "expand", "expression": "x"}, "bad_arguments"),
        ("error", {"operation": "expand", "expression": "9**9**9"}, "oversize"),
    ],
)  # fmt: skip
def test_rejections(verifier: MathVerifier, kind: str, fields: dict[str, Any], reason: str) -> None:
    rejected = admit(verifier, kind, **fields)
    assert isinstance(rejected, Rejection), rejected
    assert (rejected.reason, rejected.fault) == (reason, False)
    assert reason in REASONS


def test_a_draft_that_runs_away_is_killed_and_its_neighbours_live(verifier: MathVerifier) -> None:
    good = Draft("math", "deduction", {"operation": "expand", "expression": "x*(x+1)"})
    slow = Draft("math", "deduction", {"operation": "expand", "expression": "(a+b+c+d+f+g+h+k)**30"})
    results = asyncio.run(verifier.admit([good, slow, good, slow, good]))
    assert [isinstance(result, Task) for result in results] == [True, False, True, False, True]
    assert {result.reason for result in results if isinstance(result, Rejection)} <= {"timeout", "memory"}


@pytest.mark.parametrize(
    "answer",
    ["9**9**9", "factorial(10**9)", "(" * 5000, "x" * 30_000, "__import__('os')", "x.real", "'a'*10**9", "lambda: 0",
     "[" * 60, "\x00", "", "1/0", "0**0", "x=", r"\frac{}{}", r"\boxed{", "floor(x)!", "(a+b+c+d+f+g+h+k)**30", "oo-oo",
     "sqrt(" * 40 + "x" + ")" * 40, "x**x**x**x**x", "exp(exp(exp(exp(exp(9)))))", "[x,[x,[x]]]", "x<9", "-oo"],
)  # fmt: skip
def test_hostile_answers_fail_and_cost_nobody_else(verifier: MathVerifier, answer: str) -> None:
    for fields in (
        {"operation": "expand", "expression": "x*(x+1)"},
        {"operation": "integrate", "expression": "x*cos(x)"},
        {"operation": "solve", "expression": "x**2-2"},
        {"operation": "inequality", "expression": "x>2*x-1"},
    ):
        for kind in ("deduction", "abduction"):
            subject = admit(verifier, kind, **fields)
            if isinstance(subject, Task):
                first, second = statuses(verifier, subject, answer, gold_text(subject))
                assert first in ("fail", "abstain") and second == "pass"


def test_an_answer_without_text_fails(verifier: MathVerifier) -> None:
    subject = task(verifier, "deduction", operation="expand", expression="x*(x+1)")
    for fields in ({}, {"answer": 5}, {"answer": None}):
        assert asyncio.run(verifier.judge([(subject, Answer(fields, ""))]))[0].status == "fail"


def test_near_duplicates_share_a_skeleton_and_equal_behaviour_a_signature(verifier: MathVerifier) -> None:
    one = task(verifier, "deduction", operation="differentiate", expression="3*x**2+x")
    other = task(verifier, "abduction", operation="differentiate", expression="x+7*x**5")
    same = task(verifier, "deduction", operation="differentiate", expression="x*(3*x+1)")
    assert one.skeleton == other.skeleton != same.skeleton
    assert one.signature == same.signature != other.signature


def test_gold_stays_out_of_what_the_solver_sees(verifier: MathVerifier) -> None:
    drafts: dict[str, dict[str, Any]] = {
        "deduction": {"operation": "expand", "expression": "(x+3)*(x-41)"},
        "abduction": {"operation": "expand", "expression": "(x+3)*(x-41)"},
        "induction": {"operation": "differentiate", "expressions": ["x**2", "x**3", "x**4", "sin(x)"], "message": ""},
        "error": {"operation": "solve", "expression": "x**2+1"},
    }
    for kind, fields in drafts.items():
        subject = task(verifier, kind, **fields)
        assert gold_text(subject) not in str(dict(subject.given))


def test_admission_is_repeatable(verifier: MathVerifier) -> None:
    fields = {"operation": "integrate", "expression": "x*exp(2*x)+cos(x)"}
    other = MathVerifier(workers=1)
    try:
        assert task(verifier, "deduction", **fields) == task(other, "deduction", **fields)
    finally:
        asyncio.run(other.close())


def test_a_draft_that_eats_the_memory_is_refused() -> None:
    verifier = MathVerifier(workers=1, cpu_seconds=30.0, memory_mb=48)
    try:
        rejected = admit(verifier, "deduction", operation="expand", expression="(a+b+c+d+f+g+h+k)**25")
        assert isinstance(rejected, Rejection) and rejected.reason == "memory"
        assert isinstance(admit(verifier, "deduction", operation="expand", expression="(a+b)**2"), Task)
    finally:
        asyncio.run(verifier.close())


def test_a_killed_worker_is_replaced() -> None:
    verifier = MathVerifier(workers=1)
    try:
        subject = task(verifier, "abduction", operation="factor", expression="x**2-1")
        process = verifier._pool._workers[0]._process
        assert process is not None
        os.killpg(process.pid, 9)
        assert statuses(verifier, subject, "x**2-1") == ["pass"]
    finally:
        asyncio.run(verifier.close())
        asyncio.run(verifier.close())  # closing twice is harmless


def test_importing_the_verifier_imports_neither_sympy_nor_torch() -> None:
    code = "import sys, azr_engine.verifiers.math; print({'sympy', 'mpmath', 'torch'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"
