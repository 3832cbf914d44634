r"""Text to tokens for the math grammar: plain notation, LaTeX and common Unicode signs.

Whatever is not in the alphabet (quotes, attribute dots, colons, underscored names) or names nothing known is
refused here as `banned`; nothing is ever looked up in Python's own namespaces.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from azr_engine.verifiers.math.nodes import CONSTANTS, FUNCTIONS

MAX_CHARACTERS = 2000
MAX_TOKENS = 1000
MAX_DIGITS = 300


class ParseError(ValueError):
    """Text that is no expression of ours. `reason` is `syntax`, `banned` or `oversize`; `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class Token(NamedTuple):
    """`kind` is number, name (symbol), constant, function, group (frac, sqrt, boxed) or the operator itself."""

    kind: str
    text: str


_PATTERN = re.compile(
    r"(?P<space>\s+|\\[,;:! ]|\\q?quad\b|~|\$|\\\(|\\\)|\\\[|\\\])"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<text>\\(?:text|mathrm|operatorname)\s*\{\s*(?P<word>[A-Za-z]+)\s*\})"
    r"|(?P<command>\\[A-Za-z]+|\\[{}|])"
    r"|(?P<name>[A-Za-z]+)(?P<index>_?\d+|_\{\d+\})?"
    r"|(?P<op>\*\*|<=|>=|==|!=|[-+*/^()\[\]{}<>=,!|])"
)

_UNICODE = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "π": " pi ", "∞": " oo ", "√": " sqrt ",
     "∪": r" \cup ", "≤": "<=", "≥": ">=", "≠": "!=", "²": "^2", "³": "^3", "∅": "[]",
     "∨": " or ", "∧": " and "}
)  # fmt: skip

_GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho",
     "sigma", "tau", "phi", "chi", "psi", "omega"}
)  # fmt: skip
_ALIASES = {
    "e": "E", "inf": "oo", "infty": "oo", "infinity": "oo", "ln": "log", "Abs": "abs", "ceil": "ceiling",
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan")},
}  # fmt: skip
_COMMANDS = {
    r"\cdot": "*", r"\times": "*", r"\div": "/", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=", r"\ge": ">=",
    r"\geq": ">=", r"\geqslant": ">=", r"\lt": "<", r"\gt": ">", r"\ne": "!=", r"\neq": "!=", r"\cup": "union",
    r"\lor": "or", r"\vee": "or", r"\land": "and", r"\wedge": "and", r"\{": "open-set", r"\}": "close-set",
    r"\|": "|", r"\lvert": "|", r"\rvert": "|", r"\vert": "|",
}  # fmt: skip
_GROUPS = {r"\frac": "frac", r"\dfrac": "frac", r"\tfrac": "frac", r"\sqrt": "sqrt", r"\boxed": "boxed"}
_INVISIBLE = frozenset({r"\left", r"\right", r"\big", r"\Big", r"\displaystyle", r"\limits"})


def tokenize(text: str) -> list[Token]:
    """Tokens of `text`, whitespace dropped.

    Raises:
        ParseError: `oversize` past a limit, `banned` for a character or a name that is not in the language.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError("oversize", f"more than {MAX_CHARACTERS} characters")
    text = text.translate(_UNICODE)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise ParseError("banned", f"character {text[position]!r}")
        position = match.end()
        kind = match.lastgroup
        if kind == "space":
            continue
        if match["number"] is not None:
            if len(match["number"]) > MAX_DIGITS:
                raise ParseError("oversize", f"a number of more than {MAX_DIGITS} digits")
            tokens.append(Token("number", match["number"]))
        elif match["name"] is not None:
            tokens.append(_name(match["name"], (match["index"] or "").strip("_{}"), match.group()))
        elif match["text"] is not None:
            tokens.append(_name(match["word"], "", match["word"]))
        elif match["command"] is not None:
            tokens.extend(_command(match["command"]))
        else:
            operator = match["op"]
            tokens.append(Token({"^": "**", "==": "="}.get(operator, operator), operator))
    if len(tokens) > MAX_TOKENS:
        raise ParseError("oversize", f"more than {MAX_TOKENS} tokens")
    return tokens


def _name(word: str, index: str, written: str) -> Token:
    known = _ALIASES.get(word, word)
    if index:
        # `e3` might be a power of ten and `sin2` an argument: neither is a name.
        if (len(word) == 1 or word in _GREEK) and known == word:
            return Token("name", word + index)
    elif known in FUNCTIONS:
        return Token("function", known)
    elif known in CONSTANTS:
        return Token("constant", known)
    elif word in ("or", "and"):
        return Token(word, word)
    elif len(word) == 1 or word in _GREEK:
        return Token("name", word)
    raise ParseError("banned", f"name {written[:40]!r}")


def _command(command: str) -> list[Token]:
    if command in _INVISIBLE:
        return []
    if command in _COMMANDS:
        return [Token(_COMMANDS[command], command)]
    if command in _GROUPS:
        return [Token("group", _GROUPS[command])]
    if command == r"\emptyset":
        return [Token("[", "["), Token("]", "]")]
    return [_name(command[1:], "", command)]
