"""Operations that solve, over the reals: equations in one unknown, linear systems, inequalities.

A solution set is spelled as a list in ascending order. An empty one is an error of the reason `no_solution`, an
infinite one or one that radicals of SymPy's own finding cannot spell is `unsolved`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from azr_engine.verifiers.math.nodes import Node, add, number, symbols
from azr_engine.verifiers.math.operations.algebra import factor_list, replace
from azr_engine.verifiers.math.operations.problem import Operation, OperationError, Problem
from azr_engine.verifiers.math.polynomials import (
    NotRational,
    Polynomial,
    UndefinedValue,
    by_power,
    degree,
    dense,
    ratio,
    tree,
)

ROOT_TOLERANCE = 1e-25
"""How far from zero, at 40 digits, an exact root that SymPy found may leave its equation."""


def solve(problem: Problem) -> Node:
    """The real solutions of an equation (or of expression = 0), ascending."""
    difference = as_zero(problem.expression)
    if problem.variable not in symbols(difference):
        raise OperationError("trivial", "the unknown does not occur")
    try:
        numerator, denominator = ratio(difference)
    except NotRational:
        return _ordered(_solve_transcendental(problem, difference))
    except UndefinedValue as error:
        raise OperationError("undefined", str(error)) from None
    if not numerator:
        raise OperationError("unsolved", "every number is a solution")
    roots = polynomial_roots(numerator, problem.variable)
    if any(denominator):
        roots = [root for root in roots if not _vanishes(denominator, problem.variable, root)]
    if not roots:
        raise OperationError("no_solution", "no real solution")
    return _ordered(roots)


def as_zero(node: Node) -> Node:
    """Left side minus right side of an equation; an expression is itself."""
    if node.kind != "relation":
        return node
    if node.value != ("=",):
        raise OperationError("bad_arguments", "not an equation")
    left, right = node.args
    return left if right == number(0) else add(left, Node("neg", None, (right,)))


def polynomial_roots(poly: Polynomial, name: str) -> list[Any]:
    """Distinct real roots as Fractions or SymPy numbers, through irreducible factors over the rationals."""
    if any(g != name for monomial in poly for g, _ in monomial):
        return _linear_root(poly, name)
    roots: list[Any] = []
    for part, _ in factor_list(poly)[1]:
        coefficients = [int(c) for c in dense(part, name)]
        if len(coefficients) == 2:
            roots.append(Fraction(-coefficients[1], coefficients[0]))
        elif len(coefficients) == 3:
            roots.extend(_quadratic_roots(*coefficients))
        else:
            roots.extend(_higher_roots(coefficients))
    return roots


def _linear_root(poly: Polynomial, name: str) -> list[Any]:
    import sympy

    from azr_engine.verifiers.math.sympy_trees import to_sympy

    parts = by_power(poly, name)
    if degree(poly, name) != 1:
        raise OperationError("unsolved", "equations with parameters are solved when linear in the unknown")
    return [sympy.cancel(-to_sympy(tree(parts.get(0, {}))) / to_sympy(tree(parts[1])))]


def _quadratic_roots(a: int, b: int, c: int) -> list[Any]:
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    import sympy

    root = sympy.sqrt(discriminant)
    return [sympy.expand((-b + sign * root) / (2 * a)) for sign in (-1, 1)]


def _higher_roots(coefficients: list[int]) -> list[Any]:
    import sympy

    x = sympy.Symbol("x")
    poly = sympy.Poly(coefficients, x)
    if poly.count_roots() == 0:
        return []
    nonzero = [i for i, c in enumerate(reversed(coefficients)) if c]
    if len(nonzero) == 2 or (len(coefficients) == 5 and nonzero == [0, 2, 4]):
        found = [root for root in sympy.roots(poly, x) if root.is_real]
        if len(found) == poly.count_roots():
            return [sympy.radsimp(sympy.sqrtdenest(root)) for root in found]
    raise OperationError("unsolved", "an irreducible factor of degree above 2")


def _vanishes(poly: Polynomial, name: str, root: Any) -> bool:
    import sympy

    from azr_engine.verifiers.math.sympy_trees import real_symbol, to_sympy

    value = to_sympy(tree(poly)).subs(real_symbol(name), _exact(root))
    return bool(sympy.simplify(value) == 0)


def _exact(root: Any) -> Any:
    import sympy

    return sympy.Rational(root.numerator, root.denominator) if isinstance(root, Fraction) else root


def _solve_transcendental(problem: Problem, difference: Node) -> list[Any]:
    import sympy

    found = sympy.solveset(problem.sympy(difference), problem.x, sympy.S.Reals)
    if found is sympy.S.EmptySet:
        raise OperationError("no_solution", "no real solution")
    if not isinstance(found, sympy.FiniteSet):
        raise OperationError("unsolved", "no finite set of solutions was found")
    roots = [root for root in found if _solves(difference, problem.variable, root)]
    if not roots:
        raise OperationError("no_solution", "no real solution")
    return [sympy.simplify(root) for root in roots]


def _solves(difference: Node, name: str, root: Any) -> bool:
    """Whether the root makes the difference zero where it stands: SymPy's own sets hold points off the domain."""
    from azr_engine.verifiers.math.sympy_trees import from_sympy, to_sympy

    try:
        value = to_sympy(replace(difference, name, from_sympy(root)))
    except OperationError:
        return False
    return bool(abs(value.evalf(40)) < ROOT_TOLERANCE)


def _ordered(roots: list[Any]) -> Node:
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    if all(isinstance(root, Fraction) for root in roots):
        return Node("list", None, tuple(map(number, sorted(roots))))
    import sympy

    exact = [_exact(root) for root in roots]
    if any(root.free_symbols for root in exact):
        exact.sort(key=sympy.default_sort_key)
    else:
        exact.sort(key=lambda root: root.evalf(30))
    return Node("list", None, tuple(map(from_sympy, exact)))


def system(problem: Problem) -> Node:
    """The one solution of a linear system, as a list of `symbol=value` by name; other systems are `unsolved`."""
    import sympy

    equations = [problem.sympy(as_zero(member)) for member in problem.expression.args]
    names = sorted(symbols(problem.expression))
    unknowns = [problem.sympy(Node("symbol", name)) for name in names]
    if not names:
        raise OperationError("trivial", "no unknown")
    found = sympy.linsolve(equations, unknowns)
    if found is sympy.S.EmptySet:
        raise OperationError("no_solution", "the equations contradict each other")
    (values,) = found
    if any(value.free_symbols for value in values):
        raise OperationError("unsolved", "more than one solution")
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    pairs = zip(names, values, strict=True)
    return Node("list", None, tuple(Node("relation", ("=",), (Node("symbol", n), from_sympy(v))) for n, v in pairs))


def inequality(problem: Problem) -> Node:
    """The real solution set of an inequality in one unknown, as intervals: `(-oo,1)U(2,oo)`."""
    import sympy

    from azr_engine.verifiers.math.sympy_trees import relation

    node = problem.expression
    if set(symbols(node)) != {problem.variable} or len(node.value) != 1:
        raise OperationError("bad_arguments", "one inequality in one unknown")
    found = sympy.solve_univariate_inequality(relation(node), problem.x, relational=False, domain=sympy.S.Reals)
    if found is sympy.S.EmptySet:
        raise OperationError("no_solution", "no real solution")
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    return _union([interval for part in parts for interval in _intervals(part)])


def _intervals(part: Any) -> list[Node]:
    import sympy

    from azr_engine.verifiers.math.sympy_trees import from_sympy

    if isinstance(part, sympy.FiniteSet):
        return [Node("set", None, tuple(from_sympy(value) for value in sorted(part, key=float)))]
    if part is sympy.S.Reals:
        part = sympy.Interval(-sympy.oo, sympy.oo)
    if not isinstance(part, sympy.Interval):
        raise OperationError("unsolved", "the solution set is no union of intervals")
    brackets = ("(" if part.left_open else "[") + (")" if part.right_open else "]")
    kind = {"()": "tuple", "[]": "list"}.get(brackets, "interval")
    ends = (from_sympy(part.start), from_sympy(part.end))
    return [Node(kind, brackets if kind == "interval" else None, ends)]


def _union(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Node("union", None, tuple(parts))


OPERATIONS = (
    Operation("solve", solve, form="solutions", takes="equation"),
    Operation("system", system, form="assignment", takes="system", needs_variable=False),
    Operation("inequality", inequality, form="region", takes="inequality"),
)
