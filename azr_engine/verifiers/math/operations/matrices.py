"""Operations on small matrices, written as lists of rows: `[[1,2],[3,4]]`."""

from __future__ import annotations

from typing import Any

from azr_engine.verifiers.math.nodes import Node
from azr_engine.verifiers.math.operations.problem import Argument, Operation, OperationError, Problem

MAX_SIDE = 4


def is_matrix(node: Node) -> bool:
    """Whether the tree is a list of 1 to 4 equally long rows of at most 4 entries."""
    rows = node.args
    if node.kind != "list" or not 1 <= len(rows) <= MAX_SIDE:
        return False
    width = len(rows[0].args)
    return 1 <= width <= MAX_SIDE and all(row.kind == "list" and len(row.args) == width for row in rows)


def _matrix(problem: Problem, node: Node) -> Any:
    import sympy

    return sympy.Matrix([[problem.sympy(entry) for entry in row.args] for row in node.args])


def _square(problem: Problem) -> Any:
    matrix = _matrix(problem, problem.expression)
    if matrix.rows != matrix.cols:
        raise OperationError("bad_arguments", "not a square matrix")
    return matrix


def _spelled(matrix: Any) -> Node:
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    rows = [Node("list", None, tuple(map(from_sympy, matrix.row(i)))) for i in range(matrix.rows)]
    return Node("list", None, tuple(rows))


def determinant(problem: Problem) -> Node:
    """The determinant of a square matrix."""
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    return from_sympy(_square(problem).det().expand())


def inverse(problem: Problem) -> Node:
    """The inverse; a singular matrix has none, which is `undefined`."""
    matrix = _square(problem)
    if matrix.det().simplify() == 0:
        raise OperationError("undefined", "a singular matrix")
    return _spelled(matrix.inv().applyfunc(lambda entry: entry.cancel()))


def product(problem: Problem) -> Node:
    """The matrix times the other matrix."""
    left, right = _matrix(problem, problem.expression), _matrix(problem, problem.arguments["other"])
    if left.cols != right.rows:
        raise OperationError("bad_arguments", "the sizes do not fit")
    return _spelled((left * right).expand())


def eigenvalues(problem: Problem) -> Node:
    """The distinct eigenvalues, ascending; a matrix with one that is not real is `undefined` here."""
    from azr_engine.verifiers.math.sympy_trees import from_sympy

    values = [value.expand() for value in _square(problem).eigenvals()]
    if any(value.free_symbols for value in values):
        raise OperationError("bad_arguments", "eigenvalues of a matrix of numbers")
    if not all(value.is_real for value in values):
        raise OperationError("undefined", "an eigenvalue is not real")
    return Node("list", None, tuple(from_sympy(value) for value in sorted(values, key=lambda v: v.evalf(30))))


OPERATIONS = (
    Operation("det", determinant, takes="matrix", needs_variable=False),
    Operation("inverse", inverse, form="matrix", takes="matrix", needs_variable=False),
    Operation("matmul", product, {"other": Argument(is_matrix)}, form="matrix", takes="matrix", needs_variable=False),
    Operation("eigenvalues", eigenvalues, form="solutions", takes="matrix", needs_variable=False),
)
