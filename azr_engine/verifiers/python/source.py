"""Untrusted text to a syntax tree: one place that knows how Python's own parser can fail."""

from __future__ import annotations

import ast
import warnings
from typing import Literal

from azr_engine.verifiers.python.canonical import Oversize
from azr_engine.verifiers.python.compilation import GIVING_UP, not_python

MAX_PROGRAM_CHARACTERS = 16_384


def parse_source(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """The syntax tree of `text`; nothing is executed and no warning is shown.

    Raises:
        Oversize: too long.
        ValueError: not Python, or nested beyond what the parser can take.
    """
    if len(text) > MAX_PROGRAM_CHARACTERS:
        raise Oversize(f"longer than {MAX_PROGRAM_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode=mode)
    except GIVING_UP as error:
        raise not_python(error) from None
    assert isinstance(tree, ast.Module | ast.Expression)
    return tree


def parse_module(text: str) -> ast.Module:
    """The syntax tree of a program. Raises what `parse_source` raises."""
    tree = parse_source(text)
    assert isinstance(tree, ast.Module)
    return tree


def all_nodes(tree: ast.AST) -> list[ast.AST]:
    """Every node of `tree`, parents before children, but for the markers of loading and storing."""
    found = [tree]
    for node in found:
        for name in node._fields:
            if name == "ctx":
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found
