"""The Python verifier: admits programs as tasks and judges answers to them, in a sandbox.

Draft fields: `program` and `input`, or for induction `program`, `inputs` and `message`. An answer's field is `answer`:
a literal (deduction), an argument list (abduction), a program (induction), an exception's name or `none` (error).
"""

from __future__ import annotations

from collections.abc import Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.python.admission import KINDS, admit
from azr_engine.verifiers.python.judging import Judge
from azr_engine.verifiers.python.requests import Executor

__all__ = ["KINDS", "PythonVerifier", "gold_text"]


class PythonVerifier:
    """A deterministic `Verifier` for the kinds deduction, abduction, induction and error."""

    name = "python"
    nature: Nature = "deterministic"

    def __init__(self, executor: Executor) -> None:
        """`executor` runs the programs (see `choose_executor`); the verifier closes it."""
        self._executor = executor
        self._judge = Judge(executor)

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """Check each draft and compute its gold.

        Reasons: syntax, banned, timeout, memory, nondeterministic, unserialisable, oversize, raises, mutates_input,
        crash. A fault of the sandbox itself is a `crash` with `fault` set.
        """
        return await admit(drafts, self._executor)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """Judge each answer; a fault of the sandbox is a `fault` verdict."""
        return await self._judge.judge(pairs)

    async def close(self) -> None:
        """End the workers."""
        await self._executor.close()


def gold_text(task: Task) -> str:
    """Gold as the text an answer would have: a literal, an argument list, a program, or an exception's name."""
    return str(task.gold["program"] if task.kind == "induction" else task.gold)
