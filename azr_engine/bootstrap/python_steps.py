"""The steps a careful reader writes down while running a grammar program by hand.

Each step is one operation on values: `7%4=3;3*7=21`. The last one stands without its result, which is the answer. Only
for programs of our own grammar: the interpreter here knows what the grammar writes and nothing more, and gives up on
the rest.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_BINARY: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}
_COMPARE: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Gt: (">", operator.gt),
    ast.Lt: ("<", operator.lt),
    ast.Eq: ("==", operator.eq),
    ast.In: (" in ", lambda item, many: item in many),
}
_CALLS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function for function in (sum, len, max, min, abs, sorted, str, int)
}
_METHODS = frozenset({"upper", "replace", "count", "find", "index", "join"})


class Unknown(Exception):
    """The program uses what the grammar does not write."""


def python_steps(program: str, arguments: str) -> tuple[str, ...] | None:
    """The steps of calling the grammar's `program`, up to the exception if there is one; None where they can't be told.

    The last step is written without `=` and a result.
    """
    walk = _Walk(program, arguments)
    try:
        walk.call()
    except Unknown:
        return None
    except Exception:  # the program's own, and the task's answer
        return tuple(walk.steps)
    if walk.ends_in_a_step:
        walk.steps[-1] = walk.steps[-1].rpartition("=")[0]
    return tuple(walk.steps)


class _Walk:
    """One call: names and their values, and the steps so far."""

    def __init__(self, program: str, arguments: str) -> None:
        function = ast.parse(program).body[0]
        assert isinstance(function, ast.FunctionDef)
        values = ast.literal_eval(f"({arguments},)")
        self.body = function.body
        self.names: dict[str, Any] = {
            argument.arg: value for argument, value in zip(function.args.args, values, strict=True)
        }
        self.steps: list[str] = []
        self.ends_in_a_step = False
        """Whether the last step gives the returned value."""

    def call(self) -> Any:
        """What the function returns; raises what it raises, and `Unknown`."""
        returned, value = self.run(self.body)
        if not returned:
            raise Unknown
        return value

    def step(self, text: str, compute: Callable[[], Any]) -> Any:
        """Write `text`, compute, and write what it gives; an operation that fails stands without a result."""
        self.steps.append(text)
        value = compute()
        self.steps[-1] = f"{text}={value!r}"
        return value

    def run(self, body: list[ast.stmt]) -> tuple[bool, Any]:
        """Whether a statement returned, and what."""
        for statement in body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                value = self.value(statement.value)
                operations = (ast.BinOp, ast.Call, ast.Subscript)
                self.ends_in_a_step = isinstance(statement.value, operations)
                return True, value
            if isinstance(statement, ast.If):
                if self.value(statement.test):
                    returned, value = self.run(statement.body)
                    if returned:
                        return True, value
            elif isinstance(statement, ast.For):
                for item in self.value(statement.iter):
                    self.names["i"] = item
                    self.run(statement.body)
            elif isinstance(statement, ast.AugAssign):
                step = self.value(statement.value)
                before = self.names["a"]
                self.names["a"] = self.step(f"{before}+{step!r}", partial(operator.add, before, step))
            elif isinstance(statement, ast.Assign):
                n_steps = len(self.steps)
                self.names["a"] = self.value(statement.value)
                if len(self.steps) == n_steps or isinstance(statement.value, ast.ListComp):
                    self.steps.append(f"a={self.names['a']!r}")
            else:
                raise Unknown(type(statement).__name__)
        return False, None

    def value(self, node: ast.expr) -> Any:
        """The value of an expression, its operations written down."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names[name]
            case ast.List(elts=items):
                return [self.value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return {self.value(key): self.value(value) for key, value in pairs if key is not None}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                sign, function = _BINARY[type(op)]
                a, b = self.value(left), self.value(right)
                b_text = f"({b!r})" if isinstance(b, int) and b < 0 else repr(b)
                return self.step(f"{a!r}{sign}{b_text}", lambda: function(a, b))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                sign, compare = _COMPARE[type(op)]
                a, b = self.value(left), self.value(right)
                return self.step(f"{a!r}{sign}{b!r}", lambda: compare(a, b))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body) if self.value(test) else self.value(orelse)
            case ast.ListComp(elt=element, generators=[loop]) | ast.GeneratorExp(elt=element, generators=[loop]):
                return self.loop(element, loop)
            case ast.Subscript(value=source, slice=ast.Slice(lower=lower, upper=upper, step=stride)):
                whole = self.value(source)
                ends = [None if end is None else self.value(end) for end in (lower, upper, stride)]
                text = ":".join("" if end is None else str(end) for end in ends[: 3 if ends[2] else 2])
                return self.step(f"{whole!r}[{text}]", lambda: whole[slice(*ends)])
            case ast.Subscript(value=source, slice=index):
                whole, position = self.value(source), self.value(index)
                return self.step(f"{whole!r}[{position!r}]", lambda: whole[position])
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(stop))]):
                return list(range(stop))
            case ast.Call(func=ast.Name(id="sum"), args=[source]):
                return self.total(self.value(source))
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _CALLS:
                given = [self.value(argument) for argument in arguments]
                return self.step(f"{name}({','.join(map(repr, given))})", lambda: _CALLS[name](*given))
            case ast.Call(func=ast.Attribute(value=source, attr=name), args=arguments) if name in _METHODS:
                whole, given = self.value(source), [self.value(argument) for argument in arguments]
                text = f"{whole!r}.{name}({','.join(map(repr, given))})"
                return self.step(text, lambda: getattr(whole, name)(*given))
        raise Unknown(ast.dump(node))

    def loop(self, element: ast.expr, loop: ast.comprehension) -> list[Any]:
        """The list that a comprehension makes, item by item."""
        made = []
        for item in self.value(loop.iter):
            self.names["i"] = item
            if all(self.value(test) for test in loop.ifs):
                made.append(self.value(element))
        return made

    def total(self, items: list[Any]) -> Any:
        """A sum, one addition at a time where there are more than two items."""
        if len(items) <= 2:
            return self.step(f"sum({items!r})", lambda: sum(items))
        self.steps.append(f"sum({items!r})")
        total = items[0]
        for item in items[1:]:
            total = self.step(f"{total!r}+{item!r}", partial(operator.add, total, item))
        return total
