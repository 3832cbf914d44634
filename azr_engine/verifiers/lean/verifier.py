"""`LeanVerifier`: admits and judges tasks of the Lean domain; Lean's kernel has the last word on every pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.lean import tasks
from azr_engine.verifiers.lean.backends import LeanPool


class LeanVerifier:
    """The verifier `lean`.

    Args:
        pool: where checks run; the verifier closes it.
    """

    name = "lean"
    nature: Nature = "deterministic"

    def __init__(self, pool: LeanPool) -> None:
        self._pool = pool

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task per draft, or a rejection with a reason of `tasks.REASONS`. Raises UserError where no Lean is."""
        return await self._from_drafts(tasks.admit, drafts)

    async def pose(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """As `admit`, for judging alone: a statement to prove needs no proof, and the task has no gold."""
        return await self._from_drafts(tasks.pose, drafts)

    async def _from_drafts(
        self, make: Callable[..., Task | Rejection], drafts: Sequence[Draft]
    ) -> list[Task | Rejection]:
        limits = self._pool.limits
        results: list[Task | Rejection | None] = [_unknown(draft.kind) for draft in drafts]
        waiting = [i for i, result in enumerate(results) if result is None]
        found = await self._pool.run(
            lambda checker, server, draft: make(checker, server, draft, limits), [drafts[i] for i in waiting]
        )
        for i, outcome in zip(waiting, found, strict=True):
            results[i] = outcome
        return [result for result in results if result is not None]

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair. Raises UserError where no Lean is."""
        limits = self._pool.limits
        return await self._pool.run(
            lambda checker, server, pair: tasks.judge(checker, server, pair, limits), list(pairs)
        )

    async def close(self) -> None:
        """End the servers."""
        await self._pool.close()


def gold_text(task: Task) -> str:
    """The answer text that a perfect solver of the task would write."""
    gold = task.gold
    match task.kind:
        case "repair":
            return f"{gold['holds']} {gold['proof']}"
        case "induct":
            return f"{gold['statement']} := {gold['proof']}"
    return str(gold["proof"])


def _unknown(kind: str) -> Rejection | None:
    return None if kind in tasks.KINDS else Rejection("malformed", f"lean has no kind {kind[:40]!r}")
