"""`PythonDomain`: the prompts and the parsing of the four kinds of Python task.

| kind | shown to the solver | wanted |
|---|---|---|
| deduction | program, input | the value it returns |
| abduction | program, output | an input that gives it |
| induction | input/output pairs, a message | a program that fits them and the pairs held back |
| error | program, input | the exception's type name, or `none` |
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from azr_engine.domains.python import grammar
from azr_engine.domains.python.honeypots import honeypot
from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task

KINDS: tuple[str, ...] = ("deduction", "abduction", "induction", "error")

_TASK = {
    "deduction": "someone must work out what the function returns for that input",
    "abduction": "someone must find an input for which the function returns the same value",
    "induction": "someone must find the function from half of the input/output pairs and your message",
    "error": "someone must say which built-in exception the call raises, or `none`",
}
_PROPOSE = (
    "Write a new Python task unlike the earlier ones: {goal}. The program defines one pure function without side "
    "effects, input/output, randomness or clocks; its arguments and result are Python literals. Aim at a task that "
    "a good programmer solves about half of the time."
)
_SOLVE = {
    "deduction": "What does this function return for this input? Give the value as a Python literal.",
    "abduction": "Find an input for which this function returns this output. Give the argument list as Python "
    "literals, separated by commas.",
    "induction": "Write a Python function that gives these outputs for these inputs and fits the message. It is "
    "also checked on further pairs.",
    "error": "Which built-in exception does this call raise? Give the type's name, or `none`.",
}
_PROGRAM = Section("program", "source of one function")
_INPUT = Section("input", "the argument list as Python literals, such as `[1, 2], 'a'`")
_RETURNS: dict[str, tuple[Section, ...]] = {
    "deduction": (_PROGRAM, _INPUT),
    "abduction": (_PROGRAM, _INPUT),
    "error": (_PROGRAM, _INPUT),
    "induction": (
        _PROGRAM,
        Section("inputs", "one argument list per line, at least four"),
        Section("message", "a short hint that does not give the program away"),
    ),
}
_SHOWN = ("program", "input", "output")
"""What of a task the solver is shown, in this order: the names in one that comes back from the store are sorted."""
_FIELDS: dict[str, dict[str, type]] = {
    kind: {"program": str, "input": str} if kind != "induction" else {"program": str, "inputs": list, "message": str}
    for kind in KINDS
}


class PythonDomain:
    """Pure Python functions; judged by the verifier `python`."""

    name = "python"
    kinds: tuple[str, ...] = KINDS
    verifier = "python"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless drafts from the grammar, kinds in turn."""
        while True:
            for kind in KINDS:
                yield self.seed(rng, kind)

    def seed(self, rng: random.Random, kind: str) -> Draft:
        """One draft of `kind` from the grammar."""
        if kind != "induction":
            sketch = grammar.sample(rng, kind=kind)
            return Draft(self.name, kind, {"program": sketch.program, "input": sketch.inputs[0]})
        sketch = grammar.sample(rng, n_inputs=6)
        fields = {"program": sketch.program, "inputs": list(sketch.inputs), "message": _hint(sketch.program)}
        return Draft(self.name, kind, fields)

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from named fields; extra or missing names and wrong types are malformed."""
        if kind not in _FIELDS:
            return Malformed(f"python has no kind {kind!r}; its kinds are {', '.join(KINDS)}", repr(fields)[:200])
        wanted = _FIELDS[kind]
        for name, kind_of in wanted.items():
            if not isinstance(fields.get(name), kind_of):
                return Malformed(f"draft field {name!r} must be a {kind_of.__name__}", repr(fields)[:200])
        extra = sorted(set(fields) - set(wanted))
        if extra:
            return Malformed(f"draft field {extra[0]!r} is unknown", repr(fields)[:200])
        if any(not isinstance(item, str) for item in fields.get("inputs", ())):
            return Malformed("draft field 'inputs' must hold texts", repr(fields)[:200])
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
        return tuple(Section(part.name, text[part.name]) for part in _RETURNS[kind])

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft in the proposer's sections; the verifier decides whether it is any good."""
        fields: dict[str, Any] = dict(sections)
        if kind == "induction":
            fields["inputs"] = [line for line in sections["inputs"].split("\n") if line.strip()]
        if not fields["program"].lstrip().startswith(("def ", "import ", "from ")):
            return Malformed("the program does not start with a function or an import", fields["program"][:200])
        return self.draft(kind, fields)

    def solve_prompt(self, task: Task) -> Prompt:
        """Show what the solver may know."""
        given = task.given
        if task.kind == "induction":
            pairs = "\n".join(f"{pair['input']}->{pair['output']}" for pair in given["pairs"])
            sections: tuple[Section, ...] = (Section("message", str(given["message"])), Section("pairs", pairs))
        else:
            sections = tuple(Section(name, str(given[name])) for name in _SHOWN if name in given)
        returns = (Section("answer", _ANSWER[task.kind]),)
        return Prompt("solve", self.name, task.kind, _SOLVE[task.kind], givens=sections, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text, stripped; empty is malformed except where an empty argument list is an answer."""
        text = sections["answer"].strip()
        if not text and task.kind != "abduction":
            return Malformed("empty answer", sections["answer"])
        return Answer({"answer": text}, sections["answer"])

    def honeypot(self, task: Task, rng: random.Random) -> Task | None:
        """An impossible task that looks like `task`; None where there is none."""
        return honeypot(task, rng)


_ANSWER = {
    "deduction": "one Python literal",
    "abduction": "the argument list as Python literals",
    "induction": "the source of one function",
    "error": "an exception's type name, or none",
}


def _hint(program: str) -> str:
    """A word or two on what the program touches, too little to rebuild it from."""
    words: Iterable[str] = (
        word
        for word, mark in [
            ("loop", "for i in x:"),
            ("range", "range("),
            ("each", " for i in "),
            ("if", "if "),
            ("sort", "sorted("),
            ("reverse", "[::-1]"),
            ("sum", "sum("),
            ("len", "len("),
            ("max", "max("),
            ("min", "min("),
            ("mod", "%"),
            ("times", "*"),
        ]
        if mark in program
    )
    return " ".join(list(words)[:2])


def create() -> PythonDomain:
    """The domain, as the plugin registers it."""
    return PythonDomain()
