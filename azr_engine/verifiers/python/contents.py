"""Prints the file of every module that a worker imports, one a line: what an image must hold of Python's library.

boot.py azr_engine.verifiers.python.contents
"""

from __future__ import annotations

import sys

from azr_engine.verifiers.python import child, worker

__all__ = ["main", "worker"]


def main(arguments: list[str]) -> None:
    """Import it all and list it."""
    child.import_modules()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file:
            print(file)
