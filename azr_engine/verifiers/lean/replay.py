"""A module's declarations in a form that a kernel elsewhere can be told: tables of names, levels and expressions.

The tables hold nothing but numbers and texts, each row naming earlier rows only, so that a process that never saw
the submission can build the terms afresh and have its own kernel check them (`kernel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azr_engine.verifiers.lean.olean import BadModule, Constant, Module, Pointer

Tables = dict[str, list[Any]]
"""`names`: [prefix, part]; `levels` and `expressions`: [kind, ...]; `declarations`: see `Writer.declare`. Row 0 of
names is the anonymous name, row 0 of levels is zero."""

MAX_EXPRESSIONS = 400_000


class Writer:
    """Collects the declarations of one replay, in the order in which the kernel shall check them."""

    def __init__(self) -> None:
        self.tables: Tables = {"names": [None], "levels": [["zero"]], "expressions": [], "declarations": []}
        self._names: dict[tuple[int, str | int], int] = {}
        self._levels: dict[str, int] = {"0": 0}
        self._shared: dict[bytes, int] = {}

    def declare(self, module: Module, constant: Constant, stated: tuple[Module, Constant] | None = None) -> None:
        """Add `[kind, name, universe parameters, type, value]`; `stated` gives all but the value where it is set."""
        typed, as_stated = stated or (module, constant)
        if constant.value is None:
            raise BadModule("a declaration without a value")
        row = [
            constant.kind,
            self._name(typed.name_parts(as_stated.name)),
            [self._name(typed.name_parts(level)) for level in as_stated.levels],
            self._expression(typed, as_stated.type),
            self._expression(module, constant.value),
        ]
        self.tables["declarations"].append(row)

    def _name(self, parts: Sequence[str | int]) -> int:
        row = 0
        for part in parts:
            key = (row, part)
            if key not in self._names:
                self._names[key] = len(self.tables["names"])
                self.tables["names"].append([row, part])
            row = self._names[key]
        return row

    def _row(self, table: str, row: list[Any]) -> int:
        self.tables[table].append(row)
        return len(self.tables[table]) - 1

    def _level(self, module: Module, pointer: Pointer) -> int:
        text = module.level(pointer)
        if text not in self._levels:
            tag, parts = module.level_parts(pointer)
            if tag == 4:
                row = ["param", self._name(module.name_parts(parts[0]))]
            else:
                row = [("", "succ", "max", "imax")[tag], *(self._level(module, part) for part in parts)]
            self._levels[text] = self._row("levels", row)
        return self._levels[text]

    def _expression(self, module: Module, pointer: Pointer) -> int:
        rows: dict[Pointer, int] = {}
        for at in module.bottom_up([pointer]):
            digest = module.digest(at)
            if digest not in self._shared:
                self._shared[digest] = self._new_expression(module, at, rows)
            rows[at] = self._shared[digest]
        return rows[pointer]

    def _new_expression(self, module: Module, at: Pointer, rows: dict[Pointer, int]) -> int:
        node = module.node(at)
        parts = [rows[part] for part in node.parts]
        if node.kind == "mdata":
            return parts[0]
        if len(self.tables["expressions"]) >= MAX_EXPRESSIONS:
            raise BadModule("the proof term is too large")
        match node.kind:
            case "const":
                name = self._name(module.name_parts(module.own_name(at)))
                return self._row("expressions", ["const", name, [self._level(module, item) for item in node.levels]])
            case "sort":
                return self._row("expressions", ["sort", self._level(module, node.levels[0])])
            case "proj":
                name = self._name(module.name_parts(module.own_name(at)))
                return self._row("expressions", ["proj", name, node.text.rpartition(" ")[2], *parts])
            case "bvar" | "nat" | "string":
                return self._row("expressions", [node.kind, node.text])
        return self._row("expressions", [node.kind, *parts])
