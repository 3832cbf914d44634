"""A message may hint at a program and not quote it."""

from __future__ import annotations

import pytest

from azr_engine.verifiers.python.leakage import reveals

PROGRAM = "def f(x):\n    y = sorted(x)[::-1]\n    return y[0] * 3 + len(x)\n"


@pytest.mark.parametrize("message", ["y[0]*3 + len(x)", "hint: return y[0] * 3 + len( x )!", "first sorted(x) [::-1]"])
def test_quotes_are_found_whatever_their_spaces(message: str) -> None:
    assert reveals(message, PROGRAM)


@pytest.mark.parametrize("message", ["", "sort, then use the largest", "3 times the first plus the length", "y[0]"])
def test_hints_are_not_quotes(message: str) -> None:
    assert not reveals(message, PROGRAM)


def test_short_programs_can_have_messages() -> None:
    assert not reveals("adds x+1", "def f(x): return x+1")


def test_a_constant_in_common_is_no_quote() -> None:
    assert not reveals("starts at 1000000", "def f(x):\n    y = 1000000\n    return y\n")
