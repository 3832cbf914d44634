"""A grammar of propositional theorems with proofs, as texts, for seeds and for the embedded model's first lessons.

Random propositions are mostly false, so a statement is drawn as premises and a goal over the same few atoms, and kept
when the prover next door proves it by a term that is more than one of its hypotheses.
"""

from __future__ import annotations

import random
import re

from azr_engine.domains.lean.prover import FALSE, Formula, prove

ATOMS = ("p", "q", "r")
MAX_STATEMENT, MAX_PROOF = 64, 72


def sample(rng: random.Random) -> tuple[str, str]:
    """A true statement with binders, such as `(p q : Prop) : p ∧ q → q ∧ p`, and a term that proves it."""
    formula, proof = theorem(rng)
    return statement_text(formula), proof


def theorem(rng: random.Random) -> tuple[Formula, str]:
    """A true proposition and a term that proves it, both short."""
    while True:
        formula = ordered(_proposition(rng))
        if repeats(formula):
            continue
        proof = prove(formula)
        if proof is None or len(proof) > MAX_PROOF or (rng.random() < _dull(proof)):
            continue
        if len(statement_text(formula)) <= MAX_STATEMENT:
            return formula, proof


def statement_text(formula: Formula) -> str:
    """`formula` behind binders for its atoms."""
    return f"({' '.join(dict.fromkeys(formula.atoms()))} : Prop) : {formula}"


def ordered(formula: Formula) -> Formula:
    """Atoms renamed to p, q, r in the order of their first occurrence, so that no statement comes in six spellings."""
    names = dict.fromkeys(formula.atoms())
    return formula.rename(dict(zip(names, ATOMS, strict=False)))


def repeats(formula: Formula) -> bool:
    """Whether some connective joins a proposition with itself."""
    return (len(formula.parts) == 2 and formula.parts[0] == formula.parts[1]) or any(map(repeats, formula.parts))


def _dull(proof: str) -> float:
    """How likely a theorem is to be thrown back: always when a bare hypothesis proves it, mostly when one is unused."""
    names, arrow, body = proof.removeprefix("fun ").partition(" => ")
    if not arrow or not proof.startswith("fun "):
        return 0.0
    if body.isalnum():
        return 1.0
    return 0.8 if any(not re.search(rf"\b{name}\b", body) for name in names.split()) else 0.0


def _proposition(rng: random.Random) -> Formula:
    atoms = ATOMS[: rng.choice([1, 2, 2, 3])]
    form = rng.random()
    if form < 0.12:
        return Formula("↔", (_small(rng, atoms, 2), _small(rng, atoms, 2)))
    goal = _small(rng, atoms, rng.choice([0, 1, 1, 2]))
    for _ in range(rng.choice([1, 1, 2, 2, 3])):
        goal = Formula("→", (_small(rng, atoms, rng.choice([0, 1, 1, 2])), goal))
    return goal


def _small(rng: random.Random, atoms: tuple[str, ...], size: int) -> Formula:
    """A proposition with at most `size` connectives."""
    if size == 0:
        return FALSE if rng.random() < 0.04 else Formula(rng.choice(atoms))
    op = rng.choices("∧∨→¬↔", (4, 3, 3, 2.5, 0.6))[0]
    if op == "¬":
        return Formula(op, (_small(rng, atoms, size - 1),))
    left = rng.randint(0, size - 1)
    return Formula(op, (_small(rng, atoms, left), _small(rng, atoms, size - 1 - left)))
