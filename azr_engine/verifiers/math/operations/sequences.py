"""Operations on sequences a(0), a(1) ...: terms of a formula, closed forms of recurrences, what comes next in a list.

A list is explained by the simplest of two rules that leaves terms over as evidence: one polynomial in `n`, or one
linear recurrence with constant coefficients. Anything else is `unsolved`; no table of famous sequences is consulted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from azr_engine.verifiers.math.nodes import Node, number, symbols
from azr_engine.verifiers.math.operations.algebra import replace, value_of
from azr_engine.verifiers.math.operations.problem import Argument, Operation, OperationError, Problem, integer
from azr_engine.verifiers.math.polynomials import ONE, ZERO, constant_value, plus, times, tree

MAX_TERMS = 20
N_TERMS = 6
"""Terms that `terms` gives unless told otherwise."""


def _numbers(node: Node) -> list[Fraction] | None:
    values = [constant_value(member) for member in node.args]
    return [v for v in values if v is not None] if None not in values and node.kind in ("list", "tuple") else None


def is_initial(node: Node) -> bool:
    """Whether the tree is a list of one or two rational numbers."""
    values = _numbers(node)
    return values is not None and 1 <= len(values) <= 2


def terms(problem: Problem) -> Node:
    """The first terms of the sequence that an expression in `n` gives, from a(0) on."""
    return Node("list", None, tuple(_formula_terms(problem, problem.integer("count", N_TERMS))[1]))


def _formula_terms(problem: Problem, count: int) -> tuple[Node, list[Node]]:
    if set(symbols(problem.expression)) != {"n"}:
        raise OperationError("bad_arguments", "a formula is written in n alone")
    formula = problem.expression
    return formula, [value_of(problem, replace(formula, "n", number(n))) for n in range(count)]


def recurrence(problem: Problem) -> Node:
    """The closed form in `n` of a(n) = expression in `p` = a(n-1) and `q` = a(n-2), from a(0) (and a(1)) on."""
    import sympy

    initial, _ = _read_recurrence(problem)
    n, a = sympy.Symbol("n", integer=True), sympy.Function("a")
    replaced = {
        problem.sympy(Node("symbol", name)): value for name, value in (("n", n), ("p", a(n - 1)), ("q", a(n - 2)))
    }
    return _closed_form(a(n) - problem.expr.subs(replaced), a, n, initial)


def _read_recurrence(problem: Problem) -> tuple[list[Fraction], set[str]]:
    """The initial values and the symbols in use."""
    initial = _numbers(problem.arguments["initial"]) or []
    used = set(symbols(problem.expression))
    if not used <= {"n", "p", "q"} or "p" not in used | {"p" for _ in initial[1:]}:
        raise OperationError("bad_arguments", "a recurrence is written in p, q and n")
    if len(initial) != 1 + ("q" in used):
        raise OperationError("bad_arguments", "one initial value per earlier term")
    return initial, used


def _closed_form(equation: Any, a: Any, n: Any, initial: list[Fraction]) -> Node:
    """The solution of a recurrence equation (= 0) in a(n) by SymPy's `rsolve`."""
    import sympy

    from azr_engine.verifiers.math.sympy_trees import from_sympy

    start = {a(i): sympy.Rational(value.numerator, value.denominator) for i, value in enumerate(initial)}
    try:
        closed = sympy.rsolve(sympy.expand(equation), a(n), start)
    except (ValueError, NotImplementedError):
        closed = None
    if closed is None:
        raise OperationError("unsolved", "no closed form was found")
    return from_sympy(sympy.simplify(closed))


def _recurrence_terms(problem: Problem, count: int) -> tuple[Node, list[Node]]:
    initial, used = _read_recurrence(problem)
    found = [number(value) for value in initial]
    while len(found) < count:
        step = replace(problem.expression, "n", number(len(found)))
        for name, back in (("p", 1), ("q", 2)):
            step = replace(step, name, found[-back]) if name in used else step
        found.append(value_of(problem, step))
    return recurrence(problem), found[:count]


def next_terms(problem: Problem) -> Node:
    """The next number, or the next `count`, of a list that a polynomial or a linear recurrence explains."""
    values = _list(problem)
    count = problem.integer("count", 1)
    rows = _differences(values)
    for _ in range(count):
        if rows is not None:
            values = [*values, sum((row[-1] for row in rows), Fraction(0))]
            rows = _differences(values)
        else:
            weights = _weights(values)
            values = [*values, sum((w * v for w, v in zip(weights, reversed(values), strict=False)), Fraction(0))]
    found = [number(value) for value in values[-count:]]
    return found[0] if count == 1 else Node("list", None, tuple(found))


def _list(problem: Problem) -> list[Fraction]:
    values = _numbers(problem.expression)
    if values is None or not 4 <= len(values) <= MAX_TERMS:
        raise OperationError("bad_arguments", f"a list of 4 to {MAX_TERMS} rational numbers")
    return values


def _differences(values: list[Fraction]) -> list[list[Fraction]] | None:
    """The rows of differences down to zeros; None unless one polynomial, two degrees lower than needed to fit
    anything, explains the list."""
    rows = [values]
    while any(rows[-1]):
        if len(rows[-1]) <= 2:
            return None
        rows.append([b - a for a, b in zip(rows[-1], rows[-1][1:], strict=False)])
    return rows


def _weights(values: list[Fraction]) -> list[Fraction]:
    """Weights w of the shortest recurrence a(n) = w1*a(n-1) + ... + wr*a(n-r), by Berlekamp and Massey's algorithm
    (Massey 1969) over the rationals; `unsolved` unless two more terms than the 2r that fit anything confirm it."""
    current, previous = [Fraction(1)], [Fraction(1)]
    order, gap, scale = 0, 1, Fraction(1)
    for i in range(len(values)):
        error = sum((c * values[i - j] for j, c in enumerate(current[: order + 1])), Fraction(0))
        if error == 0:
            gap += 1
            continue
        shifted = [Fraction(0)] * gap + [error / scale * c for c in previous]
        width = max(len(current), len(shifted))
        longer = [x - y for x, y in zip(_padded(current, width), _padded(shifted, width), strict=True)]
        if 2 * order <= i:
            previous, scale, order, gap = current, error, i + 1 - order, 1
        else:
            gap += 1
        current = longer
    if 2 * order + 2 > len(values):
        raise OperationError("unsolved", "neither a polynomial nor a linear recurrence explains the list")
    return [-c for c in _padded(current, order + 1)[1 : order + 1]]


def _padded(row: list[Fraction], width: int) -> list[Fraction]:
    return row + [Fraction(0)] * (width - len(row))


def formula(problem: Problem) -> Node:
    """A formula in `n` for a list a(0), a(1) ... that a polynomial or a linear recurrence explains."""
    values = _list(problem)
    rows = _differences(values)
    if rows is not None:
        total, binomial = ZERO, ONE  # Newton's forward formula: the sum of the k-th differences times n over k
        for k, row in enumerate(rows):
            total = plus(total, binomial, row[0])
            binomial = times(binomial, {(("n", 1),): Fraction(1, k + 1), (): Fraction(-k, k + 1)})
            binomial = {monomial: c for monomial, c in binomial.items() if c}
        return tree(total)
    import sympy

    weights = _weights(values)
    if weights[-1] == 0:
        raise OperationError("unsolved", "the first terms are an exception to the rule")
    n, a = sympy.Symbol("n", integer=True), sympy.Function("a")
    earlier = (sympy.Rational(w.numerator, w.denominator) * a(n - i) for i, w in enumerate(weights, 1))
    return _closed_form(a(n) - sum(earlier), a, n, values[: len(weights)])


_COUNT = {"count": Argument(integer(1, 5), required=False)}
_TERMS = {"count": Argument(integer(3, 12), required=False)}
OPERATIONS = (
    Operation("terms", terms, _TERMS, form="sequence", needs_variable=False, sequence=_formula_terms),
    Operation(
        "recurrence", recurrence, {"initial": Argument(is_initial)}, needs_variable=False, sequence=_recurrence_terms
    ),
    Operation("next", next_terms, _COUNT, form="sequence", takes="list", needs_variable=False),
    Operation("formula", formula, takes="list", needs_variable=False),
)
