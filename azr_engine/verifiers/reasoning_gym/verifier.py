"""`ReasoningGymVerifier`: admits items of the generators by number and judges answers by the package's own scores.

A score of 1 passes; partial scores, which the package gives for near misses and for answers inside longer texts, fail
and are named in the reason. All of it happens in workers under CPU and memory limits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict, task_id
from azr_engine.verifiers.reasoning_gym.generators import N_ITEMS
from azr_engine.verifiers.sandbox.pool import Outcome, WorkerPool

PREFIX = "rg:"
"""What the names of these domains begin with; the generator's name follows."""
MAX_ANSWER_CHARACTERS = 20_000
PASSING_SCORE = 0.999
_SKELETON_CHARACTERS = 200


class ReasoningGymVerifier:
    """The verifier `reasoning_gym`.

    Args:
        names: the generators to serve.
        workers: number of processes; by default one per available core.
        cpu_seconds: CPU time one item may take: its generation, and its scoring.
        memory_mb: address space one item may take, in MiB.
    """

    name = "reasoning_gym"
    nature: Nature = "deterministic"

    def __init__(
        self, names: Sequence[str], workers: int | None = None, cpu_seconds: float = 10.0, memory_mb: int = 1024
    ) -> None:
        self._names = frozenset(names)
        module = "azr_engine.verifiers.reasoning_gym.worker"
        n_workers = workers or len(os.sched_getaffinity(0))
        self._pool = WorkerPool(module, n_workers, cpu_seconds, memory_mb, sorted(self._names))

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task per draft, or a rejection: `bad_arguments`, `timeout`, `memory` or `crash`."""
        results: list[Task | Rejection | None] = [self._refused(draft) for draft in drafts]
        waiting = [i for i, result in enumerate(results) if result is None]
        items = [
            {"do": "admit", "name": generator_of(drafts[i].domain), "number": drafts[i].fields["number"]}
            for i in waiting
        ]
        for i, outcome in zip(waiting, await self._pool.run(items), strict=True):
            results[i] = _admitted(drafts[i], outcome)
        return [result for result in results if result is not None]

    def _refused(self, draft: Draft) -> Rejection | None:
        number = draft.fields.get("number")
        if generator_of(draft.domain) not in self._names:
            return Rejection("bad_arguments", f"no generator {draft.domain[:40]!r} is served here")
        if type(number) is not int or not 0 <= number < N_ITEMS:
            return Rejection("bad_arguments", f"number is no whole number from 0 to {N_ITEMS - 1}")
        return None

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair: pass or fail, or a fault where the worker or the package's version is to blame."""
        results = [self._judged_here(task, answer) for task, answer in pairs]
        waiting = [i for i, result in enumerate(results) if result is None]
        items = [
            {
                "do": "judge",
                "name": generator_of(task.domain),
                "number": task.gold["number"],
                "question": task.given["question"],
                "answer": answer.fields["answer"],
            }
            for task, answer in (pairs[i] for i in waiting)
        ]
        for i, outcome in zip(waiting, await self._pool.run(items), strict=True):
            results[i] = _verdict(outcome)
        return [result for result in results if result is not None]

    def _judged_here(self, task: Task, answer: Answer) -> Verdict | None:
        text = answer.fields.get("answer")
        if not isinstance(text, str):
            return Verdict("fail", 0.0, "no answer text")
        if len(text) > MAX_ANSWER_CHARACTERS:
            return Verdict("fail", 0.0, "oversize")
        if generator_of(task.domain) not in self._names:
            return Verdict("fault", 0.0, f"no generator {task.domain[:40]!r} is served here")
        return None

    async def close(self) -> None:
        """End the workers."""
        self._pool.close()


def generator_of(domain: str) -> str:
    """The generator behind a domain's name."""
    return domain.removeprefix(PREFIX)


def _admitted(draft: Draft, outcome: Outcome) -> Task | Rejection:
    if "question" in outcome:
        given = {"question": outcome["question"]}
        skeleton = re.sub(r"\d+", "N", outcome["question"])[:_SKELETON_CHARACTERS]
        gold = {"answer": outcome["answer"], "number": draft.fields["number"]}
        identity = task_id(draft.domain, draft.kind, given)
        return Task(identity, draft.domain, draft.kind, given, gold, skeleton, draft=dict(draft.fields))
    if "fault" in outcome:
        return Rejection("crash", outcome["fault"], fault=True)
    return Rejection(outcome["killed"], outcome.get("detail", ""))


def _verdict(outcome: Outcome) -> Verdict:
    seconds = float(outcome.get("seconds", 0.0))
    if "fault" in outcome:
        return Verdict("fault", 0.0, outcome["fault"])
    if "killed" in outcome:
        return Verdict("fail", 0.0, f"{outcome['killed']}: {outcome.get('detail', '')}".removesuffix(": "), 1, seconds)
    score = outcome["score"]
    if score >= PASSING_SCORE:
        return Verdict("pass", 1.0, seconds=seconds)
    return Verdict("fail", 0.0, f"scored {score:.2g} of 1" if score else "wrong", seconds=seconds)
