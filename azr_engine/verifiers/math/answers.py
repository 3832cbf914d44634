r"""Free-form answers to trees: what a language model wraps around an expression is taken off first.

Understood: `$...$`, `\(...\)`, `\[...\]`, `**...**`, `\boxed{...}` (the last one), "The answer is ...", a closing
full stop, `f(x) =` and `a_n =` in front, units after a number (`3 cm`, `5\text{ meters}`), "no solution", "all real
numbers", `x \in ...`, `\pm`, LaTeX matrices, `\log_2 8`, `\ln|x|`, `\tan^{-1}`, `1{,}000`, `1.5e-3`, and `x(x+1)` as a
product. Everything else is the grammar's business. Nothing is searched for in prose: an answer with words around it
that are not listed here is refused, as a guess at what was meant could pass what was not.
"""

from __future__ import annotations

import re
from decimal import Decimal

from azr_engine.verifiers.math.grammar import ParseError, parse
from azr_engine.verifiers.math.nodes import Node

MAX_CHARACTERS = 20_000

_BOXED = re.compile(r"\\boxed\s*\{")
_LEAD = re.compile(r"^.{0,80}\b(?:answer|result|solution)s?\s*(?:is|are|=|:)\s*", re.IGNORECASE | re.DOTALL)
_NONE = re.compile(
    r"^(?:there (?:is|are) )?no (?:real )?(?:solutions?|roots?|answers?)$|^none$|^(?:the )?empty set$|^\\varnothing$",
    re.IGNORECASE,
)
_ALL = re.compile(r"^(?:all|every|any) real (?:numbers?|values?|x)$|^\\mathbb\s*\{R\}$|^ℝ$", re.IGNORECASE)
_UNIT = re.compile(
    r"^(-?[\d./ ]*\d)\s*"
    r"(?:\\?%|°|\^\{?\\circ\}?|\\text\s*\{[A-Za-z ^0-9]*\}|(?:[kcm]m|kg|min|hours?|seconds?|meters?|units?)\b)$"
)
_MEMBER = re.compile(r"^[A-Za-z]\s*(?:\\in\b|∈)\s*")
_PLUS_MINUS = re.compile(r"\\pm|±")
_WRAPPED = re.compile(r"^(?:\$+(?P<a>.*?)\$+|\\\((?P<b>.*)\\\)|\\\[(?P<c>.*)\\\]|\*\*(?P<d>.*)\*\*|`+(?P<e>[^`]*)`+"
                      r"|\\text\s*\{(?P<f>[^{}]*)\})$", re.DOTALL)  # fmt: skip
_NAMED = re.compile(r"^[A-Za-z](?:'{1,3}\s*\([a-z]\)|\s*\([a-z]\)|_\{?n\}?)\s*=(?!=)")
_MATRIX = re.compile(r"\\begin\s*\{([pbvB]?matrix)\}(.*?)\\end\s*\{\1\}", re.DOTALL)
_SCIENTIFIC = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[eE][+-]?\d{1,3}(?![\w.])")
_ARGUMENT = r"\s*(\w+|\([^()]*\)|\{[^{}]*\})"
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\d)\{,\}(?=\d{3})"), ""),
    (re.compile(r"\\?\b(ln|log)\s*(?:\\left)?\|([^|]+?)(?:\\right)?\|"), r"log(abs(\2))"),
    (re.compile(r"\\log\s*_\s*(?:\{(\w+)\}|(\w))" + _ARGUMENT), r"log((\3),\1\2)"),
    (re.compile(r"\\(sin|cos|tan)\s*\^\s*\{\s*-1\s*\}"), r"\\arc\1"),
    (re.compile(r"\\[dt]?binom\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"binomial(\1,\2)"),
    (re.compile(r"(?<![A-Za-z_\\])([A-TV-Za-z])\s*(?:\\left\s*)?\((?!\s*\))"), r"\1*("),  # U joins intervals
)
"""Notation that has one meaning in an answer and none in the grammar, which drafts share."""


def read_answer(text: str) -> Node:
    """The tree of an answer.

    Raises:
        ParseError: as `grammar.parse`.
    """
    text = _unwrapped(text)
    if _NONE.match(text):
        return Node("list", None, ())
    if _ALL.match(text):
        return parse("(-oo,oo)")
    if unit := _UNIT.match(text):
        text = unit[1]
    text = _SCIENTIFIC.sub(lambda match: format(Decimal(match[0]), "f"), text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _MATRIX.sub(_rows, text)
    if _PLUS_MINUS.search(text):
        return Node("list", None, tuple(parse(_PLUS_MINUS.sub(sign, text)) for sign in "+-"))
    return parse(text)


def _rows(matrix: re.Match[str]) -> str:
    rows = [row for row in re.split(r"\\\\", matrix[2]) if row.strip()]
    return "[" + ",".join(f"[{row.replace('&', ',')}]" for row in rows) + "]"


def _unwrapped(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise ParseError("oversize", f"more than {MAX_CHARACTERS} characters")
    starts = list(_BOXED.finditer(text))
    if starts:
        text = _braced(text, starts[-1].end())
    text = _bare(_LEAD.sub("", _bare(text)))
    return _MEMBER.sub("", _bare(_NAMED.sub("", _MEMBER.sub("", text))))


def _bare(text: str) -> str:
    """The text without what stands around all of it, and without one full stop at its end."""
    text = text.strip()
    text = text[:-1].rstrip() if text.endswith(".") else text
    wrapped = _WRAPPED.match(text)
    inner = next((part for part in wrapped.groups() if part is not None), None) if wrapped else None
    if inner is None or "$" in inner:
        return text.strip("$").strip()
    return _bare(inner)


def _braced(text: str, start: int) -> str:
    """What stands between the brace that opened before `start` and its partner."""
    depth = 1
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]
