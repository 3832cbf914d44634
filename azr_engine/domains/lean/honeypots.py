"""Lean tasks that no answer solves, yet look like others. Each carries, as its gold, a proof that it is impossible.

- prove: a false statement, the neighbour of a theorem, to be proved; the gold refutes it.
- induct: one of the instances shown is false, so no lemma that can be proved has them all for instances; the gold
  refutes that one.
- repair: none, since one of any statement and its negation can be proved, if the statement is of our grammars, and
  both are answers.

Impossible means that nothing short of a contradiction in Lean's logic would do.
"""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Mapping
from typing import Any

from azr_engine.domains.lean import grammar, statements
from azr_engine.engine.types import Task, task_id

_PROPOSITIONAL_SHARE = 0.7
_FAMILIES = (statements.sums, statements.lengths, statements.orders)


def honeypot(task: Task, rng: random.Random) -> Task | None:
    """An impossible task like `task`; None where there is none like it."""
    match task.kind:
        case "prove":
            statement, refutation = _falsehood(rng)
            return _task("prove", {"statement": statement}, {"proof": "", "refutation": refutation}, task.skeleton)
        case "induct":
            return _induct(rng, task.skeleton)
    return None


def _falsehood(rng: random.Random) -> tuple[str, str]:
    """A false statement, and a proof of its negation."""
    if rng.random() < _PROPOSITIONAL_SHARE:
        return _false_proposition(rng)
    while True:
        found = rng.choice(_FAMILIES)(rng)
        if found.rival:
            return found.rival, found.refutation


def _false_proposition(rng: random.Random) -> tuple[str, str]:
    """A theorem of the grammar with one piece exchanged, such that some truth values make it false."""
    while True:
        theorem, _ = grammar.theorem(rng)
        formula = grammar.ordered(statements.mutated(rng, theorem))
        statement, atoms = grammar.statement_text(formula), tuple(dict.fromkeys(formula.atoms()))
        if formula.op != theorem.op or grammar.repeats(formula) or len(statement) > grammar.MAX_STATEMENT:
            continue
        for values in itertools.product((True, False), repeat=len(atoms)):
            if not statements.holds(formula, dict(zip(atoms, values, strict=True))):
                return statement, f"fun h => absurd (h {' '.join(map(str, values))}) (by decide)"


def _induct(rng: random.Random, skeleton: str) -> Task:
    while True:
        found = rng.choice(_FAMILIES)(rng)
        n_shown = (len(found.instances) + 1) // 2
        shown, hidden = list(found.instances[:n_shown]), list(found.instances[n_shown:])
        if not hidden:
            continue
        place = rng.randrange(n_shown)
        shown[place], refutation = _falsified(rng, shown[place])
        if refutation and shown[place] not in found.instances:
            gold = {"statement": found.statement, "proof": found.proof, "instances": hidden, "refutation": refutation}
            return _task("induct", {"instances": shown}, gold, skeleton)


def _falsified(rng: random.Random, instance: str) -> tuple[str, str]:
    """The instance with one variable of its last side exchanged, and a proof of its negation; empty where it holds."""
    binders, type_ = instance.split(") : ", 1)
    names = binders.removeprefix("(").partition(" : ")[0].split()
    lists = "List" in binders
    cut = max(type_.rfind("= "), type_.rfind("≤ ")) + 2
    kept, side = type_[:cut], type_[cut:]
    if not any(re.search(rf"\b{name}\b", side) for name in names):
        return "", ""
    false = kept + statements.changed(rng, side, names)
    for values in itertools.product(range(2 if lists else 4), repeat=len(names)):
        if not _true(false, dict(zip(names, values, strict=True))):
            witness = [("[]", "[0]")[value] if lists else str(value) for value in values]
            premises = " (by decide)" * false.count("→")
            return f"{binders}) : {false}", f"fun h => absurd (h {' '.join(witness)}{premises}) (by decide)"
    return "", ""


def _true(type_: str, values: Mapping[str, int]) -> bool:
    """Whether comparisons, the last of which the others imply, hold for numbers, or for lists of these lengths."""
    *premises, conclusion = (_compares(part, values) for part in type_.split(" → "))
    return conclusion or not all(premises)


def _compares(text: str, values: Mapping[str, int]) -> bool:
    left, sign, right = re.split(r" (=|≤) ", text)
    one, other = _number(left, values), _number(right, values)
    return one == other if sign == "=" else one <= other


def _number(text: str, values: Mapping[str, int]) -> int:
    """The value of a term of `statements`, or its length."""
    lengths = (("++", "+"), ("0 ::", "1 +"), ("[1]", "1"), (".length", ""), (".reverse", ""))
    for old, new in lengths:
        text = text.replace(old, new)
    return _evaluated(ast.parse(text, mode="eval").body, values)


def _evaluated(node: ast.expr, values: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=operation, right=right):
            one, other = _evaluated(left, values), _evaluated(right, values)
            return one + other if isinstance(operation, ast.Add) else one * other
    raise ValueError(f"no term of the grammar: {ast.unparse(node)}")


def _task(kind: str, given: Mapping[str, Any], gold: Mapping[str, Any], skeleton: str) -> Task:
    return Task(task_id("lean", kind, given), "lean", kind, given, gold, skeleton)
