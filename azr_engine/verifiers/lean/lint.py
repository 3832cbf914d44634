"""A first look at a statement or a proof, before Lean sees it: one term or one `by` block, and no command.

It saves time and gives clear reasons. It is not what soundness rests on: whatever gets past it meets the check of the
compiled module and a second kernel run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_CHARACTERS = 20_000
_MAX_DEPTH = 200
_BANNED_WORDS = frozenset(
    """
    theorem lemma def abbrev axiom example instance inductive coinductive structure class opaque constant alias
    macro macro_rules syntax notation infix infixl infixr prefix postfix elab elab_rules declare_syntax_cat
    initialize builtin_initialize namespace section end open export import prelude module meta public private protected
    noncomputable nonrec unsafe partial mutual variable variables universe set_option attribute deriving run_cmd
    run_elab run_meta run_tac by_elab init_quot include omit local scoped include_str add_decl_doc register_option
    unsafe_term unseal seal sorry admit stop native_decide bv_decide
    """.split()
)
_BANNED_CONSTANTS = frozenset(
    """
    sorryAx lcProof lcUnreachable lcCast lcAny lcErased lcVoid ofReduceBool ofReduceNat reduceBool reduceNat
    trustCompiler unsafeCast
    """.split()
)
_TOKEN = re.compile(
    r"""
      (?P<space>[ \n]+)
    | (?P<comment>--[^\n]*)
    | (?P<block>/-)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<char>'(?:[^'\\\n]|\\[^\n]{1,9}?)')
    | (?P<word>(?:[^\W\d]|_|«[^»\n]*»)(?:[\w'!?]|[₀-₉ₐ-ₜ]|\.(?=[^\W\d]|_|«)|«[^»\n]*»)*)
    | (?P<number>\d[\w.]*)
    | (?P<mark>:=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = "([{⟨", ")]}⟩"


class Token(NamedTuple):
    """A piece of text, how it was recognised, and how many brackets are open around it."""

    kind: str
    text: str
    start: int
    depth: int


class LintError(ValueError):
    """Why a text is refused."""


def check_proof(text: str) -> None:
    """Refuse what is no single term or `by` block. Raises LintError."""
    tokens = list(_tokens(text))
    if not tokens:
        raise LintError("the proof is empty")
    _check_words(tokens)


def check_statement(text: str) -> None:
    """Refuse what is not binders, a colon and a type. Raises LintError."""
    tokens = list(_tokens(text))
    _check_words(tokens)
    if any(token.text == ":=" and token.depth == 0 for token in tokens):
        raise LintError("a statement holds no :=")
    split_statement(text)


def split_statement(text: str) -> tuple[str, str]:
    """Binders and type: what stands before and after the first colon outside brackets. Raises LintError."""
    for token in _tokens(text):
        if token.text == ":" and token.depth == 0:
            binders, type_ = text[: token.start].strip(), text[token.start + 1 :].strip()
            if not type_:
                break
            return binders, type_
    raise LintError("a statement is binders, a colon and a type")


def split_definition(text: str) -> tuple[str, str]:
    """What stands before and after the first `:=` outside brackets: a statement and its proof. Raises LintError."""
    for token in _tokens(text):
        if token.text == ":=" and token.depth == 0:
            return text[: token.start].strip(), text[token.start + 2 :].strip()
    raise LintError("a lemma is a statement, := and a proof")


def _check_words(tokens: list[Token]) -> None:
    for token, following in itertools.pairwise([*tokens, Token("mark", "", -1, 0)]):
        adjacent = following.start == token.start + len(token.text)
        if token.kind == "word":
            if token.text in _BANNED_WORDS:
                raise LintError(f"the word {token.text!r} has no place in a term")
            if not _BANNED_CONSTANTS.isdisjoint(token.text.split(".")):
                raise LintError(f"the constant {token.text!r} is not allowed")
            if token.text.endswith("!") and following.kind == "string" and adjacent:
                raise LintError("interpolated texts are not allowed")
        elif token.text == "`":
            raise LintError("quotations are not allowed")
        elif token.text == "@" and following.text == "[":
            raise LintError("attributes are not allowed")
        elif token.text == "#" and following.kind == "word" and adjacent:
            raise LintError("commands are not allowed")


def _tokens(text: str) -> Iterator[Token]:
    """Tokens but for space and comments; brackets must match. Raises LintError."""
    if len(text) > MAX_CHARACTERS:
        raise LintError(f"longer than {MAX_CHARACTERS} characters")
    if any(character < " " and character != "\n" for character in text) or "\x7f" in text:
        raise LintError("control characters are not allowed")
    open_brackets: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise LintError("unreadable text")
        kind, piece, start = match.lastgroup, match.group(), position
        position = match.end()
        if kind == "block":
            position = _end_of_comment(text, start)
            continue
        if kind in ("space", "comment"):
            continue
        if piece == '"':
            raise LintError("a string is not closed")
        if piece in _OPENING:
            open_brackets.append(piece)
            if len(open_brackets) > _MAX_DEPTH:
                raise LintError(f"nested more than {_MAX_DEPTH} deep")
        elif piece in _CLOSING and (not open_brackets or open_brackets.pop() != _OPENING[_CLOSING.index(piece)]):
            raise LintError(f"unmatched {piece!r}")
        yield Token(kind, piece, start, len(open_brackets))
    if open_brackets:
        raise LintError(f"{open_brackets[-1]!r} is not closed")


def _end_of_comment(text: str, start: int) -> int:
    """Where the comment that begins at `start` ends; comments nest."""
    depth = 0
    for mark in re.finditer(r"/-|-/", text[start:]):
        depth += 1 if mark.group() == "/-" else -1
        if depth == 0:
            return start + mark.end()
    raise LintError("a comment is not closed")
