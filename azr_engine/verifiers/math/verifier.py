"""`MathVerifier`: admits and judges tasks of the math domain.

What a cheap, bounded stage in pure Python can decide is decided here; everything else, and every touch of SymPy,
happens in the pool's workers under CPU and memory limits. An answer that times out, crashes or eats the memory
fails; a worker that is lost is our fault.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import PASS, Answer, Draft, Rejection, Task, Verdict, task_id
from azr_engine.verifiers.math.judgement import judge_cheaply
from azr_engine.verifiers.sandbox.pool import Outcome, WorkerPool

KINDS = ("deduction", "abduction", "induction", "error")
MAX_ANSWER_CHARACTERS = 20_000


class MathVerifier:
    """The verifier `math`.

    Args:
        workers: number of SymPy processes; by default one per available core.
        cpu_seconds: CPU time one item may take.
        memory_mb: address space one item may take, in MiB.
    """

    name = "math"
    nature: Nature = "deterministic"

    def __init__(self, workers: int | None = None, cpu_seconds: float = 2.0, memory_mb: int = 1024) -> None:
        module, n_workers = "azr_engine.verifiers.math.worker", workers or len(os.sched_getaffinity(0))
        self._pool = WorkerPool(module, n_workers, cpu_seconds, memory_mb)

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task per draft, or a rejection with a reason of `operations.REASONS`."""
        results: list[Task | Rejection | None] = [_malformed(draft) for draft in drafts]
        waiting = [i for i, result in enumerate(results) if result is None]
        items = [{"do": "admit", "kind": drafts[i].kind, "fields": dict(drafts[i].fields)} for i in waiting]
        for i, outcome in zip(waiting, await self._pool.run(items), strict=True):
            results[i] = _admitted(drafts[i], outcome)
        return [result for result in results if result is not None]

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair; `abstain` where no stage of the equivalence judge decides."""
        results = [_judged_here(task, answer) for task, answer in pairs]
        waiting = [i for i, result in enumerate(results) if result is None]
        items = [_judge_item(*pairs[i]) for i in waiting]
        for i, outcome in zip(waiting, await self._pool.run(items), strict=True):
            results[i] = _verdict(outcome)
        return [result for result in results if result is not None]

    async def close(self) -> None:
        """End the workers."""
        self._pool.close()


def gold_text(task: Task) -> str:
    """The answer text that a perfect solver of the task would write."""
    gold = task.gold
    match task.kind:
        case "deduction":
            return str(gold["result"])
        case "abduction":
            return str(gold["expression"])
        case "induction" if "formula" in gold:
            return str(gold["formula"])
        case "induction":
            variable = task.given.get("variable", "x")
            pairs = {**gold["arguments"], **({} if variable == "x" else {"variable": variable})}
            return " ".join([gold["operation"], *(f"{name}={value}" for name, value in pairs.items())])
    return str(gold["error"])


def _malformed(draft: Draft) -> Rejection | None:
    if draft.kind not in KINDS:
        return Rejection("bad_arguments", f"math has no kind {draft.kind[:40]!r}")
    return None


def _admitted(draft: Draft, outcome: Outcome) -> Task | Rejection:
    if "task" in outcome:
        parts: dict[str, Any] = outcome["task"]
        return Task(
            id=task_id("math", draft.kind, parts["given"]),
            domain="math",
            kind=draft.kind,
            given=parts["given"],
            gold=parts["gold"],
            skeleton=parts["skeleton"],
            signature=parts["signature"],
            draft=parts["draft"],
        )
    if "fault" in outcome:
        return Rejection("crash", outcome["fault"], fault=True)
    return Rejection(outcome.get("rejected") or outcome["killed"], outcome.get("detail", ""))


def _judged_here(task: Task, answer: Answer) -> Verdict | None:
    text = answer.fields.get("answer")
    if not isinstance(text, str):
        return Verdict("fail", 0.0, "no answer text")
    if len(text) > MAX_ANSWER_CHARACTERS:
        return Verdict("fail", 0.0, "oversize")
    started = time.process_time()
    try:
        decision, reason = judge_cheaply(task.kind, task.given, task.gold, text)
    except (ArithmeticError, ValueError, TypeError, LookupError, RecursionError):
        return None  # one answer must never cost the batch; the worker will meet the same error and say `crash`
    if decision is None:
        return None
    seconds = time.process_time() - started
    return Verdict("pass", 1.0, seconds=seconds) if decision else Verdict("fail", 0.0, reason, seconds=seconds)


def _judge_item(task: Task, answer: Answer) -> dict[str, Any]:
    text = str(answer.fields["answer"])
    return {"do": "judge", "kind": task.kind, "given": dict(task.given), "gold": dict(task.gold), "answer": text}


def _verdict(outcome: Outcome) -> Verdict:
    seconds = float(outcome.get("seconds", 0.0))
    if "fault" in outcome:
        return Verdict("fault", 0.0, outcome["fault"])
    if "killed" in outcome or "rejected" in outcome:
        reason = f"{outcome.get('killed') or outcome['rejected']}: {outcome.get('detail', '')}".removesuffix(": ")
        return Verdict("fail", 0.0, reason, seconds=seconds)
    status = outcome["status"]
    return Verdict(status, PASS.score if status == "pass" else 0.0, outcome["reason"], seconds=seconds)
