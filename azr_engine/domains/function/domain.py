"""`FunctionDomain`: what a (program, input, output) domain is, with everything derived from `run`.

| kind | shown to the solver | wanted |
|---|---|---|
| deduction | program, input | the output |
| abduction | program, output | an input that gives it |
| induction | input/output pairs, a message | a program that fits them and the pairs held back |
"""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task

N_PAIRS = 6
"""Inputs of an induction task that is drawn from `draw_program`; half of the pairs are shown."""

_GOAL = {
    "deduction": "Someone must work out the output of your program for your input.",
    "abduction": "Someone must find an input for which your program gives the same output.",
    "induction": "Someone must find your program from half of the input/output pairs and your message.",
}
_QUESTION = {
    "deduction": "What is the output of this program for this input?",
    "abduction": "Find an input for which this program gives this output.",
    "induction": "Find a program that gives these outputs for these inputs and fits the message. It is also checked on "
    "further pairs.",
}
_SHOWN = ("program", "input", "output")
"""What of a task the solver is shown, in this order: the names in one that comes back from the store are sorted."""
_TEXTS = {
    "deduction": ("program", "input"),
    "abduction": ("program", "input"),
    "induction": ("program", "inputs", "message"),
}


class FunctionDomain(ABC):
    """A domain whose tasks ask about `output = run(program, input)`, all three of them texts.

    A subclass sets `name`, `propose` and `solve` and defines `run`, `draw_program` and `draw_input`; the rest has
    defaults. It must be constructible without arguments, since worker processes make instances of their own.

    Attributes:
        name: of the domain and of its verifier.
        propose: instruction to the proposer: what programs and inputs are. What the task asks for is added.
        solve: instruction to the solver: what programs mean. The question is added.
        program_form, input_form, output_form: in a few words, what each of the texts looks like.
        probes: inputs on which the behaviour of programs is compared, so that near-duplicates are noticed; inputs
            that a program refuses do no harm.
        max_characters: longest program, input or answer.
    """

    name: str
    propose: str
    solve: str
    program_form: str = "the program"
    input_form: str = "the input"
    output_form: str = "the output"
    probes: tuple[str, ...] = ()
    max_characters: int = 2_000
    kinds: tuple[str, ...] = ("deduction", "abduction", "induction")

    def __init__(self) -> None:
        self.verifier = self.name

    @abstractmethod
    def run(self, program: str, input: str) -> str:
        """The output. Both texts may come from a model: read them as data, never as code of this process.

        Called in a worker without files, network or other processes, under limits on CPU time and memory.

        Raises:
            ValueError: the program or the input means nothing, or the program fails on the input.
        """

    @abstractmethod
    def draw_program(self, rng: random.Random) -> str:
        """A random program, for the first tasks."""

    @abstractmethod
    def draw_input(self, rng: random.Random, program: str) -> str:
        """A random input that `program` accepts."""

    def canonical(self, output: str) -> str:
        """The one spelling of an output; outputs and answers are equal when these texts are.

        Called where `run` is. By default spaces at the ends do not count; `write_literal(read_literal(output))` suits
        outputs that are literals. Raises ValueError for what is no output.
        """
        return output.strip()

    def skeleton(self, program: str) -> str:
        """The program's structure; equal for near-duplicates. By default numbers and quoted texts do not count."""
        return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\"[^\"]*\"", "S", " ".join(program.split())))

    def hint(self, program: str) -> str:
        """The message of an induction task drawn from `draw_program`; by default none."""
        return ""

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless drafts from `draw_program` and `draw_input`, kinds in turn."""
        while True:
            for kind in self.kinds:
                program = self.draw_program(rng)
                if kind == "induction":
                    inputs = [self.draw_input(rng, program) for _ in range(N_PAIRS)]
                    fields: dict[str, Any] = {"program": program, "inputs": inputs, "message": self.hint(program)}
                else:
                    fields = {"program": program, "input": self.draw_input(rng, program)}
                yield Draft(self.name, kind, fields)

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from `program` and `input`, or for induction `program`, `inputs` and `message`; all texts."""
        shown = repr(fields)[:200]
        if kind not in self.kinds:
            return Malformed(f"{self.name} has no kind {kind!r}; its kinds are {', '.join(self.kinds)}", shown)
        if sorted(fields) != sorted(_TEXTS[kind]):
            return Malformed(f"a draft of the kind {kind} has the fields {', '.join(_TEXTS[kind])}", shown)
        for name, value in fields.items():
            texts = value if name == "inputs" else [value]
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                return Malformed(
                    f"draft field {name!r} must be a {'list of texts' if name == 'inputs' else 'text'}", shown
                )
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """`propose`, the kind's goal, and the references' drafts."""
        return Prompt(
            role="propose",
            domain=self.name,
            kind=kind,
            instruction=f"Write a new task unlike the earlier ones. {self.propose} {_GOAL[kind]}",
            references=tuple(self._draft_sections(kind, task.draft) for task in references),
            returns=self._returns(kind),
        )

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft in the proposer's sections, spaces at the ends of each text left out."""
        fields: dict[str, Any] = {name: text.strip() for name, text in sections.items()}
        if kind == "induction" and "inputs" in fields:
            fields["inputs"] = [line.strip() for line in fields["inputs"].split("\n") if line.strip()]
        return self.draft(kind, fields)

    def solve_prompt(self, task: Task) -> Prompt:
        """`solve`, the kind's question, and what is given."""
        given = task.given
        if task.kind == "induction":
            pairs = "\n".join(f"{pair['input']} -> {pair['output']}" for pair in given["pairs"])
            sections: tuple[Section, ...] = (Section("message", str(given["message"])), Section("pairs", pairs))
        else:
            sections = tuple(Section(name, str(given[name])) for name in _SHOWN if name in given)
        wanted = {"deduction": self.output_form, "abduction": self.input_form, "induction": self.program_form}
        returns = (Section("answer", wanted[task.kind]),)
        instruction = f"{self.solve} {_QUESTION[task.kind]}"
        return Prompt("solve", self.name, task.kind, instruction, givens=sections, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text, stripped; empty is malformed."""
        text = sections["answer"].strip()
        return Answer({"answer": text}, sections["answer"]) if text else Malformed("empty answer", sections["answer"])

    def _returns(self, kind: str) -> tuple[Section, ...]:
        program = Section("program", self.program_form)
        if kind != "induction":
            return (program, Section("input", self.input_form))
        inputs = Section("inputs", f"one input per line, at least four; each {self.input_form}")
        return (program, inputs, Section("message", "a short hint that does not give the program away"))

    def _draft_sections(self, kind: str, fields: Mapping[str, Any]) -> tuple[Section, ...]:
        texts = {name: "\n".join(v) if isinstance(v, list | tuple) else str(v) for name, v in fields.items()}
        return tuple(Section(name, texts[name]) for name in _TEXTS[kind])
