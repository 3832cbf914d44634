"""A grammar of true statements about numbers, lists and quantifiers, each with a proof, false neighbours and instances.

Truth is by construction: both sides of an equation hold the same leaves, a chain of inequalities is composed, a
quantified statement lifts a propositional one that the prover proved. A false neighbour is kept only with values that
refute it. Lean has the last word on all of it.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from azr_engine.domains.lean.prover import Formula, prove

_AC_SUM = "by simp [Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]"
_AC_PRODUCT = "by simp [Nat.mul_comm, Nat.mul_left_comm, Nat.mul_assoc]"


@dataclass(frozen=True, slots=True)
class Theorem:
    """A true statement with its proof, and what else can be made of it.

    Attributes:
        rival, refutation: a false neighbour with the same binders, and a proof of its negation.
        instances: further statements, each an instance of this one.
    """

    statement: str
    proof: str
    rival: str = ""
    refutation: str = ""
    instances: tuple[str, ...] = ()


def sums(rng: random.Random) -> Theorem:
    """Two arrangements of the same sum or product of numbers."""
    names, operation = "abcd"[: rng.choice((2, 3, 3, 4))], rng.choice("++*")
    leaves = [*names, *rng.choices(names, k=rng.choice((0, 0, 1)))]
    left, right = _arrangements(rng, leaves, f" {operation} ")
    proof = _AC_SUM if operation == "+" else _AC_PRODUCT
    binders = f"({' '.join(names)} : Nat)"
    bad = changed(rng, right, names)
    values = _witness(names, lambda v: _value(left, v) != _value(bad, v), range(4))
    rival, refutation = _rival(binders, f"{left} = {bad}", values)
    terms = ["x", "y", "(x + 2)", "(x * y)", "(2 * y)", "x * 3" if operation == "+" else "(y + 1)", "7"]
    instances = _instances(rng, "(x y : Nat)", f"{left} = {right}", names, terms)
    return Theorem(f"{binders} : {left} = {right}", proof, rival, refutation, instances)


def lengths(rng: random.Random) -> Theorem:
    """The lengths of two arrangements of the same lists."""
    names = ("xs", "ys", "zs")[: rng.choice((2, 3))]
    left, right = _arrangements(rng, list(names), " ++ ")
    dressed = [rng.choice(("({}).length", "({}).reverse.length")).format(side) for side in (left, right)]
    binders = f"({' '.join(names)} : List Nat)"
    bad = changed(rng, dressed[1], names)
    values = _witness(names, lambda v: _length(left, v) != _length(bad, v), range(2))
    rival, refutation = _rival(binders, f"{dressed[0]} = {bad}", [("[]", "[0]")[int(value)] for value in values])
    terms = ["us", "vs", "(us ++ vs)", "[1]", "us.reverse", "(0 :: vs)"]
    instances = _instances(rng, "(us vs : List Nat)", " = ".join(dressed), names, terms)
    return Theorem(f"{binders} : {' = '.join(dressed)}", _AC_SUM, rival, refutation, instances)


def orders(rng: random.Random) -> Theorem:
    """A chain of inequalities, shifted by a number."""
    names = "abcd"[: rng.choice((3, 3, 4))]
    links = list(itertools.pairwise(names))
    order = rng.sample(range(len(links)), len(links))
    premises = " → ".join(f"{links[i][0]} ≤ {links[i][1]}" for i in order)
    chain = f"h{0}"
    for number in range(1, len(links)):
        chain = f"Nat.le_trans {chain if number == 1 else f'({chain})'} h{number}"
    on_the_left = rng.random() < 0.5
    shift = "Nat.add_le_add_left" if on_the_left else "Nat.add_le_add_right"
    low, high = (f"k + {names[0]}", f"k + {names[-1]}") if on_the_left else (f"{names[0]} + k", f"{names[-1]} + k")
    binders = f"({' '.join(names)} k : Nat)"
    arguments = " ".join(f"h{i}" for i in order)
    proof = f"fun {arguments} => {shift} ({chain}) k"
    counter = " ".join([*("0" if name == names[0] else "1" for name in names), "0"])
    refutation = f"fun h => absurd (h {counter} {' '.join(['(by decide)'] * len(links))}) (by decide)"
    terms = ["x", "y", "(x + y)", "(x * 2)", "9"]
    type_ = f"{premises} → {low} ≤ {high}"
    instances = _instances(rng, "(x y : Nat)", type_, [*names, "k"], terms)
    rival = f"{binders} : {premises} → {high} ≤ {low}"
    return Theorem(f"{binders} : {type_}", proof, rival, refutation, instances)


def quantifiers(rng: random.Random) -> Theorem:
    """A propositional implication, lifted under quantifiers."""
    premise, goal, proof = _implication(rng)
    names = {"p": "P n", "q": "Q n", "r": "R n"}
    low, high = (_lifted(side, names) for side in (premise, goal))
    form, term = rng.choice(
        (
            ("(∀ n, {low}) → ∀ n, {high}", "fun h n => ({proof}) (h n)"),
            ("(∃ n, {low}) → ∃ n, {high}", "fun ⟨n, h⟩ => ⟨n, ({proof}) h⟩"),
            ("(∃ n, {low}) → ¬∀ n, ¬({high})", "fun ⟨n, h⟩ k => k n (({proof}) h)"),
            ("(¬∃ n, {high}) → ∀ n, ¬({low})", "fun k n h => k ⟨n, ({proof}) h⟩"),
        )
    )
    atoms = sorted({*premise.atoms(), *goal.atoms()})
    binders = f"({' '.join(name.upper() for name in atoms)} : Nat → Prop)"
    return Theorem(f"{binders} : {form.format(low=low, high=high)}", term.format(proof=proof))


def propositions(rng: random.Random) -> Theorem:
    """An implication between propositions, and a neighbour that some assignment falsifies."""
    while True:
        premise, goal, proof = _implication(rng)
        rival = Formula("→", (premise, mutated(rng, goal)))
        atoms = sorted({*premise.atoms(), *goal.atoms()})
        if set(rival.atoms()) != set(atoms):
            continue
        for values in itertools.product((True, False), repeat=len(atoms)):
            if not holds(rival, dict(zip(atoms, values, strict=True))):
                binders = f"({' '.join(atoms)} : Prop)"
                refutation = f"fun h => absurd (h {' '.join(map(str, values))}) (by decide)"
                statement = f"{binders} : {Formula('→', (premise, goal))}"
                return Theorem(statement, proof, f"{binders} : {rival}", refutation)


def _arrangements(rng: random.Random, leaves: Sequence[str], operation: str) -> tuple[str, str]:
    while True:
        left, right = (_tree(rng, rng.sample(leaves, len(leaves)), operation) for _ in range(2))
        if left != right:
            return left, right


def _tree(rng: random.Random, leaves: Sequence[str], operation: str) -> str:
    if len(leaves) == 1:
        return leaves[0]
    cut = rng.randint(1, len(leaves) - 1)
    sides = (_tree(rng, part, operation) for part in (leaves[:cut], leaves[cut:]))
    return operation.join(f"({side})" if operation in side else side for side in sides)


def changed(rng: random.Random, text: str, names: Sequence[str]) -> str:
    """`text` with one of its variables replaced by another."""
    places = [match for match in re.finditer(r"\b[a-z]+\b", text) if match.group() in names]
    place = rng.choice(places)
    other = rng.choice([name for name in names if name != place.group()])
    return text[: place.start()] + other + text[place.end() :]


def _witness(names: Sequence[str], differs: Callable[[Mapping[str, int]], bool], values: Iterable[int]) -> list[str]:
    """The first values for which the two sides differ, as texts; none where there are none."""
    for choice in itertools.product(list(values), repeat=len(names)):
        if differs(dict(zip(names, choice, strict=True))):
            return [str(value) for value in choice]
    return []


def _rival(binders: str, type_: str, values: Sequence[str]) -> tuple[str, str]:
    if not values:
        return "", ""
    return f"{binders} : {type_}", f"fun h => absurd (h {' '.join(values)}) (by decide)"


def _value(text: str, values: Mapping[str, int]) -> int:
    """A sum or product of variables: all one operation, so brackets do not matter."""
    leaves = [values[name] for name in re.findall(r"[a-z]+", text)]
    if "*" not in text:
        return sum(leaves)
    product = 1
    for leaf in leaves:
        product *= leaf
    return product


def _length(text: str, values: Mapping[str, int]) -> int:
    return sum(values[name] for name in re.findall(r"[a-z]+", text) if name in values)


def _instances(
    rng: random.Random, binders: str, type_: str, names: Sequence[str], terms: Sequence[str]
) -> tuple[str, ...]:
    """Six different instances, both variables in each."""
    found: dict[str, None] = {}
    for _ in range(60):
        chosen = dict(zip(names, rng.choices(terms, k=len(names)), strict=True))
        if len(set(chosen.values())) < min(len(names), len(terms)) or all(text.isalpha() for text in chosen.values()):
            continue
        text = _substituted(type_, chosen)
        variables = re.findall(r"[a-z]+", binders)[:2]
        if all(re.search(rf"\b{variable}\b", text) for variable in variables):
            found[f"{binders} : {text}"] = None
        if len(found) == 6:
            break
    return tuple(found)


def _substituted(text: str, terms: Mapping[str, str]) -> str:
    return re.sub(r"\b[a-z]+\b", lambda match: terms.get(match.group(), match.group()), text)


def _implication(rng: random.Random) -> tuple[Formula, Formula, str]:
    """Premise, goal and a proof that the one implies the other, neither the same nor alone in using its atoms."""
    for premise, goal in _pairs(rng):
        proof = prove(Formula("→", (premise, goal)))
        if proof is not None and premise != goal and set(goal.atoms()) <= set(premise.atoms()) and len(proof) <= 60:
            return premise, goal, proof
    raise AssertionError("the pairs never end")


def _pairs(rng: random.Random) -> Iterator[tuple[Formula, Formula]]:
    while True:
        atoms = ("p", "q", "r")[: rng.choice((2, 2, 3))]
        yield _formula(rng, atoms, rng.choice((1, 2, 2))), _formula(rng, atoms, rng.choice((1, 1, 2)))


def _formula(rng: random.Random, atoms: Sequence[str], size: int) -> Formula:
    if size == 0:
        return Formula(rng.choice(atoms))
    operation = rng.choices("∧∨→¬", (4, 3, 3, 2))[0]
    if operation == "¬":
        return Formula("¬", (_formula(rng, atoms, size - 1),))
    split = rng.randint(0, size - 1)
    return Formula(operation, (_formula(rng, atoms, split), _formula(rng, atoms, size - 1 - split)))


def mutated(rng: random.Random, formula: Formula) -> Formula:
    """The formula with one connective or atom exchanged."""
    if not formula.parts:
        return Formula(rng.choice([name for name in "pqr" if name != formula.op]))
    if len(formula.parts) == 2 and rng.random() < 0.5:
        return Formula(rng.choice([op for op in "∧∨→" if op != formula.op]), formula.parts)
    position = rng.randrange(len(formula.parts))
    parts = list(formula.parts)
    parts[position] = mutated(rng, parts[position])
    return Formula(formula.op, tuple(parts))


def holds(formula: Formula, values: Mapping[str, bool]) -> bool:
    parts = [holds(part, values) for part in formula.parts]
    match formula.op:
        case "∧":
            return parts[0] and parts[1]
        case "∨":
            return parts[0] or parts[1]
        case "→":
            return not parts[0] or parts[1]
        case "↔":
            return parts[0] == parts[1]
        case "¬":
            return not parts[0]
        case "False":
            return False
    return values[formula.op]


def _lifted(formula: Formula, names: Mapping[str, str]) -> str:
    return _substituted(str(formula), names)
