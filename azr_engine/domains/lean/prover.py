"""A small goal-directed prover for intuitionistic propositional logic that writes Lean terms.

Search is the usual uniform proof search (introduce what the goal's connective allows, take hypotheses apart, then
chain backwards over implications), bounded in depth, so it is sound but not complete: it serves seeds and lessons,
and Lean's kernel has the last word on every proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Formula:
    """A proposition: an atom (`op` is its name, no parts), `False`, or a connective with one (`¬`) or two parts."""

    op: str
    parts: tuple[Formula, ...] = ()

    def __str__(self) -> str:
        return _text(self, 0)

    def atoms(self) -> Iterator[str]:
        """Names of atoms from left to right, repeated as they occur."""
        if self.parts:
            for part in self.parts:
                yield from part.atoms()
        elif self.op != "False":
            yield self.op

    def rename(self, names: dict[str, str]) -> Formula:
        """The same proposition over other atoms."""
        if not self.parts:
            return Formula(names.get(self.op, self.op))
        return Formula(self.op, tuple(part.rename(names) for part in self.parts))


FALSE = Formula("False")
_LEVEL = {"↔": 20, "→": 25, "∨": 30, "∧": 35, "¬": 40}
"""Lean's binding strengths; all but `↔` associate to the right."""


def _text(formula: Formula, level: int) -> str:
    if not formula.parts:
        return formula.op
    own = _LEVEL[formula.op]
    if formula.op == "¬":
        text = f"¬{_text(formula.parts[0], own)}"
    else:
        left, right = formula.parts
        text = f"{_text(left, own + 1)} {formula.op} {_text(right, own + (formula.op == '↔'))}"
    return f"({text})" if own < level else text


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A term that is at hand, and what it proves."""

    term: str
    proves: Formula


_NAMES = "abcdefgh"
MAX_DEPTH = 9


def prove(goal: Formula, *, max_depth: int = MAX_DEPTH) -> str | None:
    """A Lean term that proves `goal`, or None when the bounded search finds none."""
    return _Search(max_depth).prove((), goal, 0, frozenset())


class _Search:
    """Depth counts backward-chaining steps; `path` holds the goals under way, so that no branch asks twice."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self._budget = 400

    def prove(self, known: tuple[Hypothesis, ...], goal: Formula, n_names: int, path: frozenset[object]) -> str | None:
        self._budget -= 1
        if self._budget < 0 or n_names >= len(_NAMES):
            return None
        for hypothesis in known:
            if hypothesis.proves == goal:
                return hypothesis.term
        if goal.op in ("→", "¬"):
            premise, rest = (*goal.parts, FALSE)[:2]
            name = _NAMES[n_names]
            body = self.prove(_taken_apart(known, Hypothesis(name, premise)), rest, n_names + 1, path)
            return None if body is None else _function(name, body)
        if goal.op in ("∧", "↔"):
            return self._pair(known, goal, n_names, path)
        return self._eliminate(known, goal, n_names, path)

    def _pair(self, known: tuple[Hypothesis, ...], goal: Formula, n_names: int, path: frozenset[object]) -> str | None:
        left, right = goal.parts
        if goal.op == "↔":
            left, right = Formula("→", (left, right)), Formula("→", (right, left))
        first = self.prove(known, left, n_names, path)
        second = None if first is None else self.prove(known, right, n_names, path)
        return None if second is None else f"⟨{first}, {second}⟩"

    def _eliminate(
        self, known: tuple[Hypothesis, ...], goal: Formula, n_names: int, path: frozenset[object]
    ) -> str | None:
        for index, hypothesis in enumerate(known):
            if hypothesis.proves == FALSE:
                return f"{_argument(hypothesis.term)}.elim"
            if hypothesis.proves.op == "∨":
                rest = known[:index] + known[index + 1 :]
                return self._cases(rest, hypothesis, goal, n_names, path)
        situation = (goal, frozenset(h.proves for h in known))
        if situation in path or len(path) >= self._max_depth:
            return None
        path |= {situation}
        if goal.op == "∨":
            for side, part in zip(("inl", "inr"), goal.parts, strict=True):
                proof = self.prove(known, part, n_names, path)
                if proof is not None:
                    return f"Or.{side} {_argument(proof)}"
        for hypothesis in known:
            term = self._chain(known, hypothesis, goal, n_names, path)
            if term is not None:
                return term
        return None

    def _cases(
        self,
        known: tuple[Hypothesis, ...],
        either: Hypothesis,
        goal: Formula,
        n_names: int,
        path: frozenset[object],
    ) -> str | None:
        branches = []
        for part in either.proves.parts:
            name = _NAMES[n_names]
            body = self.prove(_taken_apart(known, Hypothesis(name, part)), goal, n_names + 1, path)
            if body is None:
                return None
            branches.append(f"({_function(name, body)})")
        return f"{_argument(either.term)}.elim {branches[0]} {branches[1]}"

    def _chain(
        self,
        known: tuple[Hypothesis, ...],
        hypothesis: Hypothesis,
        goal: Formula,
        n_names: int,
        path: frozenset[object],
    ) -> str | None:
        """Use an implication whose conclusion helps: it is the goal, or holds a conjunction, disjunction or False."""
        proves, premises = hypothesis.proves, []
        while proves.op in ("→", "¬"):
            premise, proves = (*proves.parts, FALSE)[:2]
            premises.append(premise)
            if proves == goal:
                break
        if not premises or (proves != goal and not proves.parts and proves != FALSE):
            return None
        term = hypothesis.term
        for premise in premises:
            proof = self.prove(known, premise, n_names, path)
            if proof is None:
                return None
            term = f"{term} {_argument(proof)}"
        if proves == goal:
            return term
        if proves == FALSE:
            return f"({term}).elim"
        if any(other.proves == proves for other in known):
            return None
        rest = tuple(other for other in known if other != hypothesis)
        return self.prove(_taken_apart(rest, Hypothesis(f"({term})", proves)), goal, n_names, path)


def _taken_apart(known: tuple[Hypothesis, ...], new: Hypothesis) -> tuple[Hypothesis, ...]:
    """`known` with `new`, whose conjunctions and equivalences are split into their halves."""
    if new.proves.op == "∧":
        left, right = (Hypothesis(f"{new.term}.{i}", part) for i, part in enumerate(new.proves.parts, 1))
        return _taken_apart(_taken_apart((*known, new), left), right)
    if new.proves.op == "↔":
        one, two = new.proves.parts
        return (
            *known,
            new,
            Hypothesis(f"{new.term}.1", Formula("→", (one, two))),
            Hypothesis(f"{new.term}.2", Formula("→", (two, one))),
        )
    return (*known, new)


def _function(name: str, body: str) -> str:
    return f"fun {name} {body[4:]}" if body.startswith("fun ") else f"fun {name} => {body}"


def _argument(term: str) -> str:
    """`term` as a function's argument: in parentheses unless it is one piece."""
    simple = term.startswith(("⟨", "(")) and _closed(term.removesuffix(".elim"))
    return term if simple or term.replace(".", "").isalnum() else f"({term})"


def _closed(term: str) -> bool:
    """Whether the first bracket closes at the very end."""
    depth = 0
    for position, character in enumerate(term):
        depth += (character in "(⟨") - (character in ")⟩")
        if depth == 0:
            return position == len(term) - 1
    return False
