"""The probe for vestigial reasoning, on policies whose use of their reasoning is known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Rendered
from azr_engine.engine.sampling import Sampling
from azr_engine.engine.solving import Solver
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Completion, Draft, Task
from azr_engine.evaluation.reasoning import probe_reasoning, reasoning_of
from tests.toys import ToyDomain, ToyVerifier

Think = Callable[[str, str], str]


class Thinker:
    """Reads the number in the question; its answer is a function of that and of the reasoning it finds."""

    weight_version = 0
    context_tokens = 10**6

    def __init__(self, answer: Think, reasons: bool = True) -> None:
        self._answer = answer
        self._reasons = reasons

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        text = rendered if isinstance(rendered, str) else "\n".join(message["content"] for message in rendered)
        return tuple(map(ord, text))

    def generate(
        self, prompts: Sequence[Sequence[int]], *, n_samples: int, max_new_tokens: int, temperature: float, seed: int
    ) -> list[list[Completion]]:
        assert temperature == 0.0 and n_samples == 1
        return [[self._write("".join(map(chr, prompt)))] for prompt in prompts]

    def _write(self, text: str) -> Completion:
        number = re.findall(r"### Number\n\D*(\d+)", text)[-1]
        end = "</think>\n<answer>"
        if text.endswith(end):
            wrote = f"{self._answer(number, text.removesuffix(end).rpartition('<think>')[2])}</answer>"
        else:
            own = f"Twice {number} in words is {2 * int(number)}"
            head = f"<think>{own}</think>\n" if self._reasons else ""
            wrote = f"{head}<answer>{self._answer(number, own)}</answer>"
        return Completion((1,), (2,), (-0.5,), wrote, "stop", 0)


def read_it(number: str, reasoning: str) -> str:
    """The answer that the reasoning ends with; nothing sensible without."""
    return reasoning.split()[-1] if reasoning and reasoning.split()[-1].isdigit() else "none"


def know_it(number: str, reasoning: str) -> str:
    """The answer, whatever the reasoning says."""
    return str(2 * int(number))


def probed(policy: Thinker, style: str = "chat") -> dict[str, Any]:
    domain, verifier = ToyDomain(), ToyVerifier()
    drafts = [Draft("toy", "double", {"number": str(n)}) for n in range(10, 22)]
    tasks = [task for task in asyncio.run(verifier.admit(drafts)) if isinstance(task, Task)]
    sampling = Sampling(propose_tokens=9, solve_tokens=9, temperature=1.0, n_attempts=4, n_references=0)
    chosen = STYLES[style]
    solver = Solver({"toy": domain}, {"toy": verifier}, policy, chosen, sampling, lambda name, data: None)
    return asyncio.run(probe_reasoning(policy, chosen, solver, {"toy": domain}, tasks, answer_tokens=9, seed=0))


def test_reasoning_that_is_used_is_told_from_reasoning_for_show() -> None:
    used, show = probed(Thinker(read_it)), probed(Thinker(know_it))
    assert used["reasoned"] == show["reasoned"] == used["tasks"] == 12
    assert used["accuracy"] == show["accuracy"] == 1.0 and used["words"] == 6
    assert {name: found["same"] for name, found in used["changes"].items()} == {
        "kept": 1.0, "removed": 0.0, "truncated": 0.0, "swapped": 0.0,
    }  # fmt: skip
    assert {found["same"] for found in show["changes"].values()} == {1.0}
    assert used["changes"]["swapped"]["accuracy"] == 0.0 and show["changes"]["swapped"]["accuracy"] == 1.0


def test_answers_without_reasoning_are_left_out() -> None:
    found = probed(Thinker(know_it, reasons=False))
    assert found["reasoned"] == 0 and found["changes"] == {} and found["accuracy"] is None


def test_a_style_without_reasoning_is_refused() -> None:
    with pytest.raises(UserError, match="style 'compact' has no reasoning"):
        probed(Thinker(know_it), "compact")


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [("<think> a b </think>c", "a b"), ("<think>a", ""), ("a</think>", ""), ("<think></think>x", ""), ("", "")],
)
def test_what_counts_as_reasoning(text: str, reasoning: str) -> None:
    assert reasoning_of(text) == reasoning
