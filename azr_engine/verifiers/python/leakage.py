"""Whether an induction task's message gives its program away.

Covered: the body of the function, or the longest expression in it, quoted up to spaces and case of layout. Not
covered: a paraphrase in words, which is what a message is for.
"""

from __future__ import annotations

import ast

MIN_CHARACTERS = 5
"""Shorter expressions, such as `x+1`, may stand in a message by chance."""


def reveals(message: str, source: str) -> bool:
    """Whether `message` quotes a whole statement's expression of the program `source`.

    Raises:
        ValueError: `source` is not a Python program.
    """
    squeezed = "".join(message.split())
    try:
        tree = ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a Python program: {type(error).__name__}") from None
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Return | ast.Assign | ast.AugAssign))
    worked_out = (value for value in values if value is not None and not isinstance(value, ast.Constant | ast.Name))
    quotes = ("".join((ast.get_source_segment(source, value) or "").split()) for value in worked_out)
    return any(len(quote) >= MIN_CHARACTERS and quote in squeezed for quote in quotes)
