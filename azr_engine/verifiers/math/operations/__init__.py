"""The table of operations of the math domain, and `compute`, which runs one of them.

A row is an `Operation`; adding one means a function from `Problem` to a tree and one line in a module's
`OPERATIONS`. Others rely on `TABLE`, `read`, `compute` and `problem.py`'s types; the modules may change freely.
Nothing here limits time or memory: text that a model wrote goes through the verifier's workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azr_engine.verifiers.math.grammar import ParseError, parse
from azr_engine.verifiers.math.nodes import Node
from azr_engine.verifiers.math.operations import algebra, calculus, equations, matrices, sequences
from azr_engine.verifiers.math.operations.matrices import is_matrix
from azr_engine.verifiers.math.operations.problem import (
    REASONS,
    Operation,
    OperationError,
    Problem,
    is_expression,
    is_finite,
)
from azr_engine.verifiers.math.printer import to_text

__all__ = ["REASONS", "TABLE", "OperationError", "apply", "compute", "read"]

TABLE: dict[str, Operation] = {
    row.name: row for module in (algebra, calculus, equations, matrices, sequences) for row in module.OPERATIONS
}
"""Every operation by name."""

_DECLINED = {"NotImplementedError", "PolynomialError", "NonlinearError", "PoleError", "CoercionFailed"}
"""What SymPy raises, by name so as not to import it, where its method does not apply."""
_INEQUALITIES = {"<", "<=", ">", ">="}


def compute(fields: Mapping[str, Any]) -> dict[str, str]:
    """The result of `fields` (operation, expression, optional variable and arguments) as `{"result": text}`.

    Raises:
        OperationError: with a reason of `REASONS`.
    """
    operation, problem = read(fields)
    return {"result": to_text(apply(operation, problem))}


def apply(operation: Operation, problem: Problem) -> Node:
    """The result as a tree. Raises OperationError, with `crash` for what neither we nor SymPy foresaw."""
    try:
        return operation.apply(problem)
    except OperationError:
        raise
    except RecursionError:
        raise OperationError("oversize", "recursion") from None
    except MemoryError:
        raise OperationError("memory") from None
    except ZeroDivisionError:
        raise OperationError("undefined", "division by zero") from None
    except Exception as error:
        reason = "unsolved" if type(error).__name__ in _DECLINED else "crash"
        raise OperationError(reason, f"{type(error).__name__}: {error}"[:200]) from error


def read(fields: Mapping[str, Any]) -> tuple[Operation, Problem]:
    """The row and the checked problem that draft fields name.

    Raises:
        OperationError: `unknown_operation`, `bad_arguments`, or the parser's reasons.
    """
    operation = TABLE.get(str(fields.get("operation")))
    if operation is None:
        raise OperationError("unknown_operation", f"none of {', '.join(sorted(TABLE))}")
    expression = read_text(fields.get("expression"))
    if not _fits(operation, expression):
        raise OperationError("bad_arguments", f"{operation.name} takes {operation.takes}, not {expression.kind}")
    variable = read_text(fields.get("variable", "x"))
    if variable.kind != "symbol":
        raise OperationError("bad_arguments", "the variable is no symbol")
    return operation, Problem(expression, variable.value, read_arguments(operation, fields.get("arguments")))


def read_arguments(operation: Operation, given: Any) -> dict[str, Node]:
    """The arguments of an operation as trees, checked. Raises OperationError."""
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise OperationError("bad_arguments", "arguments is no object")
    unknown = [name for name in given if name not in operation.arguments]
    if unknown:
        raise OperationError("bad_arguments", f"{operation.name} takes no argument {str(unknown[0])[:40]!r}")
    missing = [name for name, row in operation.arguments.items() if row.required and name not in given]
    if missing:
        raise OperationError("bad_arguments", f"{operation.name} needs the argument {missing[0]!r}")
    values = {name: read_text(text) for name, text in given.items()}
    for name, value in values.items():
        if not operation.arguments[name].check(value):
            raise OperationError("bad_arguments", f"{operation.name}: {name}={to_text(value)[:40]}")
    return values


def read_text(text: Any) -> Node:
    """A tree from a text or a whole number. Raises OperationError with the parser's reason."""
    if type(text) is int:
        text = str(text)
    if not isinstance(text, str):
        raise OperationError("bad_arguments", f"{type(text).__name__} where a text belongs")
    try:
        return parse(text)
    except ParseError as error:
        raise OperationError(error.reason, error.detail) from None


def _fits(operation: Operation, node: Node) -> bool:
    match operation.takes:
        case "expression":
            return is_finite(node)
        case "equation":
            return is_finite(node) or (node.kind == "relation" and node.value == ("=",) and _plain_sides(node))
        case "inequality":
            return node.kind == "relation" and set(node.value) <= _INEQUALITIES and _plain_sides(node)
        case "system":
            members = node.args if node.kind in ("list", "tuple", "set", "and") else ()
            return 2 <= len(members) <= 3 and all(m.kind == "relation" and m.value == ("=",) for m in members)
        case "matrix":
            return is_matrix(node)
        case "list":
            return node.kind in ("list", "tuple")


def _plain_sides(node: Node) -> bool:
    return all(is_expression(side) for side in node.args)
