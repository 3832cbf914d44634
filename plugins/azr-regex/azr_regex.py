"""Regular expressions: a program is a pattern, its input a text, its output the list of what it finds there.

Patterns run in Python's own matcher, which can take for ever; the worker's CPU limit ends that as a timeout.
"""

from __future__ import annotations

import random
import re
import warnings
from typing import TYPE_CHECKING

from azr_engine.domains.function import FunctionDomain, FunctionVerifier, read_literal, write_literal
from azr_engine.plugins import hookimpl

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig

LETTERS = "abc12 "
ATOMS = ("a", "b", "c", "1", ".", r"\d", r"\w", "[ab]", "[^a]", "[a-c]", "(?:ab|c)", "(?:a|1)", r"\b")
TIMES = ("", "", "", "+", "*", "?", "{2}")


class Regex(FunctionDomain):
    name = "regex"
    propose = "Write a regular expression in Python's syntax, and a text that it finds something in."
    solve = "The output is the list of all non-overlapping matches of the pattern in the text, from left to right."
    program_form = "a regular expression"
    input_form = "a text of lower-case letters, digits, spaces and the signs . _ -"
    output_form = "a Python list of texts"
    probes = ("abc cab 12", "aab1 b2c", "cc-ab_a1", "1.2")
    max_characters = 200

    def run(self, program: str, input: str) -> str:
        if not re.fullmatch(r"[a-z0-9 ._-]+", input):
            raise ValueError(f"the text must be {self.input_form}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(program)
        found = [match.group() for match in pattern.finditer(input)]
        if not found:
            raise ValueError("the pattern finds nothing")  # too many patterns would be right otherwise
        return write_literal(found)

    def canonical(self, output: str) -> str:
        return write_literal(read_literal(output))

    def skeleton(self, program: str) -> str:
        return re.sub(r"(?<!\\)[a-z]", "x", re.sub(r"\d+", "N", program))

    def draw_program(self, rng: random.Random) -> str:
        while True:
            atoms = [rng.choice(ATOMS) for _ in range(rng.randint(2, 4))]
            pattern = "".join(atom + (rng.choice(TIMES) if atom != r"\b" else "") for atom in atoms)
            if not re.fullmatch(pattern, "") and all(
                re.search(pattern, self.draw_input(rng, pattern)) for _ in range(6)
            ):
                return pattern

    def draw_input(self, rng: random.Random, program: str) -> str:
        texts = ["".join(rng.choices(LETTERS, k=rng.randint(6, 12))).strip() or "a" for _ in range(20)]
        found = (text for text in texts if re.search(program, text))
        return next(found, texts[0])


@hookimpl
def azr_domains(config: RunConfig) -> list[Regex]:
    return [Regex()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[FunctionVerifier]:
    return [FunctionVerifier(Regex(), workers=config.sandbox.workers)]
