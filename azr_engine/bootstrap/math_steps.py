"""The steps of a hand calculation for a grammar task: numbers worked out, products multiplied out, equations sorted.

Each step is one operation: `3*4=12;12-5=7`. The last one stands without its result, which is the answer. Only for the
small tasks of our own grammar; a task beyond arithmetic and integer polynomials in x of low degree has no steps here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from azr_engine.domains.math.material import Poly, group, multiply, poly_text
from azr_engine.verifiers.math.grammar import parse
from azr_engine.verifiers.math.nodes import Node

Number = Fraction | None
"""A value; None for one that exists and is not rational."""


class Unknown(Exception):
    """There are no steps for this."""


class Undefined(Exception):
    """The steps end in an operation without a value."""


def math_steps(kind: str, fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The steps of a forward task, up to what has no value if there is such; None if unknown.

    Args:
        kind: for `error`, only what may have no value is worked out.
        fields: a draft's `operation`, `expression` and `arguments`.
    """
    work = _Work()
    way = (_WAYS_OF_ERRORS if kind == "error" else _WAYS).get(fields["operation"])
    if way is None:
        return None
    try:
        way(work, parse(fields["expression"]), fields.get("arguments", {}))
    except Undefined:
        return tuple(work.steps)
    except Unknown:
        return None
    return tuple(work.steps) or None


class _Work:
    """The steps so far."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def drop_result(self) -> None:
        """What the last step gives is the answer, so it stands behind the steps and not in them."""
        if self.steps:
            self.steps[-1] = self.steps[-1].rpartition("=")[0] or self.steps[-1]

    def operate(self, a: Number, sign: str, b: Number) -> Number:
        """One operation on two numbers; written down unless a number in it is not rational."""
        if sign == "/" and b == 0:
            self.steps.append(f"{_text(a)}/0")
            raise Undefined
        if a is None or b is None:
            return None
        value = _operate(a, sign, b)
        self.steps.append(f"{_text(a, sign)}{sign}{_text(b, sign) if b >= 0 else f'({_text(b)})'}={_text(value)}")
        return value

    def number(self, node: Node, x: int | None = None) -> Number:
        """The value of a tree, with `x` for the variable."""
        kind, value, args = node
        if kind == "number":
            return Fraction(value)
        if kind == "symbol" and x is not None:
            return Fraction(x)
        if kind == "neg":
            inside = self.number(args[0], x)
            return None if inside is None else -inside
        if kind in ("+", "*"):
            total = self.number(args[0], x)
            for arg in args[1:]:
                minus = arg.kind == "neg" and kind == "+"
                part = self.number(arg.args[0] if minus else arg, x)
                total = self.operate(total, "-" if minus else kind, part)
            return total
        if kind in ("/", "**"):
            a, b = (self.number(arg, x) for arg in args)
            return self.operate(a, kind, b)
        if kind == "call" and value == "log":
            inside = self.number(args[0], x)
            self.steps.append(f"log({_text(inside)})")
            if inside is not None and inside <= 0:
                raise Undefined
            return None
        raise Unknown(kind)

    def poly(self, node: Node) -> Poly:
        """The coefficients of a tree, lowest degree first; products of sums are written down."""
        kind, value, args = node
        if kind == "number" and isinstance(value, int):
            return [value]
        if kind == "symbol":
            return [0, 1]
        if kind == "neg":
            return [-c for c in self.poly(args[0])]
        if kind == "+":
            total = self.poly(args[0])
            for arg in args[1:]:
                total = _plus(total, self.poly(arg))
            return total
        if kind == "*":
            total = self.poly(args[0])
            for arg in args[1:]:
                total = self.times(total, self.poly(arg))
            return total
        if kind == "**" and args[1].kind == "number" and 1 <= args[1].value <= 4:
            base = self.poly(args[0])
            total = base
            for _ in range(args[1].value - 1):
                total = self.times(total, base)
            return total
        raise Unknown(kind)

    def times(self, a: Poly, b: Poly) -> Poly:
        """A product; written down when one of the factors is a sum, before like terms are collected and after."""
        product = multiply(a, b)
        if _terms(a) > 1 or _terms(b) > 1:
            parts = [poly_text([0] * (i + j) + [x * y]) for i, x in _by_degree(a) for j, y in _by_degree(b) if x and y]
            listed = "".join(part if part.startswith("-") or not n else f"+{part}" for n, part in enumerate(parts))
            step = f"{group(poly_text(a))}*{group(poly_text(b))}={listed}"
            self.steps.append(step if listed == poly_text(product) else f"{step}={poly_text(product)}")
        return product


def _number(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    work.number(tree, int(arguments["value"]) if "value" in arguments else None)
    work.drop_result()


def _doubtful(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    """Denominators and what stands in logarithms."""
    x = int(arguments["value"]) if "value" in arguments else None
    for arg in tree.args:
        _doubtful(work, arg, arguments)
    if tree.kind == "/" and work.number(tree.args[1], x) == 0:
        raise Undefined
    if tree.kind == "call":
        work.number(tree, x)


def _mod(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    value, modulus = work.number(tree), arguments["modulus"]
    work.steps.append(f"{_text(value)}%{modulus}")


def _gcd(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    value = work.number(tree)
    if value is None or value.denominator != 1:
        raise Unknown
    a, b = sorted((int(value), int(arguments["other"])), reverse=True)
    while b:
        work.steps.append(f"{a}%{b}={a % b}")
        a, b = b, a % b


def _sum(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    total: Number = None
    for x in range(int(arguments["lower"]), int(arguments["upper"]) + 1):
        n_steps = len(work.steps)
        value = work.number(tree, x)
        if len(work.steps) == n_steps:
            work.steps.append(f"{x}:{_text(value)}")
        total = value if total is None else work.operate(total, "+", value)
    work.drop_result()


def _expand(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    if not arguments:
        work.poly(tree)


def _solve(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    """A linear equation by two subtractions and a division; a quadratic sorted, and split if it can be."""
    left, right = _sides(work, tree)
    poly = _sorted(left, right)
    if len(poly) == 2:
        (b, a), (d, c) = (side + [0] * (2 - len(side)) for side in (left[:2], right[:2]))
        by = work.operate(Fraction(a), "-", Fraction(c)) if c else Fraction(a)
        what = work.operate(Fraction(d), "-", Fraction(b)) if b else Fraction(d)
        work.operate(what, "/", by)
        work.drop_result()
    elif len(poly) == 3:
        work.steps.append(f"{poly_text(poly)}=0")
        c, b, a = poly
        discriminant = b * b - 4 * a * c
        root = math.isqrt(max(0, discriminant))
        if root * root == discriminant and (b + root) % 2 == 0:
            p, q = (b + root) // 2, (b - root) // 2
            second = f"({q})" if q < 0 else str(q)
            work.steps += [f"{p}*{second}={a * c}", f"{p}+{second}={b}"]


def _solvable(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    """An equation sorted; of a quadratic, the two parts of the discriminant."""
    poly = _sorted(*_sides(work, tree))
    work.steps.append(f"{poly_text(poly)}=0")
    if len(poly) == 3:
        c, b, a = poly
        square = work.operate(Fraction(b), "*", Fraction(b))
        work.operate(square, "-", work.operate(Fraction(4 * a), "*", Fraction(c)))


def _sides(work: _Work, tree: Node) -> tuple[Poly, Poly]:
    if tree.kind != "relation" or tree.value != ("=",):
        raise Unknown
    left, right = tree.args
    if left.kind == "/":
        left, right = left.args[0], Node("*", None, (right, left.args[1]))
    return work.poly(left), work.poly(right)


def _sorted(left: Poly, right: Poly) -> Poly:
    """Left minus right, of degree two at most."""
    poly = _plus(left, [-c for c in right])
    while len(poly) > 1 and poly[-1] == 0:
        poly.pop()
    if len(poly) > 3:
        raise Unknown
    return poly


def _integrate(work: _Work, tree: Node, arguments: Mapping[str, str]) -> None:
    poly = work.poly(tree)
    integral = [Fraction(0), *(Fraction(c, i + 1) for i, c in enumerate(poly))]
    if "lower" not in arguments or any(c.denominator != 1 for c in integral):
        raise Unknown
    whole = poly_text([int(c) for c in integral])
    work.steps.append(whole)
    primitive = parse(whole)
    ends = []
    for name in ("upper", "lower"):
        work.steps.append(f"x={arguments[name]}")
        ends.append(work.number(primitive, int(arguments[name])))
    work.operate(ends[0], "-", ends[1])
    work.drop_result()


_Way = Callable[[_Work, Node, Mapping[str, str]], None]
_WAYS: Mapping[str, _Way] = {
    "evaluate": _number,
    "substitute": _number,
    "mod": _mod,
    "gcd": _gcd,
    "sum": _sum,
    "expand": _expand,
    "solve": _solve,
    "integrate": _integrate,
}
_WAYS_OF_ERRORS: Mapping[str, _Way] = {
    **_WAYS,
    "evaluate": _doubtful,
    "substitute": _doubtful,
    "solve": _solvable,
}


def _text(value: Number, before: str = "") -> str:
    if value is None:
        return "?"
    text = str(value)
    return f"({text})" if before == "**" and value < 0 else text


def _operate(a: Fraction, sign: str, b: Fraction) -> Fraction:
    if sign == "**":
        if b.denominator != 1 or abs(b) > 6:
            raise Unknown
        if a == 0 and b <= 0:
            raise Undefined
        return a ** int(b)
    return {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b


def _plus(a: Poly, b: Poly) -> Poly:
    n = max(len(a), len(b))
    return [x + y for x, y in zip(a + [0] * (n - len(a)), b + [0] * (n - len(b)), strict=True)]


def _terms(poly: Poly) -> int:
    return sum(1 for c in poly if c)


def _by_degree(poly: Poly) -> list[tuple[int, int]]:
    return [(i, poly[i]) for i in range(len(poly) - 1, -1, -1)]
