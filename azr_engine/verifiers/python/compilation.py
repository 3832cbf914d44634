"""Untrusted text to code, without the syntax tree's classes, which a worker would carry into every fork."""

from __future__ import annotations

import types
import warnings

GIVING_UP = (SyntaxError, ValueError, RecursionError, MemoryError)
"""All the ways in which Python's parser and compiler refuse a text."""


def compile_source(text: str) -> types.CodeType:
    """The code of a module; nothing is executed and no warning is shown.

    Raises:
        ValueError: not Python, or Python that its compiler refuses (a `return` outside a function).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(text, "<program>", "exec", dont_inherit=True)
    except GIVING_UP as error:
        raise not_python(error) from None


def not_python(error: Exception) -> ValueError:
    """One of `GIVING_UP` as an error that says where and why."""
    line = getattr(error, "lineno", None)
    where = f" on line {line}" if line else ""
    return ValueError(f"not Python: {getattr(error, 'msg', None) or type(error).__name__}{where}")
