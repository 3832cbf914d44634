"""Whether an answer has the gold expression's value: a staged judge, cheap to dear. Runs in workers.

Stages: (1) equal structure or equal exact rational functions, functions taken as opaque; (2) values at random
points with 50 digits, where a difference decides against; (3) SymPy's exact expansion of the difference;
(4) values at random points with 600 digits; (5) SymPy's simplification of the difference. Undecided is None.

Error bound of stage 4: it accepts only where both sides are built from functions that are analytic on every
interval of their common domain (no `abs`, `sign`, `floor`, `ceiling`; fractional powers of square-free rational
functions alone), and counts only points where no sum, power or function shrank what entered it by more than 60
orders of magnitude. Two such sides that differ agree on isolated points at most. To pass, they would have to agree
to 500 digits at each of at least six points drawn from a grid of 10**9 per scale of size (less than 10**-50 by
chance), or to hide their difference behind more than eight nested shrinkings.

Policies:
- The field is the real numbers. An answer must have a value at every sampled point where gold and the input
  have one: `2*log(x)` is no answer for `log(x**2)`. It may have more: `x+1` answers `(x**2-1)/(x-1)` (removable
  singularities), and isolated points are not looked at. Parts that cancel exactly are ignored with
  their domains, as in `x+0*log(x)`.
- Powers and logarithms take the principal branch: `x**(1/3)` has no real value at negative x.
- Every symbol ranges over the reals, so `sqrt(x**2)` equals `abs(x)` and not `x`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath  # type: ignore[import-untyped]
import sympy

from azr_engine.verifiers.math.nodes import Node, symbols, walk
from azr_engine.verifiers.math.numeric import Absorbed, OutOfRange, OutsideDomain, random_points, value_at
from azr_engine.verifiers.math.operations.problem import OperationError, Problem, is_expression
from azr_engine.verifiers.math.polynomials import constant_value, same_value
from azr_engine.verifiers.math.printer import to_text
from azr_engine.verifiers.math.sympy_trees import to_sympy

SCREEN_DIGITS = 50
SCREEN_TOLERANCE = "1e-25"
PROOF_DIGITS = 600
PROOF_TOLERANCE = "1e-500"
N_POINTS = 18
MIN_POINTS = 6


def equal_on(problem: Problem) -> Callable[[Node, Node], bool | None]:
    """The staged equality where the problem's input has a value."""
    plain = is_expression(problem.expression)
    return partial(equal, inside=problem.expression if plain else None)


def equal(gold: Node, answer: Node, inside: Node | None = None) -> bool | None:
    """Whether `answer` has the value of `gold` wherever gold and `inside` have values; None when no stage decides.

    `inside` is the expression that gold came from: gold may have gained points by simplification.
    """
    if gold == answer:
        return True
    known = same_value(gold, answer)
    if known is not None:
        return known
    names = sorted({*symbols(gold), *symbols(answer)})
    if inside is None or not set(symbols(inside)) <= set(names):
        inside = gold
    points = random_points(names, N_POINTS if names else 1, to_text(gold), to_text(answer))
    n_defined = 0
    for point in points:
        differs = _differs(gold, answer, inside, point)
        if differs:
            return False
        n_defined += differs is False
    try:
        difference = to_sympy(gold) - to_sympy(answer)
    except OperationError:
        return False if n_defined == 0 and not names else None
    if _expands_to_zero(difference):
        return True
    n_needed = MIN_POINTS if names else 1
    if n_defined >= n_needed and _is_piecewise_free(gold) and _is_piecewise_free(answer):
        agreements = [_agrees_closely(gold, answer, point, PROOF_TOLERANCE) for point in points]
        if False in agreements:
            return False
        if agreements.count(True) >= n_needed:
            return True
    return True if sympy.simplify(difference) == 0 else None


def _differs(gold: Node, answer: Node, inside: Node, point: dict[str, Any]) -> bool | None:
    """Whether the sides differ at the point, having no value included; None outside the domain."""
    try:
        left = value_at(gold, point, SCREEN_DIGITS)
    except OutsideDomain:
        return None
    try:
        right = value_at(answer, point, SCREEN_DIGITS)
    except OutOfRange:
        return None
    except OutsideDomain:
        return _has_value(inside, point) or None
    if _close(left, right, SCREEN_TOLERANCE):
        return False
    # Equal forms may cancel badly: what differs with 50 digits must differ with 600, and with nothing rounded away.
    agrees = _agrees_closely(gold, answer, point, SCREEN_TOLERANCE)
    return None if agrees is None else not agrees


def _has_value(node: Node, point: dict[str, Any]) -> bool:
    try:
        value_at(node, point, SCREEN_DIGITS)
    except OutsideDomain:
        return False
    return True


def _close(left: Any, right: Any, tolerance: str) -> bool:
    return bool(abs(left - right) <= mpmath.mpf(tolerance) * max(abs(left), abs(right), mpmath.mpf(tolerance)))


def _agrees_closely(gold: Node, answer: Node, point: dict[str, Any], tolerance: str) -> bool | None:
    """Whether the sides agree, with the digits of the proof; None where they have no value or may hide a part."""
    try:
        left = value_at(gold, point, PROOF_DIGITS, strict=True)
        right = value_at(answer, point, PROOF_DIGITS, strict=True)
    except (OutsideDomain, Absorbed):
        return None
    with mpmath.workdps(PROOF_DIGITS):
        return _close(left, right, tolerance)


def _expands_to_zero(difference: Any) -> bool:
    difference = difference.replace(sympy.sign, lambda u: u / sympy.Abs(u))
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    if sympy.count_ops(difference) > 200:
        return False
    numerator = sympy.fraction(sympy.together(difference))[0]
    return bool(sympy.expand(numerator) == 0)


def _is_piecewise_free(node: Node) -> bool:
    """Whether the tree is analytic on every interval of its domain."""
    for part in walk(node):
        if part.kind == "call" and part.value in ("abs", "sign", "floor", "ceiling", "factorial", "binomial"):
            if symbols(part):
                return False
        elif (part.kind == "call" and part.value in ("sqrt", "cbrt")) or part.kind == "**":
            whole = constant_value(part.args[1]) if part.kind == "**" else None
            if (whole is None or whole.denominator != 1) and not _is_square_free(part.args[0]):
                return False
    return True


def _is_square_free(base: Node) -> bool:
    if not symbols(base):
        return True
    top, bottom = sympy.fraction(sympy.together(to_sympy(base)))
    product = top * bottom
    return bool(product.is_polynomial() and sympy.Poly(product, *product.free_symbols).is_sqf)
