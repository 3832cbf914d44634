"""A console for tables of figures, none of which may be cut."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console

PIPE_WIDTH = 200
"""Columns of what is no terminal; rich would take it for one of 80 and cut figures to fit."""


def table_console(**options: Any) -> Console:
    """A console with rich's options: as wide as the terminal, or as `COLUMNS` says, or wide."""
    console = Console(**options)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPE_WIDTH
    return console
