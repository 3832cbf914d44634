"""Model-written text made harmless for a terminal: what would act or hide is shown as an escape."""

from __future__ import annotations

import unicodedata

_ACTS_OR_HIDES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, formatting (bidirectional overrides among it), surrogates, unassigned, separators."""


def visible(text: str) -> str:
    r"""`text` with everything that a terminal would obey written out, as `\x1b` or `\u202e`; line ends and tabs stay.

    >>> visible("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(_shown(character) for character in text)


def one_line(text: str, limit: int) -> str:
    """`visible` text on one line of at most `limit` characters, cut with an ellipsis."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    flat = "".join("⏎" if c == "\n" else " " if c == "\t" else _shown(c) for c in cut)
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _ACTS_OR_HIDES:
        return character
    return character.encode("unicode_escape").decode("ascii")
