"""When an answer merely copies what is given: the rules that keep abduction and admission honest."""

from __future__ import annotations

from collections import Counter

from azr_engine.verifiers.math.derivative import derivative
from azr_engine.verifiers.math.forms import compare, factors, is_expanded, is_number
from azr_engine.verifiers.math.nodes import Node, number, symbols, walk
from azr_engine.verifiers.math.operations.problem import Operation, Problem
from azr_engine.verifiers.math.polynomials import constant_value, same_value
from azr_engine.verifiers.math.printer import to_text

_KNOWN_BY_FORM = ("factored", "terms", "quotient")


def does_nothing(operation: Operation, expression: Node, result: Node) -> bool:
    """Whether an operation left its input as it was, so that there is nothing to find out.

    A number written out is nothing to evaluate, and what already passes for the result of an operation that is known
    by its form is a copy of it, whatever its signs and order.
    """
    if is_number(result):
        return is_number(expression) and constant_value(expression) == constant_value(result)
    if arranged(expression) == arranged(result):
        return True
    if operation.name == "expand":
        return is_expanded(expression)
    if operation.form in _KNOWN_BY_FORM:
        return compare(operation.form, result, expression, Problem(expression), same_value)[0] is True
    return False


def copies(operation: Operation, expression: Node, result: Node) -> bool:
    """Whether `expression` is no answer to abduction: `result` written again, for an operation that would keep it.

    A number must not be given as an expression of the same value; an expansion's input needs more than a number to
    multiply in. Nothing may contain the result as a part, nor all the result's terms or factors among its own:
    `result+y-y` and `1*result` are copies.
    """
    if does_nothing(operation, expression, result):
        return True
    if not operation.idempotent:
        return False
    if operation.name == "expand":
        rest = factors(arranged(expression))
        return (len(rest) <= 1 and all(map(is_expanded, rest))) or _contains(arranged(expression), arranged(result))
    value = constant_value(result)
    if value is not None:
        return constant_value(expression) == value
    return _contains(arranged(expression), arranged(result))


def arranged(node: Node) -> Node:
    """The tree with commutative arguments sorted, neutral elements dropped and numbers computed."""
    args = [arranged(arg) for arg in node.args]
    if args and all(constant_value(arg) is not None for arg in args):
        value = constant_value(node)
        if value is not None:
            return number(value)
    if node.kind in ("+", "*"):
        neutral = number(0) if node.kind == "+" else number(1)
        args = sorted((arg for arg in args if arg != neutral), key=to_text)
        if node.kind == "*" and number(0) in args:
            return number(0)
        if len(args) == 1:
            return args[0]
    if node.kind in ("/", "**") and args[1] == number(1):
        return args[0]
    return Node(node.kind, node.value, tuple(args))


def _contains(whole: Node, part: Node) -> bool:
    wanted = Counter(part.args) if part.kind in ("+", "*") else None
    for node in walk(whole):
        if node == part or (wanted is not None and node.kind == part.kind and wanted <= Counter(node.args)):
            return True
    return False


def depends_on(node: Node, name: str) -> bool:
    """Whether the value changes with the symbol: `x-x+5`, `0*x` and `5*x/x` do not depend on x."""
    if name not in symbols(node):
        return False
    if node.kind in ("relation", "list", "tuple", "set", "and", "or"):
        return any(depends_on(arg, name) for arg in node.args)
    try:
        return same_value(derivative(node, name), number(0)) is not True
    except ValueError:
        return True


def isolated(equation: Node, name: str) -> bool:
    """Whether an equation or inequality is its own solution: the unknown alone on one side, absent from the other."""
    if equation.kind != "relation" or len(equation.args) != 2:
        return False
    left, right = equation.args
    x = Node("symbol", name)
    return (left == x and name not in symbols(right)) or (right == x and name not in symbols(left))
