"""`MathDomain`: the prompts and the parsing of the four kinds of math task.

| kind | shown to the solver | wanted |
|---|---|---|
| deduction | operation, expression, arguments | the result |
| abduction | operation, result, arguments | an expression that the operation takes to that result |
| induction | input/result pairs, a message | the operation, with its arguments |
| induction of a sequence | the first terms, a message | a formula in n |
| error | operation, expression, arguments | `none`, `undefined`, `no-solution` or `divergent` |
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from azr_engine.domains.math import grammar, wide
from azr_engine.domains.math.honeypots import honeypot
from azr_engine.domains.math.templates import operations_text, question
from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task

KINDS: tuple[str, ...] = ("deduction", "abduction", "induction", "error")
WIDE_SHARE = 0.6
"""Of wide seeds, the share from operations that the small grammar lacks."""

_PROPOSE = (
    "Write a new mathematics task unlike the earlier ones: {goal}. Name an operation, an expression for it and the "
    "operation's arguments, if any. Aim at a task that a good student solves about half of the time.\n"
    "The operations, with their arguments (those in brackets may be left out): {operations}. Expressions are written "
    "in x, or in another letter with the argument variable; terms is written in n, recurrence in p = a(n-1), "
    "q = a(n-2) and n."
)
_TASK = {
    "deduction": "someone must carry out the operation",
    "abduction": "someone must find an expression that the operation takes to the same result",
    "induction": "someone must find the operation and its arguments from half of the pairs and your message, or, for "
    "terms and recurrence, a formula in n from the first terms and your message",
    "error": "someone must say whether the operation has a result",
}
_SOLVE = {
    "deduction": "{question} Give the result as an expression, or a list of all solutions.",
    "abduction": "{question} Any that does will be accepted, but not a copy of what is given.",
    "induction": "Which operation, with which arguments, takes each of these expressions to its result? "
    "It is also checked on further pairs.",
    "error": "Does this have a result in real numbers? {question} Answer none (nothing is wrong), undefined, "
    "no-solution or divergent.",
}
_SOLVE_SEQUENCE = (
    "These are the first terms a(0), a(1), a(2), ... of a sequence. Find a formula for a(n) in n. "
    "It is also checked on further terms."
)
_OPERATION = Section("operation", "the operation's name")
_ARGUMENTS = Section("arguments", "name=value, separated by spaces; may be empty")
_ONE = (_OPERATION, Section("expression", "an expression or equation in x"), _ARGUMENTS)
_RETURNS: dict[str, tuple[Section, ...]] = {
    "deduction": _ONE,
    "abduction": _ONE,
    "error": _ONE,
    "induction": (
        _OPERATION,
        Section("expressions", "one expression per line, at least four; for terms and recurrence exactly one"),
        _ARGUMENTS,
        Section("message", "a short hint that does not name the operation"),
    ),
}
_ANSWER = {
    "deduction": "an expression or a list of solutions",
    "abduction": "an expression",
    "induction": "the operation's name, then its arguments as name=value",
    "error": "none, undefined, no-solution or divergent",
}


class MathDomain:
    """Operations on expressions in one unknown; judged by the verifier `math`."""

    name = "math"
    kinds: tuple[str, ...] = KINDS
    verifier = "math"

    def __init__(self, seeds: Literal["small", "wide"] = "small") -> None:
        self._seeds = seeds

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless drafts from the grammar, kinds in turn."""
        while True:
            for kind in KINDS:
                yield self.seed(rng, kind)

    def seed(self, rng: random.Random, kind: str) -> Draft:
        """One draft of `kind` from the grammar."""
        wide_now = self._seeds == "wide" and rng.random() < WIDE_SHARE
        sample = wide.sample if wide_now else grammar.sample
        sketch = sample(rng, kind=kind, n_expressions=4 if kind == "induction" else 1)
        fields: dict[str, Any]
        if kind != "induction":
            fields = {"operation": sketch.operation, "expression": sketch.expressions[0]}
        else:
            fields = {"operation": sketch.operation, "expressions": list(sketch.expressions), "message": ""}
        if sketch.arguments:
            fields["arguments"] = dict(sketch.arguments)
        return Draft(self.name, kind, fields)

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from named fields; missing or unknown names and wrong types are malformed."""
        raw = repr(fields)[:200]
        if kind not in KINDS:
            return Malformed(f"math has no kind {kind!r}; its kinds are {', '.join(KINDS)}", raw)
        wanted: dict[str, type] = {"operation": str, "expression": str, "variable": str, "arguments": dict}
        if kind == "induction":
            del wanted["expression"]
            wanted |= {"expressions": list, "message": str}
        optional = {"variable", "arguments", "message"}
        for name, kind_of in wanted.items():
            if name in optional and name not in fields:
                continue
            if not isinstance(fields.get(name), kind_of):
                return Malformed(f"draft field {name!r} must be a {kind_of.__name__}", raw)
        extra = sorted(set(fields) - set(wanted))
        if extra:
            return Malformed(f"draft field {extra[0]!r} is unknown", raw)
        if any(not isinstance(item, str) for item in fields.get("expressions", ())):
            return Malformed("draft field 'expressions' must hold texts", raw)
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Show the references' drafts and ask for a new one."""
        return Prompt(
            role="propose",
            domain=self.name,
            kind=kind,
            instruction=_PROPOSE.format(goal=_TASK[kind], operations=operations_text()),
            references=tuple(self.draft_sections(kind, task.draft) for task in references),
            returns=_RETURNS[kind],
        )

    def draft_sections(self, kind: str, fields: Mapping[str, Any]) -> tuple[Section, ...]:
        """A draft's fields as the sections that the proposer writes."""
        text = {
            "operation": str(fields["operation"]),
            "expression": str(fields.get("expression", "")),
            "expressions": "\n".join(fields.get("expressions", ())),
            "arguments": arguments_text(fields),
            "message": str(fields.get("message", "")),
        }
        return tuple(Section(part.name, text[part.name]) for part in _RETURNS[kind])

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft in the proposer's sections; the verifier decides whether it is any good."""
        fields: dict[str, Any] = {"operation": sections["operation"].strip()}
        if not re.fullmatch(r"[a-z_]{1,40}", fields["operation"]):
            return Malformed("the operation is no name", sections["operation"][:200])
        if kind == "induction":
            fields["expressions"] = [line.strip() for line in sections["expressions"].split("\n") if line.strip()]
            fields["message"] = sections["message"].strip()
        else:
            fields["expression"] = sections["expression"].strip()
        arguments = parse_arguments(sections["arguments"])
        if arguments is None:
            return Malformed("arguments are not of the form name=value", sections["arguments"][:200])
        if "variable" in arguments:
            fields["variable"] = arguments.pop("variable")
        if arguments:
            fields["arguments"] = arguments
        return self.draft(kind, fields)

    def solve_prompt(self, task: Task) -> Prompt:
        """Show what the solver may know; empty givens are left out."""
        given = task.given
        sections: list[Section] = []
        instruction, wanted = _SOLVE[task.kind], _ANSWER[task.kind]
        if task.kind == "induction":
            if given.get("message"):
                sections.append(Section("message", str(given["message"])))
            if "terms" in given:
                instruction, wanted = _SOLVE_SEQUENCE, "a formula in n"
                sections.append(Section("terms", ",".join(given["terms"])))
            else:
                pairs = (f"{pair['input']}->{pair['output']}" for pair in given["pairs"])
                sections.append(Section("pairs", "\n".join(pairs)))
        else:
            instruction = instruction.format(question=question(given))
            sections = [
                Section(name, str(given[name])) for name in ("operation", "expression", "result") if name in given
            ]
            if arguments := arguments_text(given):
                sections.append(Section("arguments", arguments))
        returns = (Section("answer", wanted),)
        return Prompt("solve", self.name, task.kind, instruction, givens=tuple(sections), returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text, stripped; empty is malformed."""
        text = sections["answer"].strip()
        return Answer({"answer": text}, sections["answer"]) if text else Malformed("empty answer", sections["answer"])

    def honeypot(self, task: Task, rng: random.Random) -> Task | None:
        """An impossible task that looks like `task`; None where there is none."""
        return honeypot(task, rng)


def arguments_text(fields: Mapping[str, Any]) -> str:
    """`arguments`, sorted, and `variable` (unless it is x) as `name=value name=value`."""
    pairs = dict(sorted((fields.get("arguments") or {}).items()))
    variable = fields.get("variable", "x")
    if variable != "x":
        pairs["variable"] = variable
    return " ".join(f"{name}={value}" for name, value in pairs.items())


def parse_arguments(text: str) -> dict[str, str] | None:
    """The inverse of `arguments_text`; None when a piece is not `name=value`."""
    pairs: dict[str, str] = {}
    for piece in text.split():
        name, equals, value = piece.partition("=")
        if not equals or not re.fullmatch(r"[a-z_]{1,20}", name) or not value or name in pairs:
            return None
        pairs[name] = value
    return pairs


def create() -> MathDomain:
    """The domain, as the plugin registers it."""
    return MathDomain()
