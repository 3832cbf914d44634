"""How an answer to each form of result is compared with gold: one rule per form, over any equality of values.

Every rule takes an `Equal` (cheap and exact, or the worker's staged judge) and returns `(decision, reason)`:
True, False with a reason, or None when the equality could not tell.

Policies:
- A result that is a rational number must be answered by a number (`7`, `-3/4`, `0.25`), not by a sum to be done.
- `name = value` answers for the value alone. Constants of integration are free: an antiderivative is judged by
  its derivative, and it may name a constant such as `C`.
- Solution sets are compared without order and without repetition, and must be complete.
- An expansion has no bracket left to multiply out and no like terms left apart; a factorisation has exactly
  gold's irreducible factors, whose rational constants may sit anywhere.
- A gcd or lcm of polynomials is one up to a rational factor.
- A simplification must save at least half of what gold saves, in leaves and operations.
"""

from __future__ import annotations

from collections.abc import Callable

from azr_engine.verifiers.math.decisions import Decision, Equal, all_of, matched, said
from azr_engine.verifiers.math.derivative import derivative
from azr_engine.verifiers.math.nodes import COLLECTIONS, Node, negate, symbols, walk
from azr_engine.verifiers.math.operations.algebra import size
from azr_engine.verifiers.math.operations.problem import Form, Problem, is_expression
from azr_engine.verifiers.math.polynomials import (
    ZERO,
    NotRational,
    Polynomial,
    UndefinedValue,
    constant_value,
    content,
    plus,
    polynomial,
)
from azr_engine.verifiers.math.regions import INFINITY, intervals

Rule = Callable[[Node, Node, Problem, Equal], Decision]


def compare(form: Form, gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    """Judge `answer` against `gold`, the result of an operation of that form on `problem`."""
    if form == "antiderivative" and "lower" in problem.arguments:
        form = "value"
    return _RULES[form](gold, answer, problem, equal)


def is_number(node: Node) -> bool:
    """Whether the tree is a rational number as one writes it: digits, a sign, at most one quotient."""
    if node.kind == "neg":
        node = node.args[0]
    if node.kind == "/":
        return all(is_number(part) and part.kind != "/" for part in node.args)
    return node.kind == "number"


def plain(answer: Node) -> Node:
    """The value in `name = value`; an answer in another shape is itself."""
    if answer.kind == "relation" and answer.value == ("=",) and answer.args[0].kind == "symbol":
        return answer.args[1]
    if answer.kind in COLLECTIONS and len(answer.args) == 1:
        return plain(answer.args[0])
    return answer


def _value(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if is_number(gold) and not is_number(answer):
        return False, "the result is a number" if not is_expression(answer) else "not evaluated"
    return _equal_value(gold, answer, equal)


def _equal_value(gold: Node, answer: Node, equal: Equal) -> Decision:
    if not is_expression(answer):
        return False, "not an expression"
    return said(equal(gold, answer), "wrong value")


def _expanded(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if not is_expanded(answer) or len(_terms(answer)) > len(_terms(gold)):
        return False, "not expanded"
    return _value(gold, answer, problem, equal)


def is_expanded(node: Node) -> bool:
    """Whether no product, quotient or whole power of a sum with symbols is left."""
    return not any(_is_bracket(head) for part in walk(node) for head in _multiplied(part))


def _multiplied(node: Node) -> tuple[Node, ...]:
    """The arguments of a node that distribute over sums."""
    if node.kind == "*":
        return node.args
    if node.kind == "**":
        exponent = constant_value(node.args[1])
        return node.args[:1] if exponent is not None and exponent.denominator == 1 and exponent > 0 else ()
    return node.args[:1] if node.kind in ("neg", "/") else ()


def _is_bracket(node: Node) -> bool:
    return node.kind == "+" and bool(symbols(node))


def _terms(node: Node) -> list[Node]:
    return [part for arg in node.args for part in _terms(arg)] if node.kind == "+" else [node]


def _factored(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if not is_expression(answer):
        return False, "not an expression"
    paired, reason = matched(factors(gold), factors(answer), lambda a, b: proportional(a, b, equal))
    if not paired:
        return paired, reason and "not the irreducible factors"
    return _equal_value(gold, answer, equal)


def factors(node: Node) -> list[Node]:
    """The factors that are no numbers, powers written out and divisors that are numbers dropped."""
    if constant_value(node) is not None:
        return []
    if node.kind == "*":
        return [factor for arg in node.args for factor in factors(arg)]
    if node.kind == "neg" or (node.kind == "/" and constant_value(node.args[1]) is not None):
        return factors(node.args[0])
    if node.kind == "**":
        exponent = constant_value(node.args[1])
        if exponent is not None and exponent.denominator == 1 and 0 < exponent < 100:
            return factors(node.args[0]) * int(exponent)
    return [node]


def proportional(a: Node, b: Node, equal: Equal) -> bool | None:
    """Whether the trees are equal polynomials up to a rational factor, or else equal up to sign."""
    left, right = _primitive(a), _primitive(b)
    if left is not None and right is not None:
        return left == right
    if (left is None) != (right is None):
        return False
    return equal(a, b) or equal(negate(a), b)


def _primitive(node: Node) -> Polynomial | None:
    try:
        poly = polynomial(node)
    except (NotRational, UndefinedValue):
        return None
    if not poly:
        return poly
    sign = -1 if poly[max(poly)] < 0 else 1
    return plus(ZERO, poly, sign / content(poly))


def _shorter(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if 2 * size(answer) > size(gold) + size(problem.expression):
        return False, "not simplified"
    return _value(gold, answer, problem, equal)


def _terms_rule(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if not is_expression(answer):
        return False, "not an expression"
    return matched(_terms(gold), _terms(answer), equal)


def _quotient(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if gold.kind == "/":
        unsigned = answer.args[0] if answer.kind == "neg" else answer
        if unsigned.kind != "/":
            return False, "not one quotient"
        bottom = proportional(gold.args[1], unsigned.args[1], equal)
        if not bottom:
            return said(bottom, "not in lowest terms")
    return _value(gold, answer, problem, equal)


def _antiderivative(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if not is_expression(answer):
        return False, "not an expression"
    try:
        slope = derivative(answer, problem.variable)
    except ValueError as error:
        return False, str(error)
    return said(equal(problem.expression, slope), "its derivative is not the integrand")


def _up_to_a_factor(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    answer = plain(answer)
    if constant_value(gold) is not None:
        return _value(gold, answer, problem, equal)
    return said(proportional(gold, answer, equal), "wrong value")


def solution_members(answer: Node, variable: str) -> list[Node]:
    """The values in `[1,2]`, `{1,2}`, `1,2`, `x=1 or x=2`, `x=1`, `1`."""
    if answer.kind in COLLECTIONS or answer.kind == "or":
        return [value for arg in answer.args for value in solution_members(arg, variable)]
    if answer.kind == "relation" and answer.value == ("=",) and answer.args[0] == Node("symbol", variable):
        return solution_members(answer.args[1], variable)
    return [answer]


def _solutions(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    members: list[Node] = []
    for member in solution_members(answer, problem.variable):
        if not is_expression(member):
            return False, "not a list of values"
        if not any(equal(known, member) for known in members):
            members.append(member)
    rational = [constant_value(value) is not None for value in gold.args]
    if all(rational) and not all(map(is_number, members)):
        return False, "not evaluated"
    paired, reason = matched(gold.args, members, equal)
    return paired, reason and (reason if paired is None else "not the whole set of solutions")


def _assignment(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    wanted = {pair.args[0].value: pair.args[1] for pair in gold.args}
    parts = answer.args if answer.kind in (*COLLECTIONS, "and") else (answer,)
    if all(part.kind == "relation" and part.value == ("=",) and part.args[0].kind == "symbol" for part in parts):
        given = {part.args[0].value: part.args[1] for part in parts}
    else:
        given = dict(zip(sorted(wanted), parts, strict=False)) if len(parts) == len(wanted) else {}
    if set(given) != set(wanted) or len(parts) != len(wanted):
        return False, "not a value for every unknown"
    return all_of(_value(wanted[name], given[name], problem, equal) for name in wanted)


def _matrix(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    rows = answer.args
    if len(rows) != len(gold.args) or any(len(a.args) != len(g.args) for a, g in zip(rows, gold.args, strict=True)):
        return False, "not a matrix of that size"
    pairs = [pair for g, a in zip(gold.args, rows, strict=True) for pair in zip(g.args, a.args, strict=True)]
    return all_of(_value(g, a, problem, equal) for g, a in pairs)


def _sequence(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    """One number, or several in order; further terms than asked for are a wrong answer."""
    if gold.kind != "list":
        return _value(gold, answer, problem, equal)
    if answer.kind not in COLLECTIONS or len(answer.args) != len(gold.args):
        return False, f"not {len(gold.args)} terms"
    return all_of(_value(g, a, problem, equal) for g, a in zip(gold.args, answer.args, strict=True))


def _region(gold: Node, answer: Node, problem: Problem, equal: Equal) -> Decision:
    parts = intervals(answer, problem.variable)
    if parts is None:
        return False, "not a set of intervals"
    paired, reason = matched(intervals(gold, problem.variable) or [], parts, lambda a, b: _same_interval(a, b, equal))
    return paired, reason and (reason if paired is None else "not the solution set")


def _same_interval(a: Node, b: Node, equal: Equal) -> bool | None:
    if a.value != b.value:
        return False
    ends = [_same_end(x, y, equal) for x, y in zip(a.args, b.args, strict=True)]
    return False if False in ends else None if None in ends else True


def _same_end(a: Node, b: Node, equal: Equal) -> bool | None:
    if INFINITY in (*walk(a), *walk(b)):
        return a == b
    return equal(a, b)


_RULES: dict[Form, Rule] = {
    "value": _value, "expanded": _expanded, "factored": _factored, "shorter": _shorter, "terms": _terms_rule,
    "quotient": _quotient, "antiderivative": _antiderivative, "up to a factor": _up_to_a_factor,
    "solutions": _solutions, "assignment": _assignment, "region": _region, "matrix": _matrix,
    "sequence": _sequence,
}  # fmt: skip
