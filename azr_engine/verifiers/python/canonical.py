"""The canonical text of a value: equal exactly when two values have the same exact types and content.

`True` is not `1`, `1` is not `1.0`, `0.0` is not `-0.0`, NaN equals NaN; sets and dictionaries have no order.
Only exact built-in types have a text (None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset,
dict), so no method of the value's own making ever runs. The module imports nothing of ours: the same code
encodes results inside the sandbox and literals outside.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_TEXT_CHARACTERS = 16_384
MAX_ITEMS = 8_192
MAX_DEPTH = 40
_MAX_INT_BITS = 13_000
"""Below Python's own limit of 4,300 decimal digits, which would raise inside `repr`."""

_MISREAD = frozenset(("-0.0", "nan", "inf", "-inf"))
"""Parts of complex numbers whose repr does not read back as the value. `-1j` does not either: it is `-(1j)`."""


class Unserialisable(ValueError):
    """The value, or something in it, has no canonical text (a foreign type, a cycle, too deep)."""


class Oversize(ValueError):
    """The canonical text would be longer than `MAX_TEXT_CHARACTERS` or hold more than `MAX_ITEMS` items."""


def canonical_value(value: object) -> str:
    """The canonical text of `value`, itself a Python literal (with `nan`, `inf` and `frozenset(...)` allowed).

    Raises:
        Unserialisable: a type other than the exact built-in ones, a cycle, or nesting beyond `MAX_DEPTH`.
        Oversize: too long or too many items.
    """
    text = _encode(value, MAX_DEPTH, [MAX_ITEMS, MAX_TEXT_CHARACTERS])
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Oversize
    return text


def canonical_tuple(values: tuple[object, ...]) -> str:
    """The canonical texts of `values`, comma-separated: the text of an argument list."""
    return ", ".join([canonical_value(value) for value in values])


def _encode(value: Any, depth: int, budget: list[int]) -> str:
    """`budget` holds what is left of items and characters; it only shrinks."""
    budget[0] -= 1
    if budget[0] < 0 or budget[1] < 0:
        raise Oversize
    kind = type(value)
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        text = scalar(value)
        budget[1] -= len(text)
        return text
    if depth == 0:
        raise Unserialisable
    if kind is list:
        return "[" + ", ".join([_encode(item, depth - 1, budget) for item in value]) + "]"
    if kind is tuple:
        items = ", ".join([_encode(item, depth - 1, budget) for item in value])
        return f"({items},)" if len(value) == 1 else f"({items})"
    if kind is set or kind is frozenset:
        text = "{" + ", ".join(text for text, _ in _entries(value, depth - 1, budget)) + "}"
        text = text if value else "set()"
        return text if kind is set else f"frozenset({text if value else ''})"
    if kind is dict:
        pairs = _entries(value, depth - 1, budget)
        return "{" + ", ".join([f"{text}: {_encode(value[key], depth - 1, budget)}" for text, key in pairs]) + "}"
    raise Unserialisable


def _entries(items: Any, depth: int, budget: list[int]) -> list[tuple[str, Any]]:
    """Texts beside items, ordered: integers by value, because people read them; anything else by text."""
    entries = [(_encode(item, depth, budget), item) for item in items]
    integers = all(type(item) is int for _, item in entries)
    entries.sort(key=(lambda entry: entry[1]) if integers else (lambda entry: entry[0]))
    return entries


def _integer(value: int) -> str:
    if value.bit_length() > _MAX_INT_BITS:
        raise Oversize
    return repr(value)


def _complex(value: complex) -> str:
    parts = repr(value.real), repr(value.imag)
    if not _MISREAD.isdisjoint(parts) or (parts[0] == "0.0" and value.imag < 0):
        return f"complex({parts[0]}, {parts[1]})"
    return repr(value)


def _text(value: str | bytes) -> str:
    if len(value) > MAX_TEXT_CHARACTERS:
        raise Oversize
    return repr(value)


_SCALARS: dict[type, Callable[[Any], str]] = {
    type(None): repr,
    bool: repr,
    int: _integer,
    float: repr,
    complex: _complex,
    str: _text,
    bytes: _text,
}
