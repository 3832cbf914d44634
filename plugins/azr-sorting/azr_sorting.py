"""Rearranging lists: a program is a list of swaps such as `0-1 1<2`, its output what they make of the input."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from azr_engine.domains.function import FunctionDomain, FunctionVerifier, read_literal, write_literal
from azr_engine.plugins import hookimpl

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig

PLACES = 4


class Sorting(FunctionDomain):
    name = "sorting"
    propose = "Write swaps such as `0-1 1<3`, and a list of four whole numbers."
    solve = "The step a-b swaps the items at places a and b of a list, a<b only if the first is larger."
    program_form = "steps separated by spaces, such as 0-1 1<3"
    input_form = output_form = "a list of four whole numbers"
    probes = ("[4, 3, 2, 1]", "[2, 4, 1, 3]", "[3, 1, 4, 2]")

    def run(self, program: str, input: str) -> str:
        items = read_literal(input)
        if not isinstance(items, list) or len(items) != PLACES or any(type(item) is not int for item in items):
            raise ValueError("the input must be a list of four whole numbers")
        for step in program.split():
            if not re.fullmatch("[0-3][-<][0-3]", step):
                raise ValueError(f"{step} is no step")
            a, b = int(step[0]), int(step[2])
            if step[1] == "-" or items[a] > items[b]:
                items[a], items[b] = items[b], items[a]
        return write_literal(items)

    def canonical(self, output: str) -> str:
        return write_literal(read_literal(output))

    def skeleton(self, program: str) -> str:
        return " ".join(program.split())  # places are all that programs differ by

    def draw_program(self, rng: random.Random) -> str:
        steps = (rng.choice("-<").join(map(str, rng.sample(range(PLACES), 2))) for _ in range(rng.randint(2, 4)))
        return " ".join(steps)

    def draw_input(self, rng: random.Random, program: str) -> str:
        return write_literal([rng.randint(0, 9) for _ in range(PLACES)])


@hookimpl
def azr_domains(config: RunConfig) -> list[Sorting]:
    return [Sorting()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[FunctionVerifier]:
    return [FunctionVerifier(Sorting(), workers=config.sandbox.workers)]
