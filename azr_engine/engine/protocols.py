"""The parts of the engine that can be replaced, as small protocols; everything else is a function.

A domain says what a task looks like; a verifier says what is true. Neither sees the policy, and the policy
sees neither: the loop carries plain data between them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from azr_engine.engine.types import (
    Answer,
    Completion,
    Draft,
    Malformed,
    Prompt,
    Rejection,
    Task,
    Verdict,
)

Rendered = str | list[dict[str, str]]
"""A prompt as a style renders it: plain text, or chat messages for the tokenizer's template."""

Nature = Literal["deterministic", "sampled", "neural"]


@runtime_checkable
class Domain(Protocol):
    """What a task is: prompts, parsing and seeds of one field. All methods are pure and fast."""

    name: str
    kinds: tuple[str, ...]
    verifier: str
    """Name of the verifier that admits and judges this domain's tasks."""

    def seeds(self, rng: random.Random) -> Iterable[Draft]:
        """An endless or finite stream of drafts to start from, the same for the same `rng` state."""
        ...

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from named fields (the `admit` command's form); checks names and types only."""
        ...

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Ask for a new task of `kind`, unlike `references`."""
        ...

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft that the proposer wrote, from the sections that the style found in its text."""
        ...

    def solve_prompt(self, task: Task) -> Prompt:
        """Ask for the answer. Built from `task.given` alone."""
        ...

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer that the solver wrote; `sections["answer"]` holds its text."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """What is true. Both methods take batches, keep their order and return one result per item.

    A verifier that raises counts as a `fault` for that batch: it is logged and never stops the run.
    """

    name: str
    nature: Nature

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """Check each draft and compute its gold; reject what is malformed, unsafe or not repeatable."""
        ...

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """Judge each answer. Never raises for what a model wrote."""
        ...

    async def close(self) -> None:
        """Release workers; the verifier is not used afterwards."""
        ...


@runtime_checkable
class Policy(Protocol):
    """What writes: a language model that samples completions with their log-probabilities."""

    weight_version: int
    context_tokens: int
    """Most tokens of a prompt and its completion together."""

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        """Token ids of a rendered prompt, without an end token."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[list[Completion]]:
        """`n_samples` completions for each prompt, in order; the same for the same `seed`."""
        ...
