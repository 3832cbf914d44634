"""`ReasoningGymDomain`: the items of one generator of reasoning-gym, of the kind `question`.

A draft is the item's number. `solver_only` tells the loop to draw drafts from `seeds` instead of asking the policy for
them, as there is nothing to invent in a number; the proposer's half of the protocol works all the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Section, Task
from azr_engine.verifiers.reasoning_gym import N_ITEMS, PREFIX

_NUMBER = Section("number", f"a whole number from 0 to {N_ITEMS - 1}")


class ReasoningGymDomain:
    """The domain `rg:NAME` of the generator NAME; judged by the verifier `reasoning_gym`."""

    kinds: tuple[str, ...] = ("question",)
    verifier = "reasoning_gym"
    solver_only = True

    def __init__(self, generator: str) -> None:
        self.name = f"{PREFIX}{generator}"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless items, drawn evenly from all numbers."""
        while True:
            yield Draft(self.name, "question", {"number": rng.randrange(N_ITEMS)})

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from the field `number`."""
        raw = repr(fields)[:200]
        if kind not in self.kinds:
            return Malformed(f"{self.name} has no kind {kind!r}; its kind is question", raw)
        if set(fields) != {"number"} or type(fields["number"]) is not int:
            return Malformed("a draft is one whole number, 'number'", raw)
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Ask for an item's number."""
        shown = tuple((Section("number", str(task.draft["number"])),) for task in references)
        instruction = "Choose a problem by its number, unlike the earlier ones."
        return Prompt("propose", self.name, kind, instruction, references=shown, returns=(_NUMBER,))

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft of the number in the proposer's text."""
        text = sections["number"].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(N_ITEMS))):
            return Malformed("not a whole number", text[:200])
        return self.draft(kind, {"number": int(text)})

    def solve_prompt(self, task: Task) -> Prompt:
        """The generator's own question."""
        givens = (Section("question", str(task.given["question"])),)
        returns = (Section("answer", "the answer alone, in the form that the problem asks for"),)
        return Prompt("solve", self.name, task.kind, "Solve this problem.", givens=givens, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text, stripped; empty is malformed."""
        text = sections["answer"].strip()
        return Answer({"answer": text}, sections["answer"]) if text else Malformed("empty answer", sections["answer"])
