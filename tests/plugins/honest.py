"""A domain and a verifier in which the conformance kit finds nothing; planted defects derive from them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Rejection, Section, Task, Verdict, task_id

NUMBER = (Section("number", "digits"),)


class HonestDomain:
    """Tasks are numbers; the answer is three times the number, and one."""

    name = "honest"
    kinds: tuple[str, ...] = ("deduction",)
    verifier = "honest"

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        while True:
            yield Draft(self.name, "deduction", {"number": str(rng.randint(1000, 10**6))})

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        if kind not in self.kinds or set(fields) != {"number"} or not isinstance(fields["number"], str):
            return Malformed("a draft is one number", repr(fields)[:100])
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        shown = tuple((Section("number", task.draft["number"]),) for task in references)
        return Prompt("propose", self.name, kind, "Invent a number.", references=shown, returns=NUMBER)

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        return self.draft(kind, dict(sections))

    def solve_prompt(self, task: Task) -> Prompt:
        givens = (Section("number", task.given["number"]),)
        returns = (Section("answer", "digits"),)
        return Prompt("solve", self.name, task.kind, "Three times it, and one.", givens=givens, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        text = sections["answer"].strip()
        return Answer({"answer": text}, sections["answer"]) if text else Malformed("empty", sections["answer"])


class HonestVerifier:
    name = "honest"
    nature: Nature = "deterministic"

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        return [self.admit_one(draft) for draft in drafts]

    def admit_one(self, draft: Draft) -> Task | Rejection:
        number = draft.fields.get("number")
        if not isinstance(number, str) or not (number.isascii() and number.isdigit() and len(number) < 9):
            return Rejection("syntax")
        given = {"number": number}
        identity = task_id(draft.domain, draft.kind, given)
        gold = str(3 * int(number) + 1)
        return Task(identity, draft.domain, draft.kind, given, gold, f"N{len(number)}", draft=dict(draft.fields))

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        return [self.judge_one(task, answer) for task, answer in pairs]

    def judge_one(self, task: Task, answer: Answer) -> Verdict:
        text = answer.fields.get("answer")
        right = type(text) is str and text == task.gold
        return Verdict("pass", 1.0) if right else Verdict("fail", 0.0, "wrong")

    async def close(self) -> None:
        pass
