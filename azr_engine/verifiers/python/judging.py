"""From an answer to a verdict: canonical texts compared here, programs run there, and gold never leaves here.

Deduction and error prediction compare the answer with gold and run nothing. Abduction runs the task's program on the
answer; all answers to one program share a child, since they are data. Induction runs each answer's program in a
child of its own on the held-back inputs, whose outputs stay here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from azr_engine.engine.types import Answer, Task, Verdict
from azr_engine.verifiers.python.admission import NO_ERROR
from azr_engine.verifiers.python.literals import Arguments, canonical, read_arguments
from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.policy import Banned, Program, check_program
from azr_engine.verifiers.python.requests import Executor, Request

_MAX_SHARED_INPUTS = 16
"""Inputs to one child: enough to spread the cost of a fork, few enough that slow ones do not queue for long."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One program on one input, and the text that its value must have.

    Runs of one `group` need all to succeed, and share a child with no others; 0 marks runs that stand alone.
    """

    program: Program
    arguments: Arguments
    expected: str
    group: int = 0

    @property
    def key(self) -> bytes:
        parts = (self.program.source, self.arguments.text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).digest()


class Judge:
    """Judges batches of answers, remembering the outcomes of runs by content."""

    def __init__(self, executor: Executor, *, n_remembered: int = 4_096) -> None:
        self._executor = executor
        self._memory = _Memory(n_remembered)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """One verdict per pair, in order."""
        plans = [_plan(task, answer, group) for group, (task, answer) in enumerate(pairs, start=1)]
        outcomes = await self._outcomes([run for plan in plans if not isinstance(plan, Verdict) for run in plan])
        return [plan if isinstance(plan, Verdict) else _verdict(plan, outcomes) for plan in plans]

    async def _outcomes(self, runs: Sequence[_Run]) -> dict[bytes, Outcome]:
        """The outcome of every run by its key; equal runs happen once. Texts come as digests, see `_Memory`."""
        found: dict[bytes, Outcome] = {}
        missing: dict[tuple[str, int], dict[bytes, _Run]] = {}
        for run in runs:
            key = run.key
            known = self._memory.get(key)
            if known is None:
                missing.setdefault((run.program.source, run.group), {})[key] = run
            else:
                found[key] = known
        batches: list[list[tuple[bytes, _Run]]] = []
        for wanted in missing.values():
            items = list(wanted.items())
            batches += [items[i : i + _MAX_SHARED_INPUTS] for i in range(0, len(items), _MAX_SHARED_INPUTS)]
        requests = [_request([run for _, run in batch]) for batch in batches]
        for batch, outcomes in zip(batches, await self._executor.run(requests), strict=True):
            for (key, _), outcome in zip(batch, outcomes, strict=True):
                if outcome.status != "skipped" or key not in found:
                    found[key] = self._memory.put(key, outcome)
        return found


def _request(runs: Sequence[_Run]) -> Request:
    return Request(runs[0].program, tuple(run.arguments for run in runs), essential=runs[0].group > 0)


class _Memory:
    """The last outcomes by key, the oldest use forgotten first; a value's text is kept as its digest only."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._outcomes: OrderedDict[bytes, Outcome] = OrderedDict()

    def get(self, key: bytes) -> Outcome | None:
        outcome = self._outcomes.get(key)
        if outcome is not None:
            self._outcomes.move_to_end(key)
            outcome = outcome._replace(cpu_seconds=0.0)
        return outcome

    def put(self, key: bytes, outcome: Outcome) -> Outcome:
        if outcome.status == "ok":
            outcome = outcome._replace(text=_digest(outcome.text))
        if outcome.status not in ("fault", "skipped"):
            self._outcomes[key] = outcome
            if len(self._outcomes) > self._capacity:
                self._outcomes.popitem(last=False)
        return outcome


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _plan(task: Task, answer: Answer, group: int) -> Verdict | list[_Run]:
    """The verdict, where nothing needs running; otherwise the runs that decide."""
    text = answer.fields.get("answer")
    if not isinstance(text, str):
        return _fail("no answer")
    try:
        match task.kind:
            case "deduction":
                expected = _text(task.gold)
                return _match(canonical(text), expected)
            case "error":
                expected = _text(task.gold)
                return _match(_error_name(text), expected)
            case "abduction":
                program, expected = _program_and_output(task)
                return [_Run(program, read_arguments(text), expected)]
            case "induction":
                held_back = _held_back(task)
                program = check_program(text)
                return [_Run(program, arguments, output, group) for arguments, output in held_back]
    except _Incomplete:
        return Verdict("fault", 0.0, "the task is incomplete")
    except Banned as error:
        return _fail(f"banned: {error}")
    except ValueError as error:
        return _fail(f"malformed: {error}")
    return Verdict("abstain", 0.0, f"no kind {task.kind!r}")


class _Incomplete(Exception):
    """The task lacks what its kind needs, which only one that no admission made can do."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Incomplete
    return value


def _program_and_output(task: Task) -> tuple[Program, str]:
    try:
        return check_program(_text(task.given["program"])), _text(task.given["output"])
    except (LookupError, TypeError, ValueError):
        raise _Incomplete from None


def _held_back(task: Task) -> list[tuple[Arguments, str]]:
    try:
        pairs = [(read_arguments(_text(pair["input"])), _text(pair["output"])) for pair in task.gold["pairs"]]
    except (LookupError, TypeError, ValueError):
        raise _Incomplete from None
    if not pairs:
        raise _Incomplete
    return pairs


def _error_name(text: str) -> str:
    name = text.strip()
    return NO_ERROR if name in ("none", "None", "no error", "No error") else name


def _match(found: str, expected: str) -> Verdict:
    return Verdict("pass", 1.0) if found == expected else _fail("wrong")


def _verdict(runs: Sequence[_Run], outcomes: dict[bytes, Outcome]) -> Verdict:
    """Pass when every run ends in the expected value."""
    results = [(run, outcomes[run.key]) for run in runs]
    seconds = sum(outcome.cpu_seconds for _, outcome in results)
    for run, outcome in results:
        if outcome.status == "fault":
            return Verdict("fault", 0.0, outcome.text, len(runs), seconds)
        if outcome.status == "error":
            return _fail(f"raises {outcome.text}", len(runs), seconds)
        if outcome.status != "ok":
            return _fail(outcome.status, len(runs), seconds)
        if outcome.text != _digest(run.expected):
            return _fail("wrong", len(runs), seconds)
    return Verdict("pass", 1.0, "", len(runs), seconds)


def _fail(reason: str, calls: int = 1, seconds: float = 0.0) -> Verdict:
    return Verdict("fail", 0.0, reason, calls, seconds)
