"""Python tasks that no answer solves, yet look like others.

- deduction: a call that raises, asked for its value.
- abduction: a function whose values all have a property, and an output that lacks it.
- induction: two of the pairs that decide have the same input and different outputs, one of them shown to the solver.
- error: none, since every call raises something or nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Task, task_id

UNREACHABLE = "nothing"
"""Gold of a honeypot: no literal's text, so that no answer equals it."""

_OUT_OF_REACH: tuple[tuple[str, Callable[[int, int], str]], ...] = (
    # (body over x, an output that no x gives; the numbers are 1 to 9 and 0 to 9)
    ("len(x)+{a}", lambda a, b: str(a - 1 - b)),
    ("abs(x)+{a}", lambda a, b: str(a - 1 - b)),
    ("max(x,{a})", lambda a, b: str(a - 1 - b)),
    ("sorted(x)+[{a}]", lambda a, b: f"[{b + 2}, {b + 1}, {a}]"),
    ("[{a},x]", lambda a, b: f"[{a + 1 + b}, {b}]"),
    ("[x,x+{a}]", lambda a, b: f"[{b}, {b + a + 1}]"),
    ("list(range(x))+[{a}]", lambda a, b: f"[{b + 1}, {a}]"),
    ("len(x)*{a}*2", lambda a, b: str(2 * b + 1)),
    ("x+x[::-1]+'{a}'", lambda a, b: f"'ab{b}{a}'"),
)


def honeypot(task: Task, rng: random.Random) -> Task | None:
    """An impossible task like `task`; None where there is none like it."""
    match task.kind:
        case "error" if task.gold != "none":
            return _task("deduction", task.given, UNREACHABLE, task.skeleton)
        case "abduction":
            return _abduction(task, rng)
        case "induction":
            return _induction(task, rng)
    return None


def _abduction(task: Task, rng: random.Random) -> Task:
    body, output = rng.choice(_OUT_OF_REACH)
    a, b = rng.randint(1, 9), rng.randint(0, 9)
    given = {"program": f"def f(x):return {body.format(a=a)}", "output": output(a, b)}
    return _task("abduction", given, UNREACHABLE, task.skeleton)


def _induction(task: Task, rng: random.Random) -> Task | None:
    pairs: Sequence[Mapping[str, str]] = task.given["pairs"]
    choices = [(one, other) for one in pairs for other in pairs if one["output"] != other["output"]]
    if not choices:
        return None
    one, other = rng.choice(choices)
    both = [dict(one), {"input": one["input"], "output": other["output"]}]
    shown = [both[1] if pair is other else dict(pair) for pair in pairs]
    given = {**task.given, "pairs": shown}
    return _task("induction", given, {**task.gold, "pairs": both}, task.skeleton)


def _task(kind: str, given: Mapping[str, Any], gold: Any, skeleton: str) -> Task:
    return Task(task_id("python", kind, given), "python", kind, given, gold, skeleton)
