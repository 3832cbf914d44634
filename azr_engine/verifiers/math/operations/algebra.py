"""Operations that rewrite expressions or evaluate them: polynomials first, SymPy for the rest."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from azr_engine.verifiers.math.nodes import Node, add, multiply, negate, number, symbols, walk
from azr_engine.verifiers.math.operations.problem import (
    Argument,
    Operation,
    OperationError,
    Problem,
    as_polynomial,
    integer,
    is_expression,
    is_finite,
)
from azr_engine.verifiers.math.polynomials import (
    ZERO,
    NotRational,
    Polynomial,
    compose,
    constant_value,
    content,
    dense,
    from_dense,
    plus,
    tree,
)

MAX_MODULUS = 10**9


def expand(problem: Problem) -> Node:
    """The sum of monomials."""
    if problem.polynomial is not None:
        return tree(problem.polynomial)
    import sympy

    return real_tree(problem, sympy.expand(problem.expr))


def factor(problem: Problem) -> Node:
    """The product of irreducible factors over the rationals."""
    if problem.polynomial is None:
        import sympy

        return real_tree(problem, sympy.factor(problem.expr))
    if not problem.polynomial:
        return number(0)
    constant, factors = factor_list(problem.polynomial)
    factors.sort(key=_factor_order)
    powers = [tree(f) if n == 1 else Node("**", None, (tree(f), number(n))) for f, n in factors]
    if abs(constant.numerator) != 1 or not powers:
        powers.insert(0, number(abs(constant.numerator)))
    product = multiply(*powers)
    if constant.denominator != 1:
        product = Node("/", None, (product, number(constant.denominator)))
    return negate(product) if constant < 0 else product


def factor_list(poly: Polynomial) -> tuple[Fraction, list[tuple[Polynomial, int]]]:
    """Constant and irreducible factors with integer coefficients, simplest first. SymPy's own algorithm."""
    from sympy import ZZ, Poly, symbols
    from sympy.polys.factortools import dup_factor_list

    names = sorted({g for monomial in poly for g, _ in monomial})
    scale = content(poly)
    primitive = plus(ZERO, poly, 1 / scale)
    if not names:
        return Fraction(primitive[()]) * scale, []
    if len(names) == 1:
        constant, factors = dup_factor_list([ZZ(int(c)) for c in dense(primitive, names[0])], ZZ)
        return scale * int(constant), [(from_dense([int(c) for c in f], names[0]), n) for f, n in factors]
    terms = {tuple(dict(monomial).get(g, 0) for g in names): int(c) for monomial, c in primitive.items()}
    constant, parts = Poly(terms, *symbols(names), domain="ZZ").factor_list()
    return scale * int(constant), [(_from_poly(part, names), n) for part, n in parts]


def _from_poly(poly: Any, names: list[str]) -> Polynomial:
    return {tuple((g, int(p)) for g, p in zip(names, powers, strict=True) if p): int(c) for powers, c in poly.terms()}


def _factor_order(pair: tuple[Polynomial, int]) -> tuple[int, bool, tuple[Fraction, ...]]:
    degrees = [sum(n for _, n in monomial) for monomial in pair[0]]
    return max(degrees), len(degrees) > 1, tuple(map(Fraction, pair[0].values()))


def collect(problem: Problem) -> Node:
    """The polynomial in the variable, its coefficients in brackets."""
    import sympy

    return real_tree(problem, sympy.collect(sympy.expand(problem.expr), problem.x))


def apart(problem: Problem) -> Node:
    """Partial fractions over the rationals."""
    import sympy

    return real_tree(problem, sympy.apart(problem.expr, problem.x))


def together(problem: Problem) -> Node:
    """One quotient in lowest terms."""
    import sympy

    return real_tree(problem, sympy.cancel(sympy.together(problem.expr)))


def simplify(problem: Problem) -> Node:
    """A shorter equal expression; the input itself when none was found."""
    if problem.polynomial is not None:
        shorter = tree(problem.polynomial)
    else:
        import sympy

        shorter = real_tree(problem, sympy.simplify(problem.expr))
    return shorter if size(shorter) < size(problem.expression) else problem.expression


def size(node: Node) -> int:
    """Number of leaves and operations in a tree: n terms count n - 1 signs, a minus counts nothing."""
    operators = len(node.args) - 1 if node.kind in ("+", "*") else node.kind != "neg"
    return operators + sum(size(arg) for arg in node.args)


def evaluate(problem: Problem) -> Node:
    """The exact value of an expression without symbols."""
    if symbols(problem.expression):
        raise OperationError("bad_arguments", "evaluate takes an expression without symbols")
    return value_of(problem, problem.expression)


def substitute(problem: Problem) -> Node:
    """The expression with a value in the variable's place, expanded."""
    replacement = problem.arguments["value"]
    poly, value = problem.polynomial, as_polynomial(replacement)
    if poly is not None and value is not None:
        try:
            return tree(compose(poly, problem.variable, value))
        except NotRational:
            raise OperationError("oversize", "the result has too many terms") from None
    replaced = replace(problem.expression, problem.variable, replacement)
    return value_of(problem, replaced)


def replace(node: Node, name: str, value: Node) -> Node:
    """The tree with `value` for the symbol `name`; sums and products stay flat."""
    if node.kind == "symbol":
        return value if node.value == name else node
    args = [replace(arg, name, value) for arg in node.args]
    if node.kind in ("+", "*"):
        return add(*args) if node.kind == "+" else multiply(*args)
    return Node(node.kind, node.value, tuple(args))


def value_of(problem: Problem, node: Node) -> Node:
    """A tree evaluated: a polynomial is expanded, a number exact, anything else simplified by SymPy."""
    poly = as_polynomial(node)
    if poly is not None:
        return tree(poly)
    import sympy

    value = problem.sympy(node)
    if value.is_number and not value.is_Atom:
        value = sympy.radsimp(sympy.simplify(value))
    return real_tree(problem, sympy.expand(value) if value.is_number else sympy.simplify(value))


def gcd(problem: Problem) -> Node:
    """Greatest common divisor of two integers, or of two polynomials with integer coefficients."""
    return _divisor(problem, least=False)


def lcm(problem: Problem) -> Node:
    """Least common multiple of two integers, or of two polynomials with integer coefficients."""
    return _divisor(problem, least=True)


def _divisor(problem: Problem, *, least: bool) -> Node:
    a, b = _integral(problem.expression), _integral(problem.arguments["other"])
    if not any(a) and not any(b):
        left, right = int(a.get((), 0)), int(b.get((), 0))
        return number(math.lcm(left, right) if least else math.gcd(left, right))
    import sympy

    left, right = problem.sympy(tree(a)), problem.sympy(tree(b))
    result = sympy.lcm(left, right) if least else sympy.gcd(left, right)
    return expand(Problem(real_tree(problem, result)))


def _integral(node: Node) -> Polynomial:
    poly = as_polynomial(node)
    if poly is None or any(Fraction(c).denominator != 1 for c in poly.values()):
        raise OperationError("bad_arguments", "not an integer, nor a polynomial with integer coefficients")
    return poly


def mod(problem: Problem) -> Node:
    """The remainder of an integer, or of every coefficient of a polynomial, in 0 ... modulus - 1."""
    modulus = problem.integer("modulus")
    if modulus == 0:
        raise OperationError("undefined", "modulus 0")
    poly = _integral(problem.expression)
    return tree({monomial: int(c) % modulus for monomial, c in poly.items() if int(c) % modulus})


def real_tree(problem: Problem, value: Any) -> Node:
    """A SymPy result as our tree; `undefined` when it is not real although the input was."""
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    node = from_sympy(value)
    given = (problem.expression, *problem.arguments.values())
    if _imaginary(node) and not any(_imaginary(part) for part in given):
        raise OperationError("undefined", "not real")
    return node


def _imaginary(node: Node) -> bool:
    return any(part.kind == "constant" and part.value == "I" for part in walk(node))


def _is_integral(node: Node) -> bool:
    return is_finite(node) and (constant_value(node) is None or constant_value(node) != 0)


_MODULUS = {"modulus": Argument(integer(0, MAX_MODULUS))}
_OTHER = {"other": Argument(_is_integral)}
OPERATIONS = (
    Operation("expand", expand, form="expanded", idempotent=True, needs_variable=False),
    Operation("factor", factor, form="factored", idempotent=True, needs_variable=False),
    Operation("collect", collect, form="terms", idempotent=True),
    Operation("apart", apart, form="terms", idempotent=True),
    Operation("together", together, form="quotient", idempotent=True),
    Operation("simplify", simplify, form="shorter", idempotent=True, needs_variable=False),
    Operation("evaluate", evaluate, idempotent=True, needs_variable=False),
    Operation("substitute", substitute, {"value": Argument(is_expression)}),
    Operation(
        "gcd", gcd, {"other": Argument(_is_integral)}, form="up to a factor", idempotent=True, needs_variable=False
    ),
    Operation(
        "lcm", lcm, {"other": Argument(_is_integral)}, form="up to a factor", idempotent=True, needs_variable=False
    ),
    Operation("mod", mod, _MODULUS, idempotent=True, needs_variable=False),
)
