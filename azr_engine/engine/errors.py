"""Errors that people cause and can mend: shown as one line, exit code 2, no traceback."""

from __future__ import annotations


class UserError(ValueError):
    """A mistake in the input: the message says what is wrong, where, and what to do, in one line."""


class MissingDependency(UserError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


class RunPaused(RuntimeError):
    """The run stopped itself with its state saved (too many faults, an alarm, a person's request)."""
