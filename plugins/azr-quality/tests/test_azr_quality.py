"""What counts as simple, and that nothing a model writes gets in the way."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from azr_quality import azr_bonus, quality
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.types import Answer, Attempt, Completion, Malformed, Task, Verdict
from azr_engine.plugins.conformance import check_plugin

STRAIGHT = "def f(x):\n    return x * 2 + 1\n"
LOOP = "def f(x):\n    total = 0\n    for i in x:\n        if i > 2:\n            total += i\n    return total\n"
TANGLE = (
    "def f(x):\n    for i in x:\n        for j in x:\n            for k in x:\n                if i < j or k:\n"
    "                    return k\n"
)
CROWD = "def f(x):\n    return " + " + ".join(f"(x[{i}] * {i})" for i in range(12)) + "\n"
ATTEMPT = Attempt(
    Task("0" * 16, "python", "induction", {}, None, "s"),
    Completion((1,), (2,), (-0.5,), "", "stop", 0),
    Answer({"answer": STRAIGHT}, STRAIGHT),
    Verdict("pass", 1.0),
    1.0,
)


def test_the_simpler_program_is_worth_more() -> None:
    values = [quality(source) for source in (STRAIGHT, LOOP, TANGLE)]
    assert values[0] == 1.0
    assert all(a is not None and b is not None and a > b for a, b in itertools.pairwise(values))
    crowded = quality(CROWD)
    assert crowded is not None and crowded < 0.5


def test_padding_stripping_and_comments_earn_nothing() -> None:
    padded = LOOP.replace("    return total", "    # as simple as can be\n    return total").replace("total", "t")
    assert quality(padded) == quality(LOOP)


@pytest.mark.parametrize(
    "text", ["4", "[1, 2]", "", "def f(:", "\x00", "x" * 10**6, "-" * 10_000 + "1", "(" * 10_000, "lambda x: x"]
)
def test_what_is_no_program_has_no_quality(text: str) -> None:
    assert quality(text) is None


PIECES = st.sampled_from(["def f(x):", "\n    ", "if x", ":", "(", "return x", "\ud800", "*"])


@given(st.text() | st.lists(PIECES).map("".join))
def test_no_text_raises_or_leaves_the_range(text: str) -> None:
    value = quality(text)
    assert value is None or 0.0 < value <= 1.0


def test_the_hook_reads_answers_alone() -> None:
    assert azr_bonus(ATTEMPT) == 1.0
    assert azr_bonus(dataclasses.replace(ATTEMPT, answer=Malformed("empty", STRAIGHT))) is None
    assert azr_bonus(dataclasses.replace(ATTEMPT, answer=Answer({"answer": 4}, "4"))) is None


def test_the_plugin_conforms() -> None:
    report = check_plugin("quality")
    assert report.hooks and report.passed, "\n".join(report.lines())
