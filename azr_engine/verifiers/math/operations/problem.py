"""What an operation is, and what it is given: the types every row of the table is made of.

A row computes on a `Problem`, which offers the input as our tree, as an exact polynomial (or None) and as a
SymPy expression, each made when first asked for: the polynomial route costs microseconds, SymPy milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from azr_engine.verifiers.math.nodes import Node, walk
from azr_engine.verifiers.math.polynomials import (
    NotRational,
    Polynomial,
    UndefinedValue,
    constant_value,
    polynomial,
)

REASONS = (
    "syntax", "banned", "oversize", "unknown_operation", "bad_arguments", "undefined", "no_solution", "divergent",
    "unsolved", "trivial", "timeout", "memory", "crash",
)  # fmt: skip
"""Every reason for which the math verifier rejects a draft. `unsolved`: no closed result was found."""

Form = Literal[
    "value", "expanded", "factored", "shorter", "terms", "quotient", "antiderivative", "up to a factor", "solutions",
    "assignment", "region", "matrix", "sequence",
]  # fmt: skip
"""How answers are compared; `verifiers/math/forms.py` has one rule per word."""


class OperationError(ValueError):
    """An operation has no result. `reason` is one of `REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Argument:
    """A named argument: `check(tree)` says whether a value will do; a default of None makes it required."""

    check: Callable[[Node], bool]
    required: bool = True


@dataclass
class Problem:
    """One input of one operation, read and checked."""

    expression: Node
    variable: str = "x"
    arguments: Mapping[str, Node] = field(default_factory=dict)

    @cached_property
    def polynomial(self) -> Polynomial | None:
        """The input as an exact polynomial, or None. Raises OperationError where the input is undefined."""
        return as_polynomial(self.expression)

    @cached_property
    def expr(self) -> Any:
        """The input as a SymPy expression. Raises OperationError as `to_sympy` does."""
        return self.sympy(self.expression)

    @cached_property
    def x(self) -> Any:
        """The variable as a SymPy symbol."""
        from azr_engine.verifiers.math.sympy_trees import real_symbol

        return real_symbol(self.variable)

    def sympy(self, node: Node) -> Any:
        """Any tree as a SymPy expression."""
        from azr_engine.verifiers.math.sympy_trees import to_sympy

        return to_sympy(node)

    def integer(self, name: str, default: int = 0) -> int:
        """The value of an integer argument."""
        value = constant_value(self.arguments[name]) if name in self.arguments else None
        return int(value) if value is not None else default


def as_polynomial(node: Node) -> Polynomial | None:
    """The exact polynomial of a tree, or None. Raises OperationError where the tree is undefined."""
    try:
        return polynomial(node)
    except NotRational:
        return None
    except UndefinedValue as error:
        raise OperationError("undefined", str(error)) from None


@dataclass(frozen=True)
class Operation:
    """A row of the table.

    Attributes:
        apply: the result as our tree; raises OperationError.
        arguments: what it takes besides the expression.
        form: how an answer is compared with the result.
        idempotent: applying it again changes nothing, so the result itself is no answer to abduction.
        needs_variable: an input without the variable is trivial.
        takes: what the expression is: an expression, an equation, an inequality, a system or a matrix.
        sequence: of an operation whose input defines a sequence, a formula in `n` and the first so many terms; its
            induction shows terms and asks for a formula.
    """

    name: str
    apply: Callable[[Problem], Node]
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    form: Form = "value"
    idempotent: bool = False
    needs_variable: bool = True
    takes: Literal["expression", "equation", "inequality", "system", "matrix", "list"] = "expression"
    sequence: Callable[[Problem, int], tuple[Node, list[Node]]] | None = None


def integer(least: int, most: int) -> Callable[[Node], bool]:
    """A check for whole numbers in a range, both ends included."""

    def check(node: Node) -> bool:
        value = constant_value(node)
        return value is not None and value.denominator == 1 and least <= value <= most

    return check


def is_expression(node: Node) -> bool:
    """A check for plain expressions."""
    return node.kind in ("number", "symbol", "constant", "+", "*", "/", "**", "neg", "call")


def is_finite(node: Node) -> bool:
    """A check for expressions that do not name infinity."""
    return is_expression(node) and not any(n.kind == "constant" and n.value == "oo" for n in walk(node))
