"""Untrusted text to a syntax tree: one place that knows how Python's own parser can fail."""

from __future__ import annotations

import ast
import warnings
from typing import Literal

MAX_PROGRAM_CHARACTERS = 16_384


def parse_source(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """The syntax tree of `text`; nothing is executed and no warning is shown.

    Raises:
        ValueError: not Python, too long, or nested beyond what the parser can take.
    """
    if len(text) > MAX_PROGRAM_CHARACTERS:
        raise ValueError(f"longer than {MAX_PROGRAM_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f" on line {line}" if line else ""
        raise ValueError(f"not Python: {getattr(error, 'msg', None) or type(error).__name__}{where}") from None
    assert isinstance(tree, ast.Module | ast.Expression)
    return tree
