"""Skeletons: blind to names, literals and layout; sharp on everything that changes what a program does."""

from __future__ import annotations

import pytest

from azr_engine.verifiers.python.skeleton import program_skeleton

BASE = "def f(x):\n    total = 0\n    for i in range(x):\n        total += i\n    return total"
ALIKE = [
    BASE.replace("total", "s").replace("f(x)", "solve(x)"),
    BASE.replace("= 0", "= -17"),
    BASE.replace("f(x):", 'f(x: int) -> int:\n    """Adds."""').replace("= 0", "= 0  # start\n"),
]
UNLIKE = [
    BASE.replace("+=", "*="),
    BASE.replace("= 0", "= 0.0"),
    BASE.replace("range(x)", "sorted(x)"),
    BASE.replace("total += i", "total += x"),
    BASE.replace("return total", "return -total"),
]


@pytest.mark.parametrize("program", ALIKE)
def test_names_literals_and_layout_do_not_show(program: str) -> None:
    assert program_skeleton(program) == program_skeleton(BASE)


@pytest.mark.parametrize("program", UNLIKE)
def test_structure_types_and_builtins_show(program: str) -> None:
    assert program_skeleton(program) != program_skeleton(BASE)


def test_imports_show_by_module_and_not_by_alias() -> None:
    plain = program_skeleton("import math\ndef f(x): return math.sqrt(x)")
    assert program_skeleton("import math as m\ndef g(y): return m.sqrt(y)") == plain
    assert program_skeleton("import cmath\ndef f(x): return cmath.sqrt(x)") != plain
    assert program_skeleton("import math\ndef f(x): return math.floor(x)") != plain


def test_lengths_of_literal_lists_do_not_show() -> None:
    short = program_skeleton("def f(x): return x in [1, 2]")
    assert program_skeleton("def f(x): return x in [3, 4, -5, 6]") == short
    assert program_skeleton("def f(x): return x in ['a', 'b']") != short


@pytest.mark.parametrize("text", ["def f(x", "\0", "-" * 15_000 + "1", "1+" * 7_000 + "1", "'\ud800'"])
def test_what_is_no_program_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Python|deep"):
        program_skeleton(text)
