"""Expression trees of the math domain: plain named tuples, compared and hashed by structure.

A node is a kind, a value and arguments. Kinds and what their value holds:

- `number`: a non-negative `int`, or a `Fraction` read from a decimal; `symbol` and `constant`: the name
- `+`, `*` (two or more arguments, never nested in themselves), `/`, `**` (two), `neg` (one): value is None
- `call`: the function's name
- `relation`: the operators of a chain, e.g. `("<", "<=")` for `1<x<=2`, one fewer than the arguments
- `or`, `and`, `union`: two or more arguments
- `list`, `tuple`, `set`: the members; `interval`: value is its two brackets, e.g. `"[)"`

Nothing here evaluates: `1+1` stays a sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple


class Node(NamedTuple):
    """One vertex of an expression tree; see the module's list of kinds."""

    kind: str
    value: Any = None
    args: tuple[Node, ...] = ()


CONSTANTS = frozenset({"pi", "E", "I", "oo"})

FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan"], (1, 1)),
    **dict.fromkeys(["sinh", "cosh", "tanh", "asinh", "acosh", "atanh"], (1, 1)),
    **dict.fromkeys(["exp", "sqrt", "cbrt", "abs", "sign", "floor", "ceiling", "factorial"], (1, 1)),
    "log": (1, 2),
    "binomial": (2, 2),
}
"""Every function an expression may call, with the least and the greatest number of its arguments."""

COLLECTIONS = frozenset({"list", "tuple", "set"})


def number(value: int | Fraction) -> Node:
    """A rational number as the grammar would read it: sign, numerator and denominator are separate nodes."""
    if value < 0:
        return negate(number(-value))
    if isinstance(value, Fraction) and value.denominator != 1:
        return Node("/", None, (Node("number", value.numerator), Node("number", value.denominator)))
    return Node("number", int(value))


def symbol(name: str) -> Node:
    """The symbol of that name."""
    return Node("symbol", name)


def negate(node: Node) -> Node:
    """Minus the node, a double minus dropped."""
    return node.args[0] if node.kind == "neg" else Node("neg", None, (node,))


def add(*terms: Node) -> Node:
    """A sum, flattened; one term is itself, none is 0."""
    return _flat("+", terms, 0)


def multiply(*factors: Node) -> Node:
    """A product, flattened; one factor is itself, none is 1."""
    return _flat("*", factors, 1)


def _flat(kind: str, args: tuple[Node, ...], empty: int) -> Node:
    flat = [inner for arg in args for inner in (arg.args if arg.kind == kind else (arg,))]
    if not flat:
        return Node("number", empty)
    return flat[0] if len(flat) == 1 else Node(kind, None, tuple(flat))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for arg in node.args:
        yield from walk(arg)


def symbols(node: Node) -> list[str]:
    """Names of the symbols in the tree, by order of first appearance."""
    return list(dict.fromkeys(n.value for n in walk(node) if n.kind == "symbol"))
