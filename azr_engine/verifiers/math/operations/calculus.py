"""Operations of calculus, over the reals: derivatives, integrals, limits, series coefficients, sums."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from azr_engine.verifiers.math.nodes import Node, add, number, symbols
from azr_engine.verifiers.math.operations.algebra import real_tree, replace, value_of
from azr_engine.verifiers.math.operations.problem import (
    Argument,
    Operation,
    OperationError,
    Problem,
    as_polynomial,
    integer,
    is_expression,
)
from azr_engine.verifiers.math.polynomials import (
    ONE,
    ZERO,
    Polynomial,
    by_power,
    compose,
    constant_value,
    plus,
    times,
    tree,
)

MAX_DIRECT_TERMS = 500


def differentiate(problem: Problem) -> Node:
    """The derivative of the given order (1 to 3)."""
    order = problem.integer("order", 1)
    if problem.polynomial is not None:
        poly = problem.polynomial
        for _ in range(order):
            poly = _derivative(poly, problem.variable)
        return tree(poly)
    return real_tree(problem, problem.expr.diff(problem.x, order))


def _derivative(poly: Polynomial, name: str) -> Polynomial:
    return _by_monomial(poly, name, lambda n, c: (n - 1, plus(ZERO, c, n)))


def _antiderivative(poly: Polynomial, name: str) -> Polynomial:
    return _by_monomial(poly, name, lambda n, c: (n + 1, plus(ZERO, c, Fraction(1, n + 1))))


def _by_monomial(poly: Polynomial, name: str, step: Any) -> Polynomial:
    total = ZERO
    for exponent, coefficient in by_power(poly, name).items():
        raised, scaled = step(exponent, coefficient)
        total = plus(total, times(scaled, {((name, raised),): 1} if raised > 0 else ONE)) if scaled else total
    return total


def integrate(problem: Problem) -> Node:
    """An antiderivative, or the definite integral when both bounds are given."""
    bounds = [problem.arguments[name] for name in ("lower", "upper") if name in problem.arguments]
    if len(bounds) == 1:
        raise OperationError("bad_arguments", "a definite integral needs lower and upper")
    poly = problem.polynomial
    if poly is not None:
        primitive = _antiderivative(poly, problem.variable)
        ends = [as_polynomial(bound) for bound in bounds]
        if not bounds:
            return tree(primitive)
        if all(end is not None for end in ends):
            lower, upper = (compose(primitive, problem.variable, end or ZERO) for end in ends)
            return tree(plus(upper, lower, -1))
    import sympy

    limits = (problem.x, *map(problem.sympy, bounds)) if bounds else problem.x
    result = sympy.integrate(problem.expr, limits)
    if bounds:
        _refuse_infinite(result)
        _check_numerically(problem, limits, result)
        return simplified(problem, result)
    return real_tree(problem, result)


def _check_numerically(problem: Problem, limits: tuple[Any, ...], result: Any) -> None:
    """Refuse a definite integral that quadrature contradicts: SymPy may step over a pole between the bounds."""
    import sympy

    if not result.is_number:
        return
    estimate = sympy.Integral(problem.expr, limits).evalf(10)
    if not abs(estimate - result.evalf(10)) <= 1e-6 * max(1, abs(result.evalf(10))):
        raise OperationError("unsolved", "quadrature and the antiderivative disagree")


def simplified(problem: Problem, value: Any) -> Node:
    """A result of SymPy simplified, when that can be spelled."""
    import sympy

    return real_tree(problem, sympy.simplify(value))


def _refuse_infinite(value: Any) -> None:
    import sympy

    if value.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan, sympy.AccumBounds):
        raise OperationError("divergent", "no finite value")


def limit(problem: Problem) -> Node:
    """The two-sided limit at a point, one-sided at infinity; infinite and missing limits are divergent."""
    import sympy

    point = problem.sympy(problem.arguments["point"])
    if point.is_infinite:
        result = sympy.limit(problem.expr, problem.x, point)
    else:
        sides = [sympy.limit(problem.expr, problem.x, point, side) for side in "+-"]
        if sides[0] != sides[1] and sympy.simplify(sides[0] - sides[1]) != 0:
            raise OperationError("divergent", "the one-sided limits differ")
        result = sides[0]
    _refuse_infinite(result)
    return simplified(problem, result)


def series(problem: Problem) -> Node:
    """The coefficient of `(x - point)**order` in the Taylor series."""
    import sympy

    point = problem.sympy(problem.arguments.get("point", number(0)))
    order = problem.integer("order")
    shifted = problem.expr.subs(problem.x, problem.x + point) if point != 0 else problem.expr
    expansion = sympy.series(shifted, problem.x, 0, order + 1).removeO()
    return simplified(problem, sympy.expand(expansion).coeff(problem.x, order))


def summation(problem: Problem) -> Node:
    """The sum over whole numbers from lower to upper, both ends included."""
    lower, upper = (constant_value(problem.arguments[name]) for name in ("lower", "upper"))
    if lower is not None and upper is not None:
        if lower.denominator != 1 or upper.denominator != 1 or upper < lower:
            raise OperationError("bad_arguments", "the bounds of a sum are whole numbers in order")
        if upper - lower < MAX_DIRECT_TERMS and problem.polynomial is not None:
            return tree(_direct_sum(problem.polynomial, problem.variable, int(lower), int(upper)))
    import sympy

    index = sympy.Symbol(problem.variable, integer=True)
    ends = [problem.sympy(problem.arguments[name]) for name in ("lower", "upper")]
    if lower is not None and upper is not None and upper - lower < MAX_DIRECT_TERMS:
        return value_of(problem, _written_out(problem, int(lower), int(upper)))
    total = sympy.Sum(problem.expr.subs(problem.x, index), (index, *ends))
    if ends[1].is_infinite and total.is_convergent() is not sympy.true:
        raise OperationError("divergent", "the series does not converge")
    result = total.doit()
    _refuse_infinite(result)
    return simplified(problem, sympy.factor(result) if symbols(problem.arguments["upper"]) else result)


def _direct_sum(poly: Polynomial, name: str, lower: int, upper: int) -> Polynomial:
    total = ZERO
    for exponent, coefficient in by_power(poly, name).items():
        total = plus(total, coefficient, sum(n**exponent for n in range(lower, upper + 1)))
    return total


def _written_out(problem: Problem, lower: int, upper: int) -> Node:
    return add(*(replace(problem.expression, problem.variable, number(n)) for n in range(lower, upper + 1)))


_ANY = Argument(is_expression)
_OPTIONAL = Argument(is_expression, required=False)
OPERATIONS = (
    Operation("differentiate", differentiate, {"order": Argument(integer(1, 3), required=False)}),
    Operation("integrate", integrate, {"lower": _OPTIONAL, "upper": _OPTIONAL}, form="antiderivative"),
    Operation("limit", limit, {"point": _ANY}),
    Operation("series", series, {"order": Argument(integer(0, 8)), "point": _OPTIONAL}),
    Operation("sum", summation, {"lower": _ANY, "upper": _ANY}),
)
