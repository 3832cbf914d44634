"""A small reward for right programs that are simple and readable: the hook `azr_bonus`, on whatever defines a function.

Programs are parsed, never run. Names, comments and length do not count, so a program that is padded, stripped or
commented earns what it earned before.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from complexipy import code_complexity

from azr_engine.plugins import hookimpl

if TYPE_CHECKING:
    from azr_engine.engine.types import Attempt

MAX_CHARACTERS = 20_000
HALF = 5
"""Cognitive complexity at which half of the bonus is left: about two nested conditions in a loop."""
CROWDED = 25
"""Nodes of syntax that one statement may hold before it counts as crowded."""


def quality(source: str) -> float | None:
    """1 for a straight program of short statements, towards 0 for a tangled one; None for what defines no function.

    1 / (1 + c / HALF) * min(1, CROWDED / n), with c the cognitive complexity (G. A. Campbell, "Cognitive Complexity",
    SonarSource 2017, as complexipy counts it: loops, conditions and jumps, the more the deeper they stand), and n the
    nodes of syntax in the largest statement, without the statements inside it. The second keeps a program from being
    called simple because all of it stands in one expression.
    """
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            if not any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
                return None
        complexity = code_complexity(source).complexity
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    largest = max(_size(node) for node in ast.walk(tree) if isinstance(node, ast.stmt))
    return 1.0 / (1.0 + complexity / HALF) * min(1.0, CROWDED / largest)


def _size(statement: ast.stmt) -> int:
    """Nodes of a statement's own expressions."""
    left: list[ast.AST] = [statement]
    size = 0
    while left:
        children = [child for child in ast.iter_child_nodes(left.pop()) if not isinstance(child, ast.stmt)]
        size += sum(isinstance(child, ast.expr) for child in children)
        left += children
    return max(size, 1)


@hookimpl
def azr_bonus(attempt: Attempt) -> float | None:
    text = getattr(attempt.answer, "fields", {}).get("answer")
    return quality(text) if isinstance(text, str) else None
