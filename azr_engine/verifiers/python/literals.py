"""Model-written values read as data in our own process: literals only, bounded in size and depth.

Understood: Python's literals, `nan`, `inf`, `float('nan')` and the like, `complex(a, b)`, `set()` and
`frozenset(...)`. Everything else is refused: names, calls, operators other than a sign or `a + bj`, f-strings,
comprehensions. Nothing is evaluated; the syntax tree is walked and values are built by hand.
"""

from __future__ import annotations

import ast
import functools
import marshal
from typing import Any, NamedTuple

from azr_engine.verifiers.python.canonical import MAX_DEPTH, canonical_tuple, canonical_value
from azr_engine.verifiers.python.source import parse_source


class NotLiteral(ValueError):
    """Python, but something other than a literal."""


@functools.lru_cache(maxsize=1024)
def canonical(text: str) -> str:
    """The canonical text of the literal that `text` spells.

    Raises:
        ValueError: not a literal, or too large.
    """
    return canonical_value(read_value(text))


class Arguments(NamedTuple):
    """An argument list: its canonical text, and its values marshalled for a worker of the same interpreter."""

    text: str
    packed: bytes

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> Arguments:
        """The form of these values.

        Raises:
            Oversize: too large.
            Unserialisable: not built-in data.
        """
        # Version 2 of marshal has no back references, so equal literals stay distinct objects.
        return cls(canonical_tuple(values), marshal.dumps(values, 2))


@functools.lru_cache(maxsize=1024)
def read_arguments(text: str) -> Arguments:
    """The argument list that `text` spells, such as `3` or `[1, 2], 'a'`; empty for no arguments.

    Raises:
        NotLiteral: Python, but not a list of positional literals.
        ValueError: not Python, or too large.
    """
    return Arguments.of(argument_values(text))


def read_value(text: str) -> object:
    """The value that `text` spells.

    Raises:
        NotLiteral: Python, but not a literal.
        ValueError: not Python.
    """
    tree = parse_source(text.strip(), "eval")
    assert isinstance(tree, ast.Expression)
    return _build(tree.body, MAX_DEPTH)


def argument_values(text: str) -> tuple[Any, ...]:
    """The positional arguments that `text` spells.

    Raises:
        NotLiteral: keywords, unpacking, or anything but literals.
        ValueError: not Python.
    """
    # The text must be what stands between the parentheses of exactly one call.
    tree = parse_source(f"f(\n{text}\n)", "eval")
    assert isinstance(tree, ast.Expression)
    call = tree.body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
        raise NotLiteral("not a list of positional arguments")
    return tuple(_build(argument, MAX_DEPTH) for argument in call.args)


def _build(node: ast.AST, depth: int) -> Any:
    if isinstance(node, ast.Constant) and node.value is not Ellipsis:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _number(node.operand, depth)
        return -number if isinstance(node.op, ast.USub) else number
    if depth == 0:
        raise NotLiteral("nested too deeply")
    if isinstance(node, ast.List):
        return [_build(item, depth - 1) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_build(item, depth - 1) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_hashable(_build(item, depth - 1)) for item in node.elts}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_hashable(_build(_key(key), depth - 1)): _build(value, depth - 1) for key, value in pairs}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _complex_sum(node, depth)
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _constructed(node.func.id, [_build(argument, depth - 1) for argument in node.args])
    raise NotLiteral(f"not a literal: {type(node).__name__}")


def _number(node: ast.AST, depth: int) -> Any:
    value = _build(node, depth)
    if type(value) not in (int, float, complex):
        raise NotLiteral("a sign before something that is not a number")
    return value


def _complex_sum(node: ast.BinOp, depth: int) -> complex:
    left, right = _number(node.left, depth - 1), _number(node.right, depth - 1)
    if type(left) is complex or type(right) is not complex or right.real:
        raise NotLiteral("not a literal: an operator")
    try:
        real = float(left)
    except OverflowError:
        raise NotLiteral("the real part is too large") from None
    return complex(real, right.imag if isinstance(node.op, ast.Add) else -right.imag)


def _constructed(name: str, arguments: list[Any]) -> Any:
    if name == "float" and len(arguments) == 1 and isinstance(arguments[0], str):
        try:
            return float(arguments[0])
        except ValueError:
            raise NotLiteral("not a number") from None
    if name == "complex" and len(arguments) == 2 and all(type(a) in (int, float) for a in arguments):
        try:
            return complex(float(arguments[0]), float(arguments[1]))
        except OverflowError:
            raise NotLiteral("a part is too large") from None
    if name in ("set", "frozenset") and len(arguments) <= 1:
        items = arguments[0] if arguments else []
        if not isinstance(items, list | tuple | set):
            raise NotLiteral(f"not a literal: {name} of a {type(items).__name__}")
        made = {_hashable(item) for item in items}
        return made if name == "set" else frozenset(made)
    raise NotLiteral("not a literal: a call")


def _key(node: ast.expr | None) -> ast.expr:
    if node is None:
        raise NotLiteral("not a literal: unpacking")
    return node


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        raise NotLiteral("an unhashable item in a set or dictionary") from None
    return value
