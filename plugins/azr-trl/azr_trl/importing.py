"""Reward functions in the form of TRL as verifiers, and the rows that they were written for as domains.

TRL's form: `reward(prompts, completions, **columns) -> list[float | None]`, plain or async. Prompts and completions are
texts, or messages where the row's prompt is a list of messages; every other column comes by its name. Not passed:
`completion_ids` and the trainer's state, which only exist inside TRL.

A reward function runs in this process, with your rights, on whatever a model wrote. Whether it withstands that is its
own affair; `azr-engine plugins check` tries.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Malformed, Prompt, Rejection, Section, Task, Verdict, task_id

Row = Mapping[str, Any]
Reward = Callable[..., Any]
_ROW = Section("row", "a row's number")


class RowsDomain:
    """The rows of a data set as tasks of the kind `question`, for the solver alone.

    Args:
        name: of the domain and of its verifier.
        rows: each with a text or a list of messages under `prompt`.
        answer: the column that holds a right answer, if there is one; the conformance kit asks for it.
    """

    kinds: tuple[str, ...] = ("question",)
    solver_only = True

    def __init__(self, name: str, rows: Sequence[Row], *, prompt: str = "prompt", answer: str | None = None) -> None:
        if not rows or not all(prompt in row for row in rows):
            raise UserError(f"the rows of the domain {name!r} need a column {prompt!r}, and there must be some")
        self.name = self.verifier = name
        self.rows, self.prompt_column, self._answer_column = rows, prompt, answer

    def seeds(self, rng: random.Random) -> Iterator[Draft]:
        """Endless rows, drawn evenly."""
        while True:
            yield Draft(self.name, "question", {"row": rng.randrange(len(self.rows))})

    def draft(self, kind: str, fields: Mapping[str, Any]) -> Draft | Malformed:
        """A draft from the number of a row."""
        if kind not in self.kinds or set(fields) != {"row"} or type(fields["row"]) is not int:
            return Malformed("a draft of the kind question is the number of a row, 'row'", repr(fields)[:200])
        return Draft(self.name, kind, dict(fields))

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """Ask for the number of a row."""
        shown = tuple((Section("row", str(task.draft["row"])),) for task in references)
        instruction = f"Choose a row from 0 to {len(self.rows) - 1}, unlike the earlier ones."
        return Prompt("propose", self.name, kind, instruction, references=shown, returns=(_ROW,))

    def parse_draft(self, kind: str, sections: Mapping[str, str]) -> Draft | Malformed:
        """The draft of the number in the proposer's text."""
        text = sections["row"].strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            return Malformed("not a whole number", text[:200])
        return self.draft(kind, {"row": int(text)})

    def solve_prompt(self, task: Task) -> Prompt:
        """The row's own prompt."""
        givens = (Section("question", str(task.given["question"])),)
        returns = (Section("answer", "the answer"),)
        return Prompt("solve", self.name, task.kind, "Answer this.", givens=givens, returns=returns)

    def parse_answer(self, task: Task, sections: Mapping[str, str]) -> Answer | Malformed:
        """The answer's text, stripped; empty is malformed."""
        text = sections["answer"].strip()
        return Answer({"answer": text}, sections["answer"]) if text else Malformed("empty answer", sections["answer"])

    def known_answers(self, task: Task) -> list[tuple[str, bool]]:
        """The answer in the row."""
        if self._answer_column is None:
            return []
        return [(str(self.rows[task.gold["row"]][self._answer_column]), True)]

    def question(self, row: int) -> str:
        """A row's prompt as one text."""
        prompt = self.rows[row][self.prompt_column]
        return prompt if isinstance(prompt, str) else "\n\n".join(str(message["content"]) for message in prompt)


class RewardVerifier:
    """Passes what a reward function rewards enough.

    Args:
        domain: whose rows it judges.
        reward: the function.
        passing: the smallest reward that passes.
        nature: `deterministic` unless the function draws, or asks a model.

    Raises:
        UserError: the function needs an argument that neither TRL's form nor the rows give it.
    """

    def __init__(
        self, domain: RowsDomain, reward: Reward, *, passing: float = 1.0, nature: Nature = "deterministic"
    ) -> None:
        self.name, self.nature = domain.name, nature
        self._domain, self._reward, self._passing = domain, reward, passing
        try:
            inspect.signature(reward).bind(prompts=[], completions=[], **self._columns([0]))
        except TypeError as error:
            raise UserError(
                f"the reward function {getattr(reward, '__name__', reward)} cannot be called: {error}"
            ) from None

    name: str
    nature: Nature

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task for each row that exists."""
        return [self._admit(draft) for draft in drafts]

    def _admit(self, draft: Draft) -> Task | Rejection:
        row = draft.fields.get("row")
        if draft.kind not in self._domain.kinds or type(row) is not int or not 0 <= row < len(self._domain.rows):
            return Rejection("bad_arguments", "no such row")
        question = self._domain.question(row)
        given = {"question": question}
        identity = task_id(draft.domain, draft.kind, given)
        skeleton = question[:200] or "empty"
        return Task(identity, draft.domain, draft.kind, given, {"row": row}, skeleton, draft=dict(draft.fields))

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair; a batch that makes the function raise is tried answer by answer."""
        rows = [self._row(task) for task, _ in pairs]
        texts = [answer.fields.get("answer") for _, answer in pairs]
        verdicts: list[Verdict] = [
            Verdict("fault", 0.0, "the rows have changed since the task was admitted")
            if row is None
            else Verdict("fail", 0.0, "no answer text")
            for row in rows
        ]
        asked = [
            i for i, (row, text) in enumerate(zip(rows, texts, strict=True)) if row is not None and type(text) is str
        ]
        for i, verdict in zip(asked, await self._judged([(rows[i], texts[i]) for i in asked]), strict=True):
            verdicts[i] = verdict
        return verdicts

    def _row(self, task: Task) -> int | None:
        row = task.gold.get("row") if isinstance(task.gold, dict) else None
        if not isinstance(row, int) or not 0 <= row < len(self._domain.rows):
            return None
        return row if self._domain.question(row) == task.given.get("question") else None

    async def _judged(self, asked: Sequence[tuple[Any, Any]]) -> list[Verdict]:
        if not asked:
            return []
        try:
            rewards = await self._rewards(asked)
        except OSError as error:
            return [Verdict("fault", 0.0, f"{type(error).__name__} in the reward function")] * len(asked)
        except Exception as error:
            if len(asked) == 1:
                return [Verdict("fail", 0.0, f"the reward function raises {type(error).__name__}")]
            return [verdict for one in asked for verdict in await self._judged([one])]
        return [self._verdict(reward) for reward in rewards]

    async def _rewards(self, asked: Sequence[tuple[int, str]]) -> list[Any]:
        rows = [row for row, _ in asked]
        prompts = [self._domain.rows[row][self._domain.prompt_column] for row in rows]
        completions: list[Any] = [
            text if isinstance(prompt, str) else [{"role": "assistant", "content": text}]
            for prompt, (_, text) in zip(prompts, asked, strict=True)
        ]
        arguments = {"prompts": prompts, "completions": completions, **self._columns(rows)}
        if inspect.iscoroutinefunction(self._reward):
            rewards = list(await self._reward(**arguments))
        else:
            rewards = list(await asyncio.to_thread(self._reward, **arguments))
        if len(rewards) != len(asked):
            raise ValueError(f"{len(rewards)} rewards for {len(asked)} completions")
        return rewards

    def _columns(self, rows: Sequence[int]) -> dict[str, list[Any]]:
        names = [
            name for name in self._domain.rows[0] if name not in (self._domain.prompt_column, "prompts", "completions")
        ]
        return {name: [self._domain.rows[row].get(name) for row in rows] for name in names}

    def _verdict(self, reward: Any) -> Verdict:
        if reward is None:
            return Verdict("abstain", 0.0, "no reward")
        value = float(reward)
        if not math.isfinite(value):
            return Verdict("fault", 0.0, "a reward that is not finite")
        return Verdict("pass", 1.0) if value >= self._passing else Verdict("fail", 0.0, f"reward {value:.3g}")

    async def close(self) -> None:
        """Nothing is held."""
