"""A grammar of small total Python functions, for seeds and for the embedded model's first lessons.

Every program ends: loops run over a given list, string or a short range. Programs may raise on the input that
comes with them only where `sample(..., kind="error")` asks for it. Nothing here executes anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

LETTERS = "abcde"
_FOLDS = ("sum", "len", "max", "min")
Rng = random.Random


@dataclass(frozen=True, slots=True)
class Sketch:
    """A program and the texts of argument lists that fit it."""

    program: str
    inputs: tuple[str, ...]


def sample(rng: Rng, *, kind: str = "deduction", n_inputs: int = 1) -> Sketch:
    """One random function with `n_inputs` argument lists of matching types."""
    if kind == "error":
        program, types = _risky(rng)
    else:
        program, types = _program(rng)
    inputs = tuple(", ".join(literal(rng, t, wild=kind == "error") for t in types) for _ in range(n_inputs))
    return Sketch(program, inputs)


def literal(rng: Rng, type_name: str, *, wild: bool = False) -> str:
    """The text of a random value of `type_name` (`int`, `list` or `str`); `wild` admits empty ones."""
    if type_name == "int":
        return str(rng.choice([0, rng.randint(-5, 5), rng.randint(1, 9)]) if wild else rng.randint(-4, 12))
    shortest = 0 if wild and rng.random() < 0.5 else 1
    length = rng.randint(shortest, 4)
    if type_name == "list":
        return "[" + ", ".join(str(rng.randint(0, 9)) for _ in range(length)) + "]"
    return "'" + "".join(rng.choice(LETTERS) for _ in range(length)) + "'"


def _program(rng: Rng) -> tuple[str, list[str]]:
    form = rng.random()
    if form < 0.12:
        types = [rng.choice(["int", "int", "list", "str"]), "int"]
        head, scope = "def f(x,y):", {"x": types[0], "y": types[1]}
    else:
        types = [rng.choice(["int", "int", "list", "list", "str"])]
        head, scope = "def f(x):", {"x": types[0]}
    result = rng.choice(["int", "int", "int", "list", "list", "str"] if "str" in types else ["int", "int", "list"])
    depth = rng.choice([1, 1, 1, 2, 2, 3])
    style = rng.random()
    if style < 0.62:
        return f"{head}return {_expr(rng, result, scope, depth)}", types
    if style < 0.77:
        kind = rng.choice(["int", "int", "list", *types])
        first = _expr(rng, kind, scope, rng.choice([1, 1, 2]))
        inner = {**scope, "a": kind}
        return f"{head}\n a={first}\n return {_expr(rng, result, inner, min(depth, 2), must='a')}", types
    if style < 0.89:
        test = _condition(rng, scope)
        yes, no = _expr(rng, result, scope, rng.choice([0, 1])), _expr(rng, result, scope, 1)
        return f"{head}\n if {test}:return {yes}\n return {no}", types
    loop_over = _iterable(rng, scope)
    if loop_over is None:
        loop_over = f"range({rng.randint(2, 5)})"
    item = "str" if loop_over == "x" and scope["x"] == "str" else "int"
    inner = {**scope, "i": item}
    start, step = (
        str(rng.randint(0, 5)),
        _expr(rng, "int", inner, rng.choice([0, 1]), must="i" if item == "int" else None),
    )
    if rng.random() < 0.3:
        step = f"{step} if {_condition(rng, {'i': item})} else {rng.randint(0, 3)}"
    return f"{head}\n a={start}\n for i in {loop_over}:a+={step}\n return a", types


def _risky(rng: Rng) -> tuple[str, list[str]]:
    """A function that raises on some inputs of its type and returns on others."""
    kind = rng.choice(["int", "int", "list", "list", "str", "str"])
    n = rng.randint(1, 5)
    scope = {"x": kind}
    shapes: dict[str, list[Callable[[], str]]] = {
        "int": [
            lambda: f"{rng.randint(1, 30)}//{_small(rng, 'x')}",
            lambda: f"{rng.randint(1, 30)}%{_small(rng, 'x')}",
            lambda: f"{literal(rng, 'list')}[{_small(rng, 'x')}]",
            lambda: f"{{{rng.randint(0, 5)}:{n},{rng.randint(6, 9)}:{n}}}[x]",
            lambda: f"x+{rng.choice([str(n), repr(rng.choice(LETTERS))])}",
            lambda: f"len({rng.choice(['x', 'str(x)', '[x]'])})",
        ],
        "list": [
            lambda: f"x[{n}]",
            lambda: f"max(x)-{n}",
            lambda: f"x.index({n})",
            lambda: f"{rng.randint(1, 30)}//len(x)",
            lambda: f"x[{n}]//x[0]",
            lambda: f"x+{rng.choice([str(n), f'[{n}]'])}",
            lambda: f"{n}//(sum(x)-{rng.randint(0, 9)})",
        ],
        "str": [
            lambda: f"x[{n}]",
            lambda: f"x.index({rng.choice(LETTERS)!r})",
            lambda: f"int({rng.choice(['x', 'str(len(x))'])})+{n}",
            lambda: f"x+{rng.choice([str(n), repr(rng.choice(LETTERS)), 'str(1)'])}",
            lambda: f"{{{rng.choice(LETTERS)!r}:{n}}}[x[0]]",
            lambda: f"x*{rng.choice([str(n), 'x'])}",
        ],
    }
    core = rng.choice(shapes[kind])()
    form = rng.random()
    if form < 0.25:
        return f"def f(x):return {core}", [kind]
    if form < 0.45:
        return f"def f(x):\n a={_expr(rng, 'int', scope, 1)}\n return [a,{core}]", [kind]
    if form < 0.75:
        return f"def f(x):\n if {_condition(rng, scope)}:return {_expr(rng, 'int', scope, 1)}\n return {core}", [kind]
    return f"def f(x):\n a={core}\n return {rng.choice(['a', '[a]', '(a,x)', '[a,a]', 'a==x'])}", [kind]


def _small(rng: Rng, name: str) -> str:
    return rng.choice(
        [name, f"({name}-{rng.randint(1, 5)})", f"({name}+{rng.randint(1, 5)})", f"({name}%{rng.randint(2, 4)})"]
    )


def _names(scope: dict[str, str], type_name: str) -> list[str]:
    return [name for name, kind in scope.items() if kind == type_name]


def _iterable(rng: Rng, scope: dict[str, str]) -> str | None:
    names = _names(scope, "list") + _names(scope, "str")
    return rng.choice(names) if names else None


def _condition(rng: Rng, scope: dict[str, str]) -> str:
    name = rng.choice(list(scope))
    kind = scope[name]
    n = rng.randint(0, 9)
    if kind == "int":
        return rng.choice(
            [f"{name}>{n}", f"{name}<{n}", f"{name}%{rng.randint(2, 3)}==0", f"{name}%2==1", f"{name}=={n}"]
        )
    if kind == "list":
        return rng.choice(
            [f"len({name})>{rng.randint(1, 4)}", f"{n} in {name}", f"sum({name})>{n + 5}", f"{name}[0]>{n}"]
        )
    letter = rng.choice(LETTERS)
    return rng.choice(
        [f"len({name})>{rng.randint(1, 4)}", f"{letter!r} in {name}", f"{name}[0]=={letter!r}", f"{name}<{letter!r}"]
    )


def _expr(rng: Rng, type_name: str, scope: dict[str, str], depth: int, must: str | None = None) -> str:
    """An expression of `type_name` over `scope`; it uses the name `must` when one of its leaves can."""
    for _ in range(8):
        text = _grow(rng, type_name, scope, depth)
        used = [must] if must else list(scope)
        if any(_mentions(text, name) for name in used):
            return text
    return text


def _mentions(text: str, name: str) -> bool:
    padded = f" {text} "
    return any(
        not (padded[k - 1].isalnum() or padded[k + len(name)].isalnum())
        for k in range(1, len(padded) - len(name))
        if padded.startswith(name, k)
    )


def _grow(rng: Rng, type_name: str, scope: dict[str, str], depth: int) -> str:
    if type_name == "int":
        return _int(rng, scope, depth)
    return _list(rng, scope, depth) if type_name == "list" else _str(rng, scope, depth)


def _int(rng: Rng, scope: dict[str, str], depth: int) -> str:
    n = rng.randint(1, 9)
    ints, lists, strs = _names(scope, "int"), _names(scope, "list"), _names(scope, "str")
    if depth <= 0:
        return rng.choice(ints) if ints and rng.random() < 0.75 else str(n)
    choices: list[Callable[[], str]] = []
    if ints or rng.random() < 0.3:

        def sub() -> str:
            return _int(rng, scope, depth - 1)

        choices += [
            lambda: f"{_atom(sub())}{rng.choice(['+', '-', '*'])}{_atom(_int(rng, scope, 0))}",
            lambda: f"{_atom(sub())}{rng.choice(['+', '-'])}{_atom(sub())}",
            lambda: f"{_atom(sub())}{rng.choice(['%', '//'])}{rng.randint(2, 5)}",
            lambda: f"{rng.choice(['max', 'min'])}({sub()},{n})",
            lambda: f"abs({sub()})",
        ]
    if lists:

        def source() -> str:
            return _list(rng, scope, depth - 1) if depth > 1 else rng.choice(lists)

        choices += [
            lambda: f"{rng.choice(_FOLDS)}({source()})",
            lambda: f"{rng.choice(lists)}[{rng.choice(['0', '-1'])}]",
            lambda: f"{rng.choice(lists)}.count({n})",
            lambda: (
                f"{rng.choice(_FOLDS)}({rng.choice(lists)}){rng.choice(['+', '-', '*'])}{_atom(_int(rng, scope, 0))}"
            ),
        ]
    if strs:
        choices += [
            lambda: f"len({_str(rng, scope, depth - 1)})",
            lambda: f"{rng.choice(strs)}.count({rng.choice(LETTERS)!r})",
            lambda: f"{rng.choice(strs)}.find({rng.choice(LETTERS)!r})",
            lambda: f"len({rng.choice(strs)}){rng.choice(['+', '-', '*'])}{_atom(_int(rng, scope, 0))}",
        ]
    return rng.choice(choices)() if choices else str(n)


def _list(rng: Rng, scope: dict[str, str], depth: int) -> str:
    lists, strs, ints = _names(scope, "list"), _names(scope, "str"), _names(scope, "int")
    if not lists:
        if strs and rng.random() < 0.5:
            return (
                f"[{_int(rng, {**scope, 'i': 'str'}, 1)} for i in {rng.choice(strs)}]"
                if depth > 0
                else f"[len({rng.choice(strs)})]"
            )
        if ints and depth > 0 and rng.random() < 0.5:
            return f"[{_int(rng, {**scope, 'i': 'int'}, 1)} for i in range({rng.randint(2, 4)})]"
        return f"[{_int(rng, scope, min(depth, 1))},{_int(rng, scope, 0)}]"
    if depth <= 0:
        return rng.choice(lists)
    source = _list(rng, scope, depth - 1)
    inner = {**scope, "i": "int"}
    choices: list[Callable[[], str]] = [
        lambda: f"sorted({source})",
        lambda: f"{_indexable(source)}[::-1]",
        lambda: f"{_indexable(source)}[{rng.randint(1, 2)}:]",
        lambda: f"{_indexable(source)}[:{rng.randint(1, 3)}]",
        lambda: f"{_indexable(source)}[:-1]",
        lambda: f"{source}+[{_int(rng, scope, 1)}]",
        lambda: f"{source}+{rng.choice(lists)}",
        lambda: f"[{_expr(rng, 'int', inner, 1, must='i')} for i in {source}]",
        lambda: f"[i for i in {source} if {_condition(rng, {'i': 'int'})}]",
        lambda: f"[{_expr(rng, 'int', inner, 1, must='i')} for i in {source} if {_condition(rng, {'i': 'int'})}]",
    ]
    return rng.choice(choices)()


def _str(rng: Rng, scope: dict[str, str], depth: int) -> str:
    strs, ints, lists = _names(scope, "str"), _names(scope, "int"), _names(scope, "list")
    if not strs:
        base = rng.choice(ints or lists) if (ints or lists) else repr(rng.choice(LETTERS))
        return f"str({base})" if ints or lists else base
    if depth <= 0:
        return rng.choice(strs)
    source = _indexable(_str(rng, scope, depth - 1))
    letter, other = repr(rng.choice(LETTERS)), repr(rng.choice(LETTERS))
    choices: list[Callable[[], str]] = [
        lambda: f"{source}[::-1]",
        lambda: f"{source}.upper()",
        lambda: f"{source}[{rng.randint(1, 2)}:]",
        lambda: f"{source}[:{rng.randint(1, 3)}]",
        lambda: f"{source}+{letter}",
        lambda: f"{letter}+{source}",
        lambda: f"{source}*{rng.randint(2, 3)}",
        lambda: f"{source}.replace({letter},{other})",
        lambda: f"{source}+{rng.choice(strs)}[{rng.choice(['0', '-1', '::-1'])}]",
        lambda: f"''.join(i+{letter} for i in {source})",
        lambda: f"''.join(sorted({source}))",
    ]
    return rng.choice(choices)()


def _atom(text: str) -> str:
    """`text` in parentheses unless it is a name, a number or a call."""
    bare = text.isalnum() or (text.endswith(")") and "(" in text and text.split("(", 1)[0].isalpha() and _closed(text))
    return text if bare else f"({text})"


def _indexable(text: str) -> str:
    """`text` in parentheses if an operator stands outside of brackets, so that `[...]` or `.m()` can follow."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in "+-*%/ ":
            return f"({text})"
    return text


def _closed(text: str) -> bool:
    """Whether the first opening parenthesis closes only at the end."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == ")":
            return position == len(text) - 1
    return False
