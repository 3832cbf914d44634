"""Values of expression trees at points, to any number of digits, over the reals.

A part without a real value (a logarithm of a negative number, a division by zero) puts the point outside the
domain, unless the tree itself names `I`. Importing this module imports mpmath; it runs in workers only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]

from azr_engine.verifiers.math.nodes import Node, walk


class OutsideDomain(ValueError):
    """The tree has no real value at the point."""


class OutOfRange(OutsideDomain):
    """The value may exist, but takes too long to compute."""


class Absorbed(ValueError):
    """A part was too small beside its neighbour for the digits in use, so that the value says nothing about it."""


_SAME_NAME = (
    "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "exp", "sqrt", "log", "floor", "sign", "factorial", "binomial",
)  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(mpmath, name) for name in _SAME_NAME},
    "abs": mpmath.fabs,
    "ceiling": mpmath.ceil,
    "cbrt": lambda u: u ** (mpmath.mpf(1) / 3),
}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "pi": lambda: +mpmath.pi,
    "E": lambda: +mpmath.e,
    "I": lambda: mpmath.mpc(0, 1),
    "oo": lambda: mpmath.inf,
}
_PERIODIC = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})
_FLAT = _PERIODIC | {"tanh", "exp", "cosh"}
"""Functions that approach 1 or -1 so flatly that a difference in the argument is lost."""
HIDDEN = mpmath.mpf("1e-60")
"""Relative size below which a part counts as hidden."""
_LARGEST_EXPONENT = 10**7
_LARGEST_ANGLE = 10**40


def value_at(node: Node, point: Mapping[str, Fraction], n_digits: int, *, strict: bool = False) -> Any:
    """The value of the tree at the point, computed with `n_digits` digits.

    Raises:
        OutsideDomain: there is no real value.
        Absorbed: only with `strict`, where a sum or a function lost a non-zero part to rounding.
    """
    imaginary = any(n.kind == "constant" and n.value == "I" for n in walk(node))
    with mpmath.workdps(n_digits):
        try:
            value = _Evaluator(point, strict, imaginary).value(node)
        except (ZeroDivisionError, ValueError, TypeError, OverflowError, mpmath.libmp.NoConvergence) as error:
            if isinstance(error, Absorbed | OutsideDomain):
                raise
            raise OutsideDomain(str(error)) from None
    return value


class _Evaluator:
    def __init__(self, point: Mapping[str, Fraction], strict: bool, imaginary: bool) -> None:
        self.point = point
        self.strict = strict
        self.imaginary = imaginary

    def value(self, node: Node) -> Any:
        result = self.raw(node)
        if isinstance(result, mpmath.mpc) and not self.imaginary:
            raise OutsideDomain("not real")
        if not mpmath.isfinite(result):
            raise OutsideDomain("infinite")
        return result

    def raw(self, node: Node) -> Any:
        kind, name, args = node
        if kind in ("number", "symbol"):
            exact = Fraction(name) if kind == "number" else self.point[name]
            return mpmath.mpf(exact.numerator) / exact.denominator
        if kind == "constant":
            return _CONSTANTS[name]()
        values = [self.value(arg) for arg in args]
        if kind == "+":
            return self.total(values)
        if kind == "*":
            return mpmath.fprod(values)
        if kind == "neg":
            return -values[0]
        if kind == "/":
            return values[0] / values[1]
        if kind == "**":
            return self.power(*values)
        if kind == "call":
            return self.call(name, values)
        raise OutsideDomain(f"a {kind} has no value")

    def total(self, values: list[Any]) -> Any:
        if self.strict:
            least = HIDDEN * max(map(abs, values))
            if any(0 < abs(value) < least for value in values):
                raise Absorbed("a term")
        return mpmath.fsum(values)

    def power(self, base: Any, exponent: Any) -> Any:
        if base == 0 and mpmath.re(exponent) <= 0:
            raise OutsideDomain("zero to a power that is not positive")
        if abs(exponent) > _LARGEST_EXPONENT:
            raise OutOfRange("an exponent")
        result = base**exponent
        if self.strict and abs(result - 1) < HIDDEN and exponent != 0 and base != 1:
            raise Absorbed("an exponent")
        return result

    def call(self, name: str, values: list[Any]) -> Any:
        if abs(values[0]) > _LARGEST_EXPONENT and name in ("exp", "sinh", "cosh", "factorial"):
            raise OutOfRange("an argument")
        if name in _PERIODIC and abs(values[0]) > _LARGEST_ANGLE:
            raise OutOfRange("an angle")
        result = _FUNCTIONS[name](*values)
        if self.strict and name in _FLAT and values[0] != 0 and abs(abs(result) - 1) < HIDDEN:
            raise Absorbed(name)
        if self.strict and name == "atan" and abs(values[0]) * HIDDEN > 1:
            raise Absorbed(name)
        return result


def random_points(names: list[str], n_points: int, *seed: str) -> list[dict[str, Fraction]]:
    """Points that only the seed texts decide: a third small, a third moderate, a third up to a million, both signs."""
    digest = hashlib.sha256("|".join(seed).encode()).digest()
    rng = random.Random(digest)
    scales = (Fraction(1, 4), Fraction(4), Fraction(10**6))

    def coordinate(scale: Fraction) -> Fraction:
        return Fraction(rng.randrange(-(10**9), 10**9) | 1, 10**9) * scale

    return [{name: coordinate(scales[i % 3]) for name in names} for i in range(n_points)]


PROBES = tuple(Fraction(p, q) for p, q in ((2, 7), (-5, 3), (11, 4), (37, 5)))


def fingerprint(node: Node, names: list[str]) -> str:
    """Values at four fixed points to 10 digits, `u` where there is none; collections member by member."""
    if node.kind in ("list", "tuple", "set", "relation", "union", "interval", "or", "and"):
        return "[" + ";".join(fingerprint(arg, names) for arg in node.args) + "]"
    values = []
    for shift, probe in enumerate(PROBES):
        point = {name: probe + shift * i for i, name in enumerate(names)}
        try:
            values.append(mpmath.nstr(value_at(node, point, 25), 10))
        except (OutsideDomain, KeyError):
            values.append("u")
    return ",".join(values)
