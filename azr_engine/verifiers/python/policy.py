"""What a program may say, decided on its syntax tree before anything runs.

Covered: one top-level function and beside it only imports, classes and plain assignments; imports from a short
list of pure modules; no name or attribute that reaches the interpreter, the system, the clock, a terminal or a
file; no dunder attribute, and none spelled inside a string.
Not covered: what a program computes. The policy keeps tasks clean and answers honest; the sandbox keeps the machine
safe, and holds without the policy.
"""

from __future__ import annotations

import ast
import functools
import marshal
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from azr_engine.verifiers.python.allowed import ALLOWED_MODULES, BANNED_BUILTINS, SAFE_BUILTINS
from azr_engine.verifiers.python.compilation import compile_source
from azr_engine.verifiers.python.source import all_nodes, parse_module

_ATTRIBUTES = """
    ag_code ag_frame attrgetter co_code cr_code cr_frame f_back f_builtins f_code f_globals f_locals func_globals
    get_type_hints getcontext gi_code gi_frame localcontext methodcaller mro now setcontext SystemRandom tb_frame
    tb_next today utcnow Formatter make_dataclass
"""
_ALLOWED_DUNDER_ATTRIBUTES = frozenset(("__init__", "__name__"))
_BANNED_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_MAX_CODE_BYTES = 1 << 15
_DUNDER = re.compile(r"__\w+__")
_ASYNCHRONOUS = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
_STATEMENTS_BESIDE = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.ClassDef)


class Banned(ValueError):
    """The program says something it may not; the message names it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that passed the policy.

    Attributes:
        source: as written.
        function: the name of the one function, which the worker calls.
        code: the compiled module, marshalled; empty where compiling is left to the sandbox.
        uses_sets: whether hash order may show in results.
        imports: whether it needs a worker that holds the allowed modules.
    """

    source: str
    function: str
    code: bytes
    uses_sets: bool
    imports: bool = True


@functools.lru_cache(maxsize=1024)
def check_program(source: str) -> Program:
    """Parse `source` and apply the policy.

    Raises:
        Banned: it parses, but says something it may not.
        ValueError: it does not parse, or is too long.
    """
    tree = parse_module(source)
    return check_tree(source, tree, all_nodes(tree))


def check_tree(source: str, tree: ast.Module, nodes: list[ast.AST]) -> Program:
    """Apply the policy to a program that is parsed already; `nodes` are `all_nodes(tree)`.

    Raises:
        Banned: it says something it may not.
        ValueError: its compiler refuses it.
    """
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1:
        raise Banned(f"defines {len(functions)} functions instead of one")
    for position, part in enumerate(tree.body):
        docstring = position == 0 and isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
        if not docstring and not isinstance(part, (ast.FunctionDef, *_STATEMENTS_BESIDE)):
            raise Banned(f"a top-level {type(part).__name__} statement")
    kinds: _Kinds = defaultdict(list)
    for node in nodes:
        kinds[type(node)].append(node)
    _check_kinds(kinds)
    code = _compile(source, kinds)
    # Compiling may need a module too: `unicodedata` for a character spelled by its name.
    imports = not code or bool(kinds[ast.Import] or kinds[ast.ImportFrom])
    return Program(source, functions[0], code, _makes_sets(kinds), imports)


_Kinds = defaultdict[type[ast.AST], list[Any]]
"""The nodes of a program by their type."""


def _compile(source: str, kinds: _Kinds) -> bytes:
    """Compile here, once for all runs, unless the compiler could be made to work out of proportion.

    It copies each `finally` block to every way out of its `try`, so nested ones grow exponentially.
    """
    if any(node.finalbody for node in kinds[ast.Try] + kinds[ast.TryStar]):
        return b""
    code = marshal.dumps(compile_source(source))
    return code if len(code) <= _MAX_CODE_BYTES else b""


def _makes_sets(kinds: _Kinds) -> bool:
    named = any(node.id in ("set", "frozenset") for node in kinds[ast.Name])
    return named or bool(kinds[ast.Set] or kinds[ast.SetComp])


def _check_kinds(kinds: _Kinds) -> None:
    imported = {_import(alias.name, alias.asname) for node in kinds[ast.Import] for alias in node.names}
    imported.update(name for node in kinds[ast.ImportFrom] for name in _import_from(node))
    for node in kinds[ast.Name]:
        _check_name(node.id)
    for node in kinds[ast.arg]:
        _check_name(node.arg)
    for node in kinds[ast.MatchClass]:
        for name in node.kwd_attrs:
            _check_attribute(name)
    for node in kinds[ast.Constant]:
        if isinstance(node.value, str) and _DUNDER.search(node.value):
            raise Banned("a double-underscore name inside a string")
    for node in kinds[ast.Attribute]:
        _check_attribute(node.attr)
        if not isinstance(node.ctx, ast.Load):
            base = node.value.id if isinstance(node.value, ast.Name) else ""
            if base in imported or base in SAFE_BUILTINS:
                raise Banned(f"assigns to {base}.{node.attr}")
    if any(kinds[kind] for kind in _ASYNCHRONOUS):
        raise Banned("asynchronous code")


def _import(name: str, renamed: str | None) -> str:
    if name not in ALLOWED_MODULES:
        raise Banned(f"imports {name}")
    bound = renamed or name.partition(".")[0]
    _check_name(bound)
    return bound


def _import_from(node: ast.ImportFrom) -> list[str]:
    if node.level or node.module not in ALLOWED_MODULES:
        raise Banned(f"imports from {node.module}")
    for alias in node.names:
        if alias.name.startswith("_") or alias.name in _BANNED_ATTRIBUTES:
            raise Banned(f"imports {alias.name}")
        _check_name(alias.asname or alias.name)
    return [alias.asname or alias.name for alias in node.names]


def _check_attribute(name: str) -> None:
    dunder = name.startswith("__") and name.endswith("__") and name not in _ALLOWED_DUNDER_ATTRIBUTES
    if dunder or name in _BANNED_ATTRIBUTES:
        raise Banned(f"the attribute {name}")


def _check_name(name: str) -> None:
    if name in BANNED_BUILTINS or (name.startswith("__") and name.endswith("__")):
        raise Banned(f"the name {name}")
