"""`HumanEvalDomain`: what a problem looks like to the solver, and an answer as the program it stands for."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task
from azr_engine.evaluation.humaneval.problems import KIND, NAME
from azr_engine.verifiers.python.source import parse_module

_SOLVE = "Complete this Python function so that it does what its docstring says."
_ANSWER = "the source of the whole function, with the imports and helpers that it needs"


class HumanEvalDomain:
    """The domain `humaneval`; judged by the verifier `humaneval`. Nothing in it can be proposed."""

    name = NAME
    kinds: tuple[str, ...] = (KIND,)
    verifier = NAME
    solver_only = True

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """None: the problems are for evaluation alone."""
        return iter(())

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """Malformed, whatever it is."""
        return Malformed(f"the problems of {NAME} are fixed", repr(fields)[:200])

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Asks for nothing."""
        return Prompt("propose", self.name, kind, "Nothing can be proposed here.")

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """Malformed, whatever it is."""
        return self.draft(kind, sections)

    def solve_prompt(self, task: Task) -> Prompt:
        """The unfinished program."""
        givens = (Section("program", str(task.given["program"])),)
        return Prompt("solve", self.name, task.kind, _SOLVE, givens=givens, returns=(Section("answer", _ANSWER),))

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The whole program: what is given, then the answer, which may define the function anew or go on in its body.

        A body whose first line lost its indentation gets it back. Nothing is executed.
        """
        raw = sections["answer"]
        text, given, name = raw.rstrip(), str(task.given["program"]), str(task.given["function"])
        if not text.strip():
            return Malformed("empty answer", raw)
        if _defines(text, name):
            return Answer({"program": f"{given.rstrip()}\n\n\n{text}\n"}, raw)
        for body in (text, f"    {text}"):
            if _parses(given + body):
                return Answer({"program": f"{given}{body}\n"}, raw)
        return Malformed("no Python", raw)


def _defines(text: str, name: str) -> bool:
    try:
        return any(isinstance(part, ast.FunctionDef) and part.name == name for part in parse_module(text).body)
    except ValueError:
        return False


def _parses(text: str) -> bool:
    try:
        parse_module(text)
    except ValueError:
        return False
    return True
