"""Operations on sequences: closed forms of linear recurrences and the next term of a list."""

from __future__ import annotations

from fractions import Fraction

from azr_engine.verifiers.math.nodes import Node, number, symbols
from azr_engine.verifiers.math.operations.problem import Argument, Operation, OperationError, Problem
from azr_engine.verifiers.math.polynomials import constant_value

MAX_TERMS = 20


def _numbers(node: Node) -> list[Fraction] | None:
    values = [constant_value(member) for member in node.args]
    return [v for v in values if v is not None] if None not in values and node.kind in ("list", "tuple") else None


def is_initial(node: Node) -> bool:
    """Whether the tree is a list of one or two rational numbers."""
    values = _numbers(node)
    return values is not None and 1 <= len(values) <= 2


def recurrence(problem: Problem) -> Node:
    """The closed form in `n` of a(n) = expression in `p` = a(n-1) and `q` = a(n-2), from a(0) (and a(1)) on."""
    import sympy

    from azr_engine.verifiers.math.sympy_trees import from_sympy

    initial = _numbers(problem.arguments["initial"]) or []
    used = set(symbols(problem.expression))
    if not used <= {"n", "p", "q"} or "p" not in used | {"p" for _ in initial[1:]}:
        raise OperationError("bad_arguments", "a recurrence is written in p, q and n")
    if len(initial) != 1 + ("q" in used):
        raise OperationError("bad_arguments", "one initial value per earlier term")
    n, a = sympy.Symbol("n", integer=True), sympy.Function("a")
    replaced = {
        problem.sympy(Node("symbol", name)): value for name, value in (("n", n), ("p", a(n - 1)), ("q", a(n - 2)))
    }
    equation = a(n) - problem.expr.subs(replaced)
    start = {a(i): sympy.Rational(value.numerator, value.denominator) for i, value in enumerate(initial)}
    try:
        closed = sympy.rsolve(sympy.expand(equation), a(n), start)
    except (ValueError, NotImplementedError):
        closed = None
    if closed is None:
        raise OperationError("unsolved", "no closed form was found")
    return from_sympy(sympy.simplify(closed))


def next_term(problem: Problem) -> Node:
    """The next number of a list that one polynomial, two degrees lower than needed to fit anything, explains."""
    values = _numbers(problem.expression)
    if values is None or not 4 <= len(values) <= MAX_TERMS:
        raise OperationError("bad_arguments", f"a list of 4 to {MAX_TERMS} rational numbers")
    rows = [values]
    while any(rows[-1]):
        if len(rows[-1]) <= 2:
            raise OperationError("unsolved", "no polynomial of low degree explains the list")
        rows.append([b - a for a, b in zip(rows[-1], rows[-1][1:], strict=False)])
    return number(sum((row[-1] for row in rows), Fraction(0)))


OPERATIONS = (
    Operation("recurrence", recurrence, {"initial": Argument(is_initial)}, needs_variable=False),
    Operation("next", next_term, takes="list", needs_variable=False),
)
