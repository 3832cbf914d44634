"""Literals in, canonical text out: exact types, no order where there is none, nothing evaluated."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.python.canonical import Oversize, Unserialisable, canonical_value
from azr_engine.verifiers.python.literals import NotLiteral, canonical, read_arguments, read_value

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers(allow_nan=False) | st.text()
    | st.binary()
)  # fmt: skip
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.sets(HASHABLE, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_text_reads_back_as_the_same_value(value: object) -> None:
    text = canonical_value(value)
    assert canonical(text) == text


@given(VALUES)
def test_canonical_text_is_what_python_itself_reads(value: object) -> None:
    again = read_value(canonical_value(value))
    assert type(again) is type(value)
    if not isinstance(value, float | complex) and "nan" not in repr(value):
        assert again == value


@given(st.lists(st.tuples(st.text(), st.integers()), max_size=6))
def test_order_of_keys_and_members_does_not_show(pairs: list[tuple[str, int]]) -> None:
    forward, backward = dict(pairs), dict(sorted(dict(pairs).items(), reverse=True))
    assert canonical_value(forward) == canonical_value(backward)
    assert canonical_value(set(forward)) == canonical_value(set(backward))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (1, 1.0),
        (0.0, -0.0),
        ((1,), [1]),
        ("1", 1),
        (b"a", "a"),
        (set(), {}),
        (set(), frozenset()),
        (0, None),
    ],
)
def test_unlike_types_have_unlike_texts(one: object, other: object) -> None:
    assert canonical_value(one) != canonical_value(other)


def test_not_a_number_equals_itself_by_text() -> None:
    assert canonical_value(math.nan) == canonical("float('nan')") == canonical("-nan") == "nan"
    assert canonical_value({math.inf: -math.inf}) == canonical("{1e999: -inf}")


@pytest.mark.parametrize(
    "text",
    ["f(1)", "x", "1 + 1", "[x for x in []]", "f'{1}'", "[1] * 2", "-True", "{**{}}", "...", "{[]}"],
)
def test_anything_but_a_literal_is_refused(text: str) -> None:
    with pytest.raises(NotLiteral):
        canonical(text)


@pytest.mark.parametrize("text", ["", "1 2", "'a", "4\0", "(" * 300 + ")" * 300, "'\ud800'", "0" * 20_000])
def test_what_does_not_parse_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Python|longer"):
        canonical(text)


@given(st.text(max_size=30))
def test_reading_any_text_ends_in_a_value_or_a_value_error(text: str) -> None:
    for read in (canonical, read_arguments):
        try:
            read(text)
        except ValueError:
            continue


def test_only_exact_built_in_types_have_a_text() -> None:
    class Liar(int):
        def __repr__(self) -> str:
            return "1"

    cycle: list[object] = []
    cycle.append(cycle)
    for value in (Liar(1), object(), range(3), [Liar(1)], cycle):
        with pytest.raises(Unserialisable):
            canonical_value(value)


def test_size_is_bounded_before_the_work_is_done() -> None:
    nested: frozenset[object] = frozenset()
    for _ in range(30):
        nested = frozenset([nested])
    canonical_value(nested)  # an encoder that visits members twice would take 2**30 steps
    for value in ("a" * 20_000, list(range(9_000)), 1 << 20_000, [["a" * 9_000]] * 2):
        with pytest.raises(Oversize):
            canonical_value(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", "3"), ("", ""), ("[1,2], 'a'", "[1, 2], 'a'"), ("(1,2)", "(1, 2)"), ("1,2,", "1, 2"), ("3 # three", "3")],
)
def test_argument_lists(text: str, expected: str) -> None:
    assert read_arguments(text).text == expected


@pytest.mark.parametrize("text", ["x=3", "*[1]", "3)(4", "'') or (True", "int(3)", "**{}"])
def test_argument_lists_hold_positional_literals_only(text: str) -> None:
    with pytest.raises(NotLiteral):
        read_arguments(text)
