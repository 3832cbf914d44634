"""Math tasks that no answer solves, yet look like others.

- deduction: an operation that is undefined there, asked for its result.
- abduction: a result that the operation never gives: a divisor that does not divide, a remainder that is not smaller
  than the modulus, a multiple that is none, the inverse of a singular matrix.
- induction: two of the pairs have the same input and different results. None for sequences, since a polynomial goes
  through any finite number of terms.
- error: none, since every operation has one of the four outcomes.

"No solution" and "divergent" make no honeypots: an empty list and infinity are answers that a judge may well accept.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from azr_engine.engine.types import Task, task_id
from azr_engine.verifiers.math.judgement import judge_cheaply

UNREACHABLE = ""
"""Gold of an undefined result: no expression's text, so that no answer equals it."""


def honeypot(task: Task, rng: random.Random) -> Task | None:
    """An impossible task like `task`; None where there is none like it."""
    match task.kind:
        case "error" if task.gold["error"] == "undefined":
            return _task("deduction", task.given, {"result": UNREACHABLE}, task.skeleton)
        case "abduction":
            return _abduction(task, rng)
        case "induction" if "pairs" in task.given:
            return _induction(task, rng)
    return None


def _abduction(task: Task, rng: random.Random) -> Task:
    operation = task.given["operation"]
    if operation not in _OUT_OF_REACH:
        operation = rng.choice(("gcd", "mod"))
    result, arguments, expression = _OUT_OF_REACH[operation](rng)
    given = {"operation": operation, "result": result, "variable": "x", "arguments": arguments}
    return _task("abduction", given, {"expression": expression}, task.skeleton)


Unreachable = tuple[str, dict[str, str], str]
"""A result, the operation's arguments, and some input of the operation, which does not give that result."""


def _no_divisor(rng: random.Random) -> Unreachable:
    """A greatest common divisor with `other` divides it."""
    other = rng.randint(1, 6) * rng.randint(2, 6)
    result = rng.choice([n for n in range(2, max(other, 3) + 2) if other % n])
    return str(result), {"other": str(other)}, "1"


def _no_multiple(rng: random.Random) -> Unreachable:
    """A least common multiple with `other` is a multiple of it."""
    other = rng.randint(2, 9) * rng.randint(2, 9)
    return str(other * rng.randint(2, 9) + rng.randint(1, other - 1)), {"other": str(other)}, "1"


def _no_remainder(rng: random.Random) -> Unreachable:
    """A remainder is smaller than the modulus."""
    modulus = rng.randint(2, 9)
    return str(modulus + rng.randint(0, 6)), {"modulus": str(modulus)}, "1"


def _no_inverse(rng: random.Random) -> Unreachable:
    """An inverse has an inverse, and this matrix, whose rows are proportional, has none."""
    a, b, k = (rng.choice([n for n in range(-5, 6) if n]) for _ in range(3))
    return f"[[{a},{b}],[{k * a},{k * b}]]", {}, "[[1,0],[0,1]]"


_OUT_OF_REACH: dict[str, Callable[[random.Random], Unreachable]] = {
    "gcd": _no_divisor,
    "lcm": _no_multiple,
    "mod": _no_remainder,
    "inverse": _no_inverse,
}


def _induction(task: Task, rng: random.Random) -> Task | None:
    pairs = task.given["pairs"]
    choices = [(one, other) for one in pairs for other in pairs if _contradict(task, one, other)]
    if not choices:
        return None
    one, other = rng.choice(choices)
    shown = [{"input": one["input"], "output": pair["output"]} if pair is other else dict(pair) for pair in pairs]
    return _task("induction", {**task.given, "pairs": shown}, task.gold, task.skeleton)


def _contradict(task: Task, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether it is certain that the two results are not the same. Either way round, for one may only be longer."""
    given = {
        "operation": task.gold["operation"],
        "expression": one["input"],
        "variable": task.given.get("variable", "x"),
        "arguments": task.gold["arguments"],
    }
    ways = ((one["output"], other["output"]), (other["output"], one["output"]))
    return all(judge_cheaply("deduction", given, {"result": gold}, text)[0] is False for gold, text in ways)


def _task(kind: str, given: Mapping[str, Any], gold: Any, skeleton: str) -> Task:
    return Task(task_id("math", kind, given), "math", kind, given, gold, skeleton)
