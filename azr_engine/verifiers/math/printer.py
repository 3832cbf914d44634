"""Trees to text: the short canonical spelling that reads back to the same tree, and skeletons.

A skeleton is the spelling with every number as `N`, every symbol as `S1`, `S2` ... by order of appearance, and
the arguments of sums and products sorted, so that near-duplicates share it. Signs belong to numbers.
"""

from __future__ import annotations

from fractions import Fraction

from azr_engine.verifiers.math.nodes import Node

_PRECEDENCE = {"or": 1, "and": 2, "relation": 3, "union": 4, "+": 5, "neg": 5, "*": 6, "/": 6, "**": 7}
_ATOM = 9
_BRACKETS = {"list": "[]", "set": "{}", "tuple": "()"}


def to_text(node: Node) -> str:
    """Text without spaces that `parse` reads back to `node`."""
    kind, value, args = node
    if kind == "number":
        return str(value) if not isinstance(value, Fraction) or value.denominator == 1 else _fraction(value)
    if kind in ("symbol", "constant"):
        return str(value)
    if kind == "+":
        return "".join(_term(arg, first=i == 0) for i, arg in enumerate(args))
    if kind == "*":
        return "*".join(_wrapped(arg, 6 if i == 0 else 7) for i, arg in enumerate(args))
    if kind == "/":
        return f"{_wrapped(args[0], 6)}/{_wrapped(args[1], 7)}"
    if kind == "**":
        exponent = to_text(args[1]) if args[1].kind == "neg" and args[1].args[0].kind == "number" else None
        return f"{_wrapped(args[0], 8)}**{exponent or _wrapped(args[1], 7)}"
    if kind == "neg":
        return "-" + _wrapped(args[0], 6)
    if kind == "call":
        return f"{value}({','.join(map(to_text, args))})"
    if kind == "relation":
        sides = [_wrapped(arg, 4) for arg in args]
        return sides[0] + "".join(op + side for op, side in zip(value, sides[1:], strict=True))
    if kind in ("or", "and", "union"):
        word = "U" if kind == "union" else f" {kind} "
        return word.join(_wrapped(arg, _PRECEDENCE[kind] + 1) for arg in args)
    brackets = value if kind == "interval" else _BRACKETS[kind]
    inner = ",".join(map(to_text, args))
    comma = "," if kind == "tuple" and len(args) == 1 else ""
    return f"{brackets[0]}{inner}{comma}{brackets[1]}"


def _fraction(value: Fraction) -> str:
    """A decimal, when it is one, so that it reads back as the one number it was."""
    digits = next(n for n in range(1, 400) if value.denominator <= 10**n and 10**n % value.denominator == 0)
    whole, rest = divmod(value.numerator * 10**digits // value.denominator, 10**digits)
    return f"{whole}.{rest:0{digits}d}"


def _wrapped(node: Node, least: int) -> str:
    text = to_text(node)
    tight = isinstance(node.value, Fraction) or _PRECEDENCE.get(node.kind, _ATOM) >= least
    return text if tight else f"({text})"


def _term(node: Node, *, first: bool) -> str:
    if node.kind == "neg":
        return "-" + _wrapped(node.args[0], 6)
    return _wrapped(node, 6) if first else "+" + _wrapped(node, 6)


def skeleton(node: Node) -> str:
    """The structure of `node` as text; equal for trees that differ in numbers, names and order alone."""
    return to_text(_numbered(_abstract(node)[1], {}))


_N = Node("constant", "N")
_S = Node("constant", "S")


def _abstract(node: Node) -> tuple[Node, Node]:
    """`node` with numbers as `N`, signs dropped into them and arguments sorted: without and with symbol names."""
    kind, value, args = node
    if kind == "number":
        return _N, _N
    if kind == "symbol":
        return _S, node
    pairs = [_abstract(arg) for arg in args]
    if kind == "neg":
        shape = pairs[0][0]
        if shape == _N or (shape.kind in "*/" and shape.args[0] == _N):
            return pairs[0]
    if kind == "/" and all(shape == _N for shape, _ in pairs):
        return _N, _N
    if kind in ("+", "*"):
        pairs.sort(key=lambda pair: to_text(pair[0]))
    shapes, named = zip(*pairs, strict=True) if pairs else ((), ())
    return Node(kind, value, shapes), Node(kind, value, named)


def _numbered(node: Node, names: dict[str, str]) -> Node:
    if node.kind == "symbol":
        return Node("symbol", names.setdefault(node.value, f"S{len(names) + 1}"))
    return Node(node.kind, node.value, tuple(_numbered(arg, names) for arg in node.args))
