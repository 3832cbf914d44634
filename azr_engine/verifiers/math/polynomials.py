"""Exact polynomials and rational functions over the rationals, in plain Python and without SymPy.

A polynomial is a dictionary from monomials to non-zero coefficients; a monomial is a tuple of (generator, power)
pairs sorted by generator. A rational function is a numerator over a denominator, not reduced: two are equal
exactly when they are equal after cross multiplication. Function calls and constants may stand as generators
(`sin(x)`, `pi`): equality then proves equality of values, and inequality proves nothing.

Sizes are bounded by `MAX_TERMS`, so everything here may run on model text in the calling process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from azr_engine.verifiers.math.nodes import Node, add, multiply, negate, number, symbol
from azr_engine.verifiers.math.printer import to_text

Coefficient = int | Fraction
Monomial = tuple[tuple[str, int], ...]
Polynomial = Mapping[Monomial, Coefficient]

MAX_TERMS = 400
MAX_POWER = 128
ONE: Polynomial = {(): 1}
ZERO: Polynomial = {}


class NotRational(ValueError):
    """The tree is no rational function here, or one that is too large."""


class UndefinedValue(ValueError):
    """A division by zero or `0**0` in the tree."""


class Ratio(NamedTuple):
    """`numerator/denominator`; the denominator is not zero."""

    numerator: Polynomial
    denominator: Polynomial


def plus(a: Polynomial, b: Polynomial, factor: Coefficient = 1) -> Polynomial:
    """`a + factor*b`."""
    total = dict(a)
    for monomial, coefficient in b.items():
        value = total.get(monomial, 0) + factor * coefficient
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)
    return total


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """`a*b`. Raises NotRational beyond `MAX_TERMS` terms."""
    if a == ONE:
        return b
    if b == ONE:
        return a
    if len(a) * len(b) > MAX_TERMS * 20:
        raise NotRational("too many terms")
    product: dict[Monomial, Coefficient] = {}
    for left, c in a.items():
        for right, d in b.items():
            monomial = _join(left, right)
            product[monomial] = product.get(monomial, 0) + c * d
    if len(product) > MAX_TERMS:
        raise NotRational("too many terms")
    return {monomial: value for monomial, value in product.items() if value}


def _join(left: Monomial, right: Monomial) -> Monomial:
    if not left:
        return right
    if not right:
        return left
    if len(left) == len(right) == 1 and left[0][0] == right[0][0]:
        return ((left[0][0], left[0][1] + right[0][1]),)
    powers = dict(left)
    for generator, power in right:
        powers[generator] = powers.get(generator, 0) + power
    return tuple(sorted(powers.items()))


def power(base: Polynomial, exponent: int) -> Polynomial:
    """`base**exponent` for a non-negative exponent; `0**0` is 1 here, so callers refuse it first."""
    if exponent > MAX_POWER:
        raise NotRational("power too large")
    result, square = ONE, base
    while exponent:
        if exponent & 1:
            result = times(result, square)
        exponent >>= 1
        if exponent:
            square = times(square, square)
    return result


def ratio(node: Node, *, opaque: bool = False) -> Ratio:
    """The rational function a tree stands for; with `opaque`, calls and constants become generators.

    Raises:
        NotRational: the tree holds something else, or is too large.
        UndefinedValue: it divides by zero or holds `0**0`.
    """
    kind, value, args = node
    if kind == "number":
        return Ratio({(): value} if value else ZERO, ONE)
    if kind == "symbol":
        return Ratio({((value, 1),): 1}, ONE)
    if kind == "+":
        return reduce(_ratio_sum, [ratio(arg, opaque=opaque) for arg in args])
    if kind == "*":
        return reduce(_ratio_product, [ratio(arg, opaque=opaque) for arg in args])
    if kind == "neg":
        inner = ratio(args[0], opaque=opaque)
        return Ratio(plus(ZERO, inner.numerator, -1), inner.denominator)
    if kind == "/":
        return _ratio_product(ratio(args[0], opaque=opaque), _inverse(ratio(args[1], opaque=opaque), opaque))
    if kind == "**":
        exponent = constant_value(args[1])
        if exponent is not None and exponent.denominator == 1:
            return _ratio_power(ratio(args[0], opaque=opaque), int(exponent), opaque)
    if opaque and kind in ("call", "constant", "**"):
        return Ratio({((_generator(node), 1),): 1}, ONE)
    raise NotRational(kind)


def _ratio_sum(a: Ratio, b: Ratio) -> Ratio:
    if a.denominator == b.denominator:
        return Ratio(plus(a.numerator, b.numerator), a.denominator)
    numerator = plus(times(a.numerator, b.denominator), times(b.numerator, a.denominator))
    return Ratio(numerator, times(a.denominator, b.denominator))


def _ratio_product(a: Ratio, b: Ratio) -> Ratio:
    return Ratio(times(a.numerator, b.numerator), times(a.denominator, b.denominator))


def _ratio_power(base: Ratio, exponent: int, opaque: bool) -> Ratio:
    if exponent <= 0 and not base.numerator:
        raise UndefinedValue("zero to a power that is not positive")
    base = _inverse(base, opaque) if exponent < 0 else base
    return Ratio(power(base.numerator, abs(exponent)), power(base.denominator, abs(exponent)))


def _inverse(value: Ratio, opaque: bool) -> Ratio:
    top, bottom = value
    if not top:
        raise UndefinedValue("division by zero")
    if len(top) == 1 and () in top:
        return Ratio(plus(ZERO, bottom, Fraction(1) / top[()]), ONE)
    # A generator such as sin(0) may be zero in disguise, and what it divides would then be undefined.
    if opaque and not all(generator.isalnum() for monomial in top for generator, _ in monomial):
        raise NotRational("a function in a denominator")
    return Ratio(bottom, top)


def _generator(node: Node) -> str:
    """One spelling per function value: arguments in canonical form, `exp(u)` as `E**u`, `sqrt(u)` as a power."""
    kind, value, args = node
    if kind == "constant":
        return f"<{value}>"
    if kind == "call" and value == "exp":
        kind, args = "**", (Node("constant", "E"), args[0])
    elif kind == "call" and value == "sqrt":
        kind, args = "**", (args[0], Node("/", None, (Node("number", 1), Node("number", 2))))
    return f"<{value if kind == 'call' else kind}:{','.join(map(canonical, args))}>"


def canonical(node: Node) -> str:
    """A spelling that is equal only for equal values; the sorted polynomial where there is one."""
    try:
        top, bottom = ratio(node, opaque=True)
    except (NotRational, UndefinedValue):
        return to_text(node)
    return f"{_spelled(top)}/{_spelled(bottom)}"


def _spelled(poly: Polynomial) -> str:
    return "+".join(f"{Fraction(value)}{monomial}" for monomial, value in sorted(poly.items()))


def constant_value(node: Node) -> Fraction | None:
    """The rational number a tree without symbols stands for; None when it is something else."""
    if node.kind == "number":
        return Fraction(node.value)
    try:
        top, bottom = ratio(node)
    except (NotRational, UndefinedValue):
        return None
    if any(top) or any(bottom):
        return None
    return Fraction(top.get((), 0)) / bottom[()]


def polynomial(node: Node) -> Polynomial:
    """The polynomial a tree stands for.

    Raises:
        NotRational: it is none.
        UndefinedValue: as `ratio`.
    """
    top, bottom = ratio(node)
    if any(bottom):
        raise NotRational("a denominator with symbols")
    return plus(ZERO, top, Fraction(1) / bottom[()]) if bottom != ONE else top


def same_value(a: Node, b: Node) -> bool | None:
    """Whether two trees are equal wherever both are defined; None when that is not decided here."""
    try:
        left, right = ratio(a, opaque=True), ratio(b, opaque=True)
        difference = plus(times(left.numerator, right.denominator), times(right.numerator, left.denominator), -1)
    except (NotRational, UndefinedValue):
        return None
    if not difference:
        return True
    pure = all(g.isalnum() for part in (*left, *right) for monomial in part for g, _ in monomial)
    return False if pure else None


def degree(poly: Polynomial, name: str) -> int:
    """Highest power of the generator `name`."""
    return max((p for monomial in poly for g, p in monomial if g == name), default=0)


def by_power(poly: Polynomial, name: str) -> dict[int, Polynomial]:
    """Coefficients in the other generators, by power of `name`."""
    parts: dict[int, dict[Monomial, Coefficient]] = {}
    for monomial, value in poly.items():
        exponent = next((p for g, p in monomial if g == name), 0)
        rest = tuple(pair for pair in monomial if pair[0] != name)
        parts.setdefault(exponent, {})[rest] = value
    return dict(parts)


def dense(poly: Polynomial, name: str) -> list[Coefficient]:
    """Coefficients from the highest power down. Raises NotRational when there are other generators."""
    if any(g != name for monomial in poly for g, _ in monomial):
        raise NotRational("more than one symbol")
    values = {(monomial[0][1] if monomial else 0): value for monomial, value in poly.items()}
    return [values.get(n, 0) for n in range(max(values, default=0), -1, -1)]


def from_dense(values: list[Coefficient], name: str) -> Polynomial:
    """The inverse of `dense`."""
    top = len(values) - 1
    return {(((name, top - i),) if top > i else ()): value for i, value in enumerate(values) if value}


def compose(poly: Polynomial, name: str, value: Polynomial) -> Polynomial:
    """`poly` with `value` for `name`."""
    total = ZERO
    for exponent, coefficient in by_power(poly, name).items():
        total = plus(total, times(coefficient, power(value, exponent)))
    return total


def content(poly: Polynomial) -> Fraction:
    """The positive rational that leaves coprime integer coefficients when divided out; 1 for zero."""
    values = [Fraction(value) for value in poly.values()]
    if not values:
        return Fraction(1)
    return Fraction(math.gcd(*(v.numerator for v in values)), math.lcm(*(v.denominator for v in values)))


def tree(poly: Polynomial) -> Node:
    """The expanded tree: monomials in descending lexicographic order, the constant last."""
    names = sorted({g for monomial in poly for g, _ in monomial})
    order = sorted(poly, key=lambda monomial: tuple(dict(monomial).get(g, 0) for g in names), reverse=True)
    return add(*(_term(monomial, Fraction(poly[monomial])) for monomial in order)) if order else number(0)


def _term(monomial: Monomial, coefficient: Fraction) -> Node:
    top = abs(coefficient.numerator)
    factors = [symbol(g) if p == 1 else Node("**", None, (symbol(g), number(p))) for g, p in monomial]
    if top != 1 or not factors:
        factors.insert(0, number(top))
    term = multiply(*factors)
    if coefficient.denominator != 1:
        term = Node("/", None, (term, number(coefficient.denominator)))
    return negate(term) if coefficient < 0 else term
