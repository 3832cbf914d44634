"""A verifier of azr-engine as a reward function for TRL's trainers, and its tasks as the rows to train on."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from itertools import islice
from typing import Any

from azr_engine.engine.solving import public
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Answer, Task
from azr_engine.plugins.conformance.finding import find

MAX_SEEDS = 10_000


class VerifierReward:
    """`reward(prompts, completions, task) -> list[float | None]`: the verdicts' scores, None where there is no verdict.

    Args:
        domain: by name, as in `azr-engine run --domains`.
        plugins: plugin files or modules to load besides the installed ones.

    Raises:
        UserError: there is no such domain.
    """

    def __init__(self, domain: str, plugins: Sequence[str] = ()) -> None:
        self.__name__ = f"azr_{domain}"  # TRL logs rewards under the function's name
        self._domain, self._verifier = find(domain, plugins)
        self._style = STYLES["chat"]
        self._runner = asyncio.Runner()

    def rows(self, n_rows: int, seed: int = 0) -> list[dict[str, Any]]:
        """Tasks from the domain's seeds, none twice: messages under `prompt`, and `task`, a text with gold in it.

        There may be fewer where the seeds repeat themselves.
        """
        found: dict[str, Task] = {}
        drafts = islice(self._domain.seeds(random.Random(seed)), MAX_SEEDS)
        while len(found) < n_rows and (batch := list(islice(drafts, n_rows))):
            outcomes = self._runner.run(self._verifier.admit(batch))
            found.update({task.id: task for task in outcomes if isinstance(task, Task)})
        tasks = list(found.values())[:n_rows]
        return [
            {"prompt": self._style.render(self._domain.solve_prompt(public(task))), "task": json.dumps(task.to_json())}
            for task in tasks
        ]

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], task: Sequence[str], **others: Any
    ) -> list[float | None]:
        """A reward per completion, in order; 0 for one in which no answer is found."""
        tasks = [Task.from_json(json.loads(text)) for text in task]
        answers = [self._answer(own, _text(completion)) for own, completion in zip(tasks, completions, strict=True)]
        asked = [(own, answer) for own, answer in zip(tasks, answers, strict=True) if answer is not None]
        verdicts = iter(self._runner.run(self._verifier.judge(asked)))
        rewards: list[float | None] = []
        for answer in answers:
            verdict = None if answer is None else next(verdicts)
            rewards.append(0.0 if verdict is None else verdict.score if verdict.scored else None)
        return rewards

    def _answer(self, task: Task, text: str) -> Answer | None:
        sections = self._style.parse(self._domain.solve_prompt(public(task)), text)
        parsed = self._domain.parse_answer(public(task), sections) if isinstance(sections, dict) else None
        return parsed if isinstance(parsed, Answer) else None

    def close(self) -> None:
        """End the verifier."""
        self._runner.run(self._verifier.close())
        self._runner.close()


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[-1]["content"])
