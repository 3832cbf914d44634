"""`HumanEvalVerifier`: runs a problem's own tests on what an answer computes, without ever running both together.

The tests are Python with `assert` in it, so an answer that shares a process with them can pass any: by an object equal
to everything, by leaving early, by changing what the tests call. Here three children do it, none of which trusts the
one before:

1. the canonical solution under the tests, once per problem, to record what the tests call the function with;
2. the answer's program on these inputs, alone; its results come out as literals;
3. the tests on a function that does nothing but hand back these results, in the order of the calls.

Covered: everything above, and files, network, memory and time through the sandbox. Not covered: an answer that knows
the tests by heart, since they are public; tests that ask for other things once an answer differs, of which there
are none.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from typing import Any

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.evaluation.humaneval.problems import NAME
from azr_engine.verifiers.python.literals import Arguments, read_value
from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.policy import Program
from azr_engine.verifiers.python.requests import Executor, Request

_PRELUDE = "def print(*values, **options):\n    pass\n"
"""The sandbox has no `print`, and nothing to print to."""
_RECORD = """
def azr_record():
    import copy
    import random
    random.seed(20210707)
    calls = []
    def candidate(*arguments):
        calls.append(copy.deepcopy(arguments))
        return {function}(*arguments)
    check(candidate)
    return repr(calls)
"""
_CHECK = """
def azr_check(results):
    import random
    random.seed(20210707)
    left = iter(results)
    def candidate(*arguments):
        return next(left)
    check(candidate)
    return True
"""


class HumanEvalVerifier:
    """A deterministic `Verifier` of the suite's answers; it closes the executor, which runs all programs."""

    name = NAME
    nature: Nature = "deterministic"

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._calls: dict[str, list[Arguments] | str] = {}

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """Refuses everything: the problems are fixed."""
        return [Rejection("fixed", f"the problems of {NAME} are fixed")] * len(drafts)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A pass where all the problem's tests pass; a fault where its own solution fails them."""
        await self._record([task for task, _ in pairs])
        verdicts: list[Verdict | None] = [None] * len(pairs)
        asked: list[tuple[int, Request]] = []
        for index, (task, answer) in enumerate(pairs):
            calls = self._calls.get(task.id, "the sandbox failed")
            if isinstance(calls, str):
                verdicts[index] = Verdict("fault", 0.0, f"the tests cannot be run here: {calls}")
            else:
                program = _program(str(answer.fields["program"]), str(task.given["function"]))
                asked.append((index, Request(program, tuple(calls), essential=True, hash_seed=0)))
        checks: list[tuple[int, Request, float]] = []
        for (index, request), outcomes in zip(asked, await self._run([r for _, r in asked]), strict=True):
            seconds = sum(outcome.cpu_seconds for outcome in outcomes)
            bad = next((outcome for outcome in outcomes if outcome.status != "ok"), None)
            if bad is not None:
                verdicts[index] = _failed(bad, len(request.inputs), seconds)
            else:
                checks.append((index, _check(pairs[index][0], outcomes), seconds))
        for (index, _, seconds), (outcome,) in zip(checks, await self._run([c[1] for c in checks]), strict=True):
            calls = self._calls[pairs[index][0].id]
            verdicts[index] = (
                Verdict("pass", 1.0, "", len(calls), seconds + outcome.cpu_seconds)
                if outcome.status == "ok"
                else _failed(outcome, len(calls), seconds + outcome.cpu_seconds)
            )
        return [verdict for verdict in verdicts if verdict is not None]

    async def close(self) -> None:
        """End the workers."""
        await self._executor.close()

    async def _record(self, tasks: Sequence[Task]) -> None:
        """Find out what the tests of new problems call the function with; a text where their own solution fails them.

        A problem at which the sandbox failed stays new.
        """
        new = list({task.id: task for task in tasks if task.id not in self._calls}.values())
        requests = [Request(_tests(task, _RECORD), (_NOTHING,), hash_seed=0) for task in new]
        for task, (outcome,) in zip(new, await self._run(requests), strict=True):
            if outcome.status == "ok":
                self._calls[task.id] = [_pack(tuple(values)) for values in _list(read_value(_text(outcome)))]
            elif outcome.status != "fault":
                self._calls[task.id] = f"{outcome.status} {outcome.text}".strip()

    async def _run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return await self._executor.run(requests) if requests else []


def _program(source: str, function: str) -> Program:
    """A program that no policy has seen: the sandbox holds without it."""
    return Program(_PRELUDE + source, function, code=b"", uses_sets=False, imports=True)


def _tests(task: Task, harness: str) -> Program:
    """The problem with its own solution and tests, and a harness that calls them."""
    function = str(task.given["function"])
    source = "\n".join((f"{task.given['program']}{task.gold['solution']}", task.gold["test"], harness))
    return _program(source.replace("{function}", function), harness.split("(", 1)[0].split()[-1])


def _check(task: Task, outcomes: Sequence[Outcome]) -> Request:
    results = [read_value(outcome.text) for outcome in outcomes]
    return Request(_tests(task, _CHECK), (_pack((results,)),), hash_seed=0)


def _pack(values: tuple[Any, ...]) -> Arguments:
    """Arguments without the limits that hold for what a model writes."""
    return Arguments("", marshal.dumps(values, 2))


_NOTHING = _pack(())


def _text(outcome: Outcome) -> str:
    """What a run returned as text; the order of a dictionary shows in it, as it does not in a canonical value."""
    value = read_value(outcome.text)
    assert isinstance(value, str)
    return value


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value


def _failed(outcome: Outcome, calls: int, seconds: float) -> Verdict:
    if outcome.status == "fault":
        return Verdict("fault", 0.0, outcome.text, calls, seconds)
    reason = f"raises {outcome.text}" if outcome.status == "error" else outcome.status
    return Verdict("fail", 0.0, reason, calls, seconds)
