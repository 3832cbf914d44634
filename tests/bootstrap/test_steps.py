"""What lessons write down on the way to an answer is true, step by step."""

from __future__ import annotations

import builtins
import random
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.bootstrap.lessons import (
    BROAD,
    WORKING,
    LessonBook,
    Mix,
    Solved,
    solve_math,
    solve_python,
    written_steps,
)
from azr_engine.bootstrap.math_steps import math_steps
from azr_engine.bootstrap.python_steps import python_steps
from azr_engine.engine.styles import CompactStyle
from azr_engine.engine.types import Prompt, Section

SEEDS = st.integers(0, 2**32)
NUMERIC = ("evaluate", "substitute", "sum", "mod")


def drawn(solve: Any, rng: random.Random, kind: str) -> Solved:
    while (solved := solve(rng, kind)) is None:
        pass
    return solved  # type: ignore[no-any-return]


def value(text: str) -> Any:
    """Texts of our own grammar only."""
    return eval(text)  # noqa: S307


def checked_run(seed: int, kind: str) -> tuple[Solved, tuple[str, ...]]:
    """A Python lesson and its steps: each before the last, unless it names a variable or announces a sum, is true."""
    solved = drawn(solve_python, random.Random(seed), kind)
    steps = python_steps(solved.given["program"], solved.given["input"])
    assert steps is not None
    for step in steps[:-1]:
        before, equals, after = step.rpartition("=")
        if equals and not step.startswith(("a=", "sum(")):
            assert value(before) == value(after), step
    return solved, steps


@settings(max_examples=60)
@given(SEEDS)
def test_every_step_of_a_python_run_is_true_and_the_last_gives_the_answer(seed: int) -> None:
    solved, steps = checked_run(seed, "deduction")
    if steps and "=" not in steps[-1].replace("==", ""):
        assert value(steps[-1]) == value(solved.answer)


@settings(max_examples=60)
@given(SEEDS)
def test_the_steps_of_a_run_that_fails_end_where_it_does(seed: int) -> None:
    solved, steps = checked_run(seed, "error")
    if solved.answer != "none":
        with pytest.raises(getattr(builtins, solved.answer)):
            value(steps[-1])


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.sampled_from(["deduction", "error"]))
def test_every_step_of_a_calculation_is_true(seed: int, kind: str) -> None:
    solved = drawn(solve_math, random.Random(seed), kind)
    operation = solved.given["operation"]
    steps = math_steps(kind, solved.given)
    for step in steps or ():
        sides = step.split("=")
        if (
            "log" in step
            or ":" in step
            or step.endswith("%0")
            or (operation == "solve" and sides[-1] == "0")
            or sides[0][-1] == "x"
        ):
            continue
        values = [value(side) if "%" in side else sympy.sympify(side) for side in sides if "/0" not in side]
        assert all(sympy.simplify(values[0] - other) == 0 for other in values[1:]), step
    if steps and kind == "deduction" and operation in NUMERIC and ":" not in steps[-1]:
        assert value(steps[-1]) == value(solved.answer)
    if steps and kind == "error" and operation in ("substitute", "evaluate", "mod"):
        undefined = [steps[-1].endswith(end) for end in ("=0", "/0", "%0")]
        in_log = steps[-1].startswith("log(") and value(steps[-1][3:]) <= 0
        assert (any(undefined) or in_log) is (solved.answer == "undefined")


def test_half_of_the_lessons_that_can_be_are_worked_and_the_style_finds_their_answers() -> None:
    style = CompactStyle()
    lessons = LessonBook(style, 3, mix=Mix(0.0, ("python", "math"), WORKING.worked)).lessons()
    worked = 0
    for _ in range(400):
        lesson = next(lessons)
        prompt = Prompt("solve", lesson.domain, lesson.kind, "", (), (), (Section("answer", ""),))
        found = style.parse(prompt, lesson.completion)
        steps, marker, answer = lesson.completion.rpartition("@answer:")
        worked += bool(marker)
        assert found == {"answer": answer}
        assert bool(steps) is bool(marker)
    assert 0.1 < worked / 400 < 0.35
    rng = random.Random(1)
    assert written_steps("python", "induction", drawn(solve_python, rng, "induction")) == ""
    plain = LessonBook(style, 3, mix=BROAD).lessons()
    assert not any("@answer:" in next(plain).completion for _ in range(100))
