"""Which axioms are behind the constants of a few compiled modules, worked out once and kept beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from azr_engine.verifiers.lean.olean import Module

FILE = "axioms.json"


def write_axioms(folder: Path) -> None:
    """Work out the axioms of every constant in the modules below `folder`, and write them there.

    Raises:
        BadModule: a module cannot be read.
    """
    uses: dict[str, set[str]] = {}
    kinds: dict[str, str] = {}
    for file in sorted(folder.rglob("*.olean")):
        module = Module(file.read_bytes())
        for name in module.constants:
            constant = module.constant(name)
            kinds[name] = constant.kind
            uses[name] = module.uses(constant.type, constant.value)
    found = {name: {name} if kind == "axiom" else set() for name, kind in kinds.items()}
    # Constants may rest on each other in rings (a type, its constructors, its recursor), so repeat until nothing grows.
    grown = True
    while grown:
        grown = False
        for name, used in uses.items():
            reached = found[name].union(*(found[other] for other in used))
            if len(reached) > len(found[name]):
                found[name], grown = reached, True
    (folder / FILE).write_text(json.dumps({name: sorted(axioms) for name, axioms in found.items()}))


class AxiomTable:
    """The axioms that each constant of the modules rests on, itself included where it is one.

    Args:
        folders: each written by `write_axioms`.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._found: dict[str, frozenset[str]] = {}
        for folder in folders:
            for name, axioms in json.loads((folder / FILE).read_text()).items():
                self._found[name] = frozenset(axioms)

    def __call__(self, name: str) -> frozenset[str]:
        """Raises KeyError where no module declares `name`."""
        return self._found[name]
