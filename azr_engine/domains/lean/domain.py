"""`LeanDomain`: the prompts and the parsing of the three kinds of Lean task.

| kind | shown to the solver | wanted |
|---|---|---|
| prove | a statement | a proof of it |
| repair | two statements, one true, one false | which, with a proof of it or of the other's negation |
| induct | instances | a general lemma that proves all of them, with its proof |
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.domains.lean import seeds
from azr_engine.domains.lean.honeypots import honeypot
from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task

KINDS: tuple[str, ...] = ("prove", "repair", "induct")

_PROPOSE = (
    "Write a new Lean 4 task unlike the earlier ones: {goal}. Statements are written as binders, a colon and a type, "
    "such as `(p q : Prop) : p ∧ q → q ∧ p`; a proof is a term or a `by` block. Aim at a task that a good student "
    "solves about half of the time; what a single tactic proves is refused."
)
_TASK = {
    "prove": "a true statement that someone must prove, with your own proof of it",
    "repair": "a true statement and a false one that looks much like it, with the same binders; someone must find out "
    "which is which and prove it. Give a proof of the true one, and a proof of the negation of the false one",
    "induct": "a general lemma with its proof, and instances of it, at least four; someone must find a lemma that "
    "proves all of them by `apply`, from half of the instances",
}
_SOLVE = {
    "prove": "Prove this statement in Lean 4. Give a term or a `by` block, which goes behind `:=`.",
    "repair": "One of these two Lean 4 statements holds, the other does not. Answer with `1` or `2` and a proof of "
    "that statement, or with `not 1` or `not 2` and a proof of its negation, `¬ (∀ binders, type)`.",
    "induct": "Find one Lean 4 lemma from which each of these follows by `apply`, and prove it. Write it as binders, a "
    "colon, a type, `:=` and a proof. It is also checked on further instances.",
}
_STATEMENT = Section("statement", "binders : type")
_PROOF = Section("proof", "a term or a `by` block")
_RETURNS: dict[str, tuple[Section, ...]] = {
    "prove": (_STATEMENT, _PROOF),
    "repair": (
        _STATEMENT,
        _PROOF,
        Section("rival", "a false statement, binders : type"),
        Section("refutation", "a proof of its negation"),
    ),
    "induct": (_STATEMENT, _PROOF, Section("instances", "one statement per line, at least four")),
}
_ANSWER = {
    "prove": "a term or a `by` block",
    "repair": "1, 2, not 1 or not 2, then a proof",
    "induct": "binders : type := proof",
}


class LeanDomain:
    """Statements of Lean 4; judged by the verifier `lean`."""

    name = "lean"
    kinds: tuple[str, ...] = KINDS
    verifier = "lean"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless drafts from the grammars, kinds in turn."""
        while True:
            for kind in KINDS:
                yield self.seed(rng, kind)

    def seed(self, rng: random.Random, kind: str) -> Draft:
        """One draft of `kind` from the grammars."""
        return Draft(self.name, kind, seeds.sample(rng, kind))

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from named fields; unknown names and wrong types are malformed. `prove` may come without a proof."""
        raw = repr(fields)[:200]
        if kind not in KINDS:
            return Malformed(f"lean has no kind {kind!r}; its kinds are {', '.join(KINDS)}", raw)
        names = [section.name for section in _RETURNS[kind]]
        extra = sorted(set(fields) - set(names))
        if extra:
            return Malformed(f"draft field {extra[0]!r} is unknown", raw)
        for name in names:
            if name == "instances":
                texts = fields.get(name)
                if not isinstance(texts, list | tuple) or any(not isinstance(text, str) for text in texts):
                    return Malformed("draft field 'instances' must be a list of texts", raw)
            elif not isinstance(fields.get(name, "" if (kind, name) == ("prove", "proof") else None), str):
                return Malformed(f"draft field {name!r} must be a text", raw)
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Show the references' drafts and ask for a new one."""
        return Prompt(
            role="propose",
            domain=self.name,
            kind=kind,
            instruction=_PROPOSE.format(goal=_TASK[kind]),
            references=tuple(self.draft_sections(kind, task.draft) for task in references),
            returns=_RETURNS[kind],
        )

    def draft_sections(self, kind: str, fields: Mapping[str, Any]) -> tuple[Section, ...]:
        """A draft's fields as the sections that the proposer writes."""
        text = {name: "\n".join(v) if isinstance(v, list | tuple) else str(v) for name, v in fields.items()}
        return tuple(Section(part.name, text.get(part.name, "")) for part in _RETURNS[kind])

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft in the proposer's sections; the verifier decides whether it is any good."""
        fields: dict[str, Any] = {name: text.strip() for name, text in sections.items()}
        if kind == "induct":
            fields["instances"] = [line.strip() for line in sections["instances"].split("\n") if line.strip()]
        return self.draft(kind, fields)

    def solve_prompt(self, task: Task) -> Prompt:
        """Show what the solver may know."""
        given = task.given
        if task.kind == "induct":
            givens: tuple[Section, ...] = (Section("instances", "\n".join(given["instances"])),)
        else:
            names = ("statement",) if task.kind == "prove" else ("first", "second")
            givens = tuple(Section(name, str(given[name])) for name in names)
        returns = (Section("answer", _ANSWER[task.kind]),)
        return Prompt("solve", self.name, task.kind, _SOLVE[task.kind], givens=givens, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text; empty is malformed."""
        text = sections["answer"].strip("\n").rstrip()
        return Answer({"answer": text}, sections["answer"]) if text.strip() else Malformed("empty answer", text)

    def honeypot(self, task: Task, rng: random.Random) -> Task | None:
        """An impossible task that looks like `task`; None where there is none."""
        return honeypot(task, rng)

    def known_answers(self, task: Task) -> list[tuple[str, bool]]:
        """For the conformance kit: what the draft's own proof amounts to as an answer."""
        gold = task.gold
        match task.kind:
            case "repair":
                wrong = 3 - gold["holds"]
                return [(f"{gold['holds']} {gold['proof']}", True), (f"{wrong} {gold['proof']}", False)]
            case "induct":
                return [(f"{gold['statement']} := {gold['proof']}", True), (f"True := {gold['proof']}", False)]
        return [(gold["proof"], True)]
