r"""Free-form answers to trees: what a language model wraps around an expression is taken off first.

Understood: `$...$`, `\boxed{...}` (the last one), "The answer is ...", a closing full stop, units after a number
(`3 cm`, `5\text{ meters}`), "no solution", `x \in ...`, `\pm`. Everything else is the grammar's business.
"""

from __future__ import annotations

import re

from azr_engine.verifiers.math.grammar import ParseError, parse
from azr_engine.verifiers.math.nodes import Node

_BOXED = re.compile(r"\\boxed\s*\{")
_LEAD = re.compile(r"^.{0,80}\b(?:answer|result|solution)s?\s*(?:is|are|=|:)\s*", re.IGNORECASE | re.DOTALL)
_NONE = re.compile(
    r"^(?:there (?:is|are) )?no (?:real )?(?:solutions?|roots?|answers?)$|^none$|^empty set$", re.IGNORECASE
)
_UNIT = re.compile(
    r"^(-?[\d./ ]*\d)\s*"
    r"(?:\\?%|°|\^\{?\\circ\}?|\\text\s*\{[A-Za-z ^0-9]*\}|(?:[kcm]m|kg|min|hours?|seconds?|meters?|units?)\b)$"
)
_MEMBER = re.compile(r"^[A-Za-z]\s*(?:\\in\b|∈)\s*")
_PLUS_MINUS = re.compile(r"\\pm|±")


def read_answer(text: str) -> Node:
    """The tree of an answer.

    Raises:
        ParseError: as `grammar.parse`.
    """
    text = _unwrapped(text)
    if _NONE.match(text):
        return Node("list", None, ())
    if unit := _UNIT.match(text):
        text = unit[1]
    if _PLUS_MINUS.search(text):
        return Node("list", None, tuple(parse(_PLUS_MINUS.sub(sign, text)) for sign in "+-"))
    return parse(text)


def _unwrapped(text: str) -> str:
    if len(text) > 20_000:
        raise ParseError("oversize", "more than 20000 characters")
    starts = list(_BOXED.finditer(text))
    if starts:
        text = _braced(text, starts[-1].end())
    text = text.strip().strip("$").strip()
    text = _MEMBER.sub("", _LEAD.sub("", text).strip().strip("$").strip())
    return text[:-1].rstrip().strip("$").strip() if text.endswith(".") else text


def _braced(text: str, start: int) -> str:
    """What stands between the brace that opened before `start` and its partner."""
    depth = 1
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]
