"""Untrusted text to a syntax tree or to code: one place that knows how Python's own parser can fail."""

from __future__ import annotations

import ast
import contextlib
import types
import warnings
from collections.abc import Iterator
from typing import Literal

from azr_engine.verifiers.python.canonical import Oversize

MAX_PROGRAM_CHARACTERS = 16_384


def parse_source(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """The syntax tree of `text`; nothing is executed and no warning is shown.

    Raises:
        Oversize: too long.
        ValueError: not Python, or nested beyond what the parser can take.
    """
    if len(text) > MAX_PROGRAM_CHARACTERS:
        raise Oversize(f"longer than {MAX_PROGRAM_CHARACTERS} characters")
    with _one_error():
        tree = ast.parse(text, mode=mode)
    assert isinstance(tree, ast.Module | ast.Expression)
    return tree


def compile_source(text: str) -> types.CodeType:
    """The code of a module; nothing is executed and no warning is shown.

    Raises:
        ValueError: Python's grammar allows it, but its compiler does not (a `return` outside a function).
    """
    with _one_error():
        return compile(text, "<program>", "exec", dont_inherit=True)


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Turn all the ways in which parser and compiler give up into `ValueError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f" on line {line}" if line else ""
        raise ValueError(f"not Python: {getattr(error, 'msg', None) or type(error).__name__}{where}") from None
