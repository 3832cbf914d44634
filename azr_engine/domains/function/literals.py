"""Python literals for domains whose programs, inputs or outputs are some: read as data, written in one spelling."""

from __future__ import annotations

from typing import Any

from azr_engine.verifiers.python.canonical import canonical_value
from azr_engine.verifiers.python.literals import read_value


def read_literal(text: str) -> Any:
    """The value that a literal such as `[3, 'a']` spells. Nothing is evaluated. Raises ValueError for anything else."""
    return read_value(text)


def write_literal(value: object) -> str:
    """The one spelling of a value of built-in types; equal texts mean equal values of equal types.

    Raises:
        ValueError: the value is too large, or of a type that no literal spells.
    """
    return canonical_value(value)
