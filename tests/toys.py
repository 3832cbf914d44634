"""A toy domain, verifiers that misbehave on demand, and a policy that recites: what stage tests are made of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.protocols import Nature, Rendered
from azr_engine.engine.types import (
    Answer,
    Completion,
    Draft,
    Malformed,
    Prompt,
    Rejection,
    Section,
    Task,
    Verdict,
    task_id,
)


class ToyDomain:
    """Tasks are numbers; the answer is the number's double."""

    name = "toy"
    kinds: tuple[str, ...] = ("double",)
    verifier = "toy"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        while True:
            yield Draft(self.name, "double", {"number": str(rng.randint(0, 10**6))})

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        shown = tuple((Section("number", task.draft["number"]),) for task in references)
        return Prompt("propose", self.name, kind, "Invent.", references=shown, returns=(Section("number", "digits"),))

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        return Draft(self.name, kind, dict(sections))

    def solve_prompt(self, task: Task) -> Prompt:
        givens = (Section("number", str(task.given["number"])),)
        return Prompt("solve", self.name, task.kind, "Double.", givens=givens, returns=(Section("answer", "digits"),))

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        text = sections["answer"].strip()
        return Answer({"answer": text}, text) if text else Malformed("empty", text)


class ToyVerifier:
    """Judges doubles; raises in the first `n_failures` calls of `judge` or `admit`."""

    name = "toy"

    def __init__(self, n_failures: int = 0, nature: Nature = "deterministic") -> None:
        self.nature: Nature = nature
        self.n_failures = n_failures
        self.judged: list[str] = []

    def _maybe_fail(self) -> None:
        if self.n_failures > 0:
            self.n_failures -= 1
            raise ConnectionError("the toy broke")

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        self._maybe_fail()
        return [self._admit(draft) for draft in drafts]

    def _admit(self, draft: Draft) -> Task | Rejection:
        number = draft.fields["number"]
        if not number.isdigit():
            return Rejection("syntax")
        given = {"number": number}
        gold = str(2 * int(number))
        return Task(task_id("toy", draft.kind, given), "toy", draft.kind, given, gold, "N", draft=dict(draft.fields))

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        self._maybe_fail()
        self.judged += [answer.fields["answer"] for _, answer in pairs]
        return [
            Verdict("pass", 1.0) if answer.fields["answer"] == task.gold else Verdict("fail", 0.0, "wrong")
            for task, answer in pairs
        ]

    async def close(self) -> None:
        pass


class Reciter:
    """A policy that writes the given texts in turn, whatever it is asked, and remembers what it was asked."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.asked: list[str] = []
        self.weight_version = 0
        self.context_tokens = 4096
        self._next = 0

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        self.asked.append(str(rendered))
        return (1,)

    def generate(
        self, prompts: Sequence[Sequence[int]], *, n_samples: int, max_new_tokens: int, temperature: float, seed: int
    ) -> list[list[Completion]]:
        return [[self._completion() for _ in range(n_samples)] for _ in prompts]

    def _completion(self) -> Completion:
        text = self.texts[self._next % len(self.texts)]
        self._next += 1
        return Completion((1,), (3, 2), (-0.5, -0.5), text, "stop", 0)
