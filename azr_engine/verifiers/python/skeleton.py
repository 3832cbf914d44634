"""The structure of a program with its names and literal values taken away.

Covered: local names (numbered by first appearance), literal values (their types stay), docstrings, annotations,
comments and layout. Kept: control flow, operators, attribute, method and built-in names, imported modules, and
the order of statements. Not covered: algebraic equivalence; `a + b` and `b + a` of two parameters share a
skeleton only because names do.
"""

from __future__ import annotations

import ast
import hashlib

from azr_engine.verifiers.python.source import all_nodes, parse_module


def program_skeleton(source: str) -> str:
    """Sixteen hexadecimal digits, equal for programs that differ only in names and literal values.

    Raises:
        ValueError: `source` is not a Python program.
    """
    tree = parse_module(source)
    return tree_skeleton(tree, all_nodes(tree))


def tree_skeleton(tree: ast.Module, nodes: list[ast.AST]) -> str:
    """The same for a program that is parsed already; `nodes` are `all_nodes(tree)`.

    Raises:
        ValueError: nested too deeply.
    """
    try:
        text = _Writer(nodes).write(tree)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


_SKIPPED_FIELDS = frozenset(("ctx", "kind", "type_comment", "annotation", "returns", "type_ignores", "simple"))
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BODIES = (*_DEFINITIONS, ast.Module)


class _Writer:
    """Writes a tree as text; a local name becomes its rank of first appearance."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self._aliases: dict[str, str] = {}
        self._locals: set[str] = set()
        self._ranks: dict[str, str] = {}
        for node in nodes:
            self._bind(node)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self._locals.add(node.id)
        elif isinstance(node, ast.arg):
            self._locals.add(node.arg)
        elif isinstance(node, (*_DEFINITIONS, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            self._locals.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._locals.add(node.rest)
        elif isinstance(node, ast.Import):
            self._aliases.update((a.asname, a.name) for a in node.names if a.asname)
        elif isinstance(node, ast.ImportFrom):
            self._aliases.update((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)

    def _name(self, name: str) -> str:
        if name in self._locals:
            return self._ranks.setdefault(name, f"_{len(self._ranks)}")
        return self._aliases.get(name, name)

    def write(self, node: ast.AST) -> str:
        if isinstance(node, ast.Name):
            return self._name(node.id)
        literal = _literal_type(node)
        if literal:
            return literal
        parts = [type(node).__name__]
        for field, value in ast.iter_fields(node):
            if field in _SKIPPED_FIELDS:
                continue
            if field == "body" and isinstance(node, _BODIES):
                value = _without_docstring(value)
            parts.append(self._field(node, field, value))
        return "(" + " ".join(parts) + ")"

    def _field(self, node: ast.AST, field: str, value: object) -> str:
        if isinstance(value, ast.AST):
            return self.write(value)
        if isinstance(value, list):
            return "[" + " ".join(self._field(node, field, item) for item in value) + "]"
        if isinstance(value, str):
            kept = isinstance(node, ast.Attribute | ast.keyword | ast.ImportFrom | ast.alias)
            return "" if field == "asname" else value if kept else self._name(value)
        return "" if value is None else str(value)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def _literal_type(node: ast.AST) -> str:
    """The type of a literal, its signs and item counts forgotten; empty for anything else."""
    if isinstance(node, ast.Constant):
        return f"<{type(node.value).__name__}>"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _literal_type(node.operand)
        return inner if inner in ("<int>", "<float>", "<complex>") else ""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = {_literal_type(item) for item in node.elts}
        return "" if "" in items else f"<{type(node).__name__.lower()} {' '.join(sorted(items))}>"
    if isinstance(node, ast.Dict):
        items = {_literal_type(item) if item else "" for item in (*node.keys, *node.values)}
        return "" if "" in items else f"<dict {' '.join(sorted(items))}>"
    return ""
