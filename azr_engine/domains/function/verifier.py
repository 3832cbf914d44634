"""`FunctionVerifier`: admits and judges the tasks of a `FunctionDomain` by calling its `run` in locked-in workers.

A draft runs three times in two worker processes that hash differently, and is admitted where every run agrees. Gold
is computed there once and then stays here: a worker is given a program and an input, or an answer's text to spell
out, and texts are compared in this process.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Sequence
from typing import Any, Protocol

from azr_engine.domains.function.domain import FunctionDomain
from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict, content_hash, task_id
from azr_engine.verifiers.sandbox.pool import Item, Outcome, WorkerPool

MAX_INPUTS = 32
MIN_QUOTE = 5
"""Programs shorter than this may stand in an induction task's message by chance."""


class Runner(Protocol):
    """Something that calls a domain's `run` and `canonical`, as the locked-in workers do."""

    async def run(self, items: list[Item]) -> list[Outcome]:
        """An outcome per item, in order.

        An item is `{"program": ..., "input": ...}` or `{"output": ...}`, to be spelt out. An outcome is
        `{"text": ...}`, `{"refused": why}`, `{"killed": reason}` or, where nobody but us is to blame, `{"fault": why}`.
        """
        ...

    def close(self) -> None:
        """End it."""
        ...


class FunctionVerifier:
    """The deterministic verifier of one domain.

    Args:
        domain: of a class at the top level of a module or plugin file, since workers import it from there.
        workers: processes that judge; by default one per available core.
        cpu_seconds: CPU time one run may take.
        memory_mb: address space one run may take, in MiB.
        runners: two that run independently of each other, in place of the locked-in workers, for domains that need more
            than those are allowed, such as a server.

    Raises:
        ValueError: the class is local to a function.
    """

    nature: Nature = "deterministic"

    def __init__(
        self,
        domain: FunctionDomain,
        *,
        workers: int | None = None,
        cpu_seconds: float = 2.0,
        memory_mb: int = 256,
        runners: tuple[Runner, Runner] | None = None,
    ) -> None:
        self.name = domain.name
        self._domain = domain
        self._first, self._second = runners or _workers(domain, workers, cpu_seconds, memory_mb)

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task per draft, or a rejection.

        Reasons: syntax, banned (the message gives the program away), oversize, raises, timeout, memory, crash,
        nondeterministic.
        """
        refused = [self._refused(draft) for draft in drafts]
        wanted = [[] if no else self._runs(draft) for draft, no in zip(drafts, refused, strict=True)]
        items = [item for own in wanted for item in own]
        first, again = await asyncio.gather(self._first.run(items), self._second.run(items + items))
        results: list[Task | Rejection] = []
        start = 0
        for draft, no, own in zip(drafts, refused, wanted, strict=True):
            here = slice(start, start := start + len(own))
            repeated = [again[: len(items)][here], again[len(items) :][here]]
            results.append(no or self._admitted(draft, first[here], repeated))
        return results

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair: pass or fail, or a fault where the worker or the domain's own code is to blame."""
        plans = [self._plan(task, answer) for task, answer in pairs]
        items = [item for plan in plans if not isinstance(plan, Verdict) for item, _ in plan]
        outcomes = iter(await self._first.run(items))
        return [
            plan if isinstance(plan, Verdict) else _verdict([(next(outcomes), expected) for _, expected in plan])
            for plan in plans
        ]

    async def close(self) -> None:
        """End the workers."""
        self._first.close()
        self._second.close()

    def _refused(self, draft: Draft) -> Rejection | None:
        """What needs no run to be seen."""
        checked = self._domain.draft(draft.kind, draft.fields)
        if not isinstance(checked, Draft):
            return Rejection("syntax", checked.reason)
        fields = checked.fields
        inputs = _inputs(checked)
        texts = [fields["program"], fields.get("message", ""), *inputs]
        if len(inputs) > MAX_INPUTS or any(len(text) > self._domain.max_characters for text in texts):
            return Rejection("oversize", f"over {MAX_INPUTS} inputs or {self._domain.max_characters} characters")
        if not all(text.strip() for text in [fields["program"], *inputs]):
            return Rejection("syntax", "an empty program or input")
        if draft.kind == "induction":
            if len(set(inputs)) < 2:
                return Rejection("syntax", "induction needs at least two different inputs")
            program = "".join(fields["program"].split())
            if len(program) >= MIN_QUOTE and program in "".join(fields["message"].split()):
                return Rejection("banned", "the message gives the program away")
        return None

    def _runs(self, draft: Draft) -> list[Item]:
        program = draft.fields["program"]
        return [{"program": program, "input": text} for text in [*_inputs(draft), *self._domain.probes]]

    def _admitted(
        self, draft: Draft, outcomes: Sequence[Outcome], repeated: Sequence[Sequence[Outcome]]
    ) -> Task | Rejection:
        inputs = _inputs(draft)
        for outcome in outcomes[: len(inputs)]:
            if "fault" in outcome:
                return Rejection("crash", outcome["fault"], fault=True)
            if "text" not in outcome:
                return Rejection(outcome.get("killed", "raises"), outcome.get("refused", ""))
        if any(_differ(a, b) for other in repeated for a, b in zip(outcomes, other, strict=True)):
            return Rejection("nondeterministic", "runs disagree")
        texts = [outcome["text"] for outcome in outcomes[: len(inputs)]]
        given, gold = _given_and_gold(draft, inputs, texts)
        return Task(
            id=task_id(draft.domain, draft.kind, given),
            domain=draft.domain,
            kind=draft.kind,
            given=given,
            gold=gold,
            skeleton=self._domain.skeleton(draft.fields["program"]),
            signature=self._signature(outcomes[len(inputs) :]),
            draft=dict(draft.fields),
        )

    def _signature(self, probed: Sequence[Outcome]) -> str:
        """The behaviour on the probes, marked where it is the same or nothing for all of them; empty without probes."""
        texts = [outcome.get("text") for outcome in probed]
        if not texts:
            return ""
        mark = ""
        if len(texts) > 1 and None not in texts:
            identity = texts == [probe.strip() for probe in self._domain.probes]
            mark = "identity:" if identity else "constant:" if len(set(texts)) == 1 else ""
        return mark + content_hash(texts)

    def _plan(self, task: Task, answer: Answer) -> Verdict | list[tuple[Item, str]]:
        """The verdict, where nothing needs running; otherwise the runs and the texts that they must give."""
        text = answer.fields.get("answer")
        if not isinstance(text, str):
            return Verdict("fail", 0.0, "no answer text")
        if len(text) > self._domain.max_characters:
            return Verdict("fail", 0.0, "oversize")
        try:
            match task.kind:
                case "deduction":
                    return [({"output": text}, task.gold)]
                case "abduction":
                    return [({"program": task.given["program"], "input": text}, task.given["output"])]
                case "induction":
                    shown, held_back = task.given["pairs"], task.gold["pairs"]
                    pairs = [*shown, *held_back]
                    return [({"program": text, "input": pair["input"]}, pair["output"]) for pair in pairs]
        except (KeyError, TypeError):
            return Verdict("fault", 0.0, "the task is incomplete")
        return Verdict("abstain", 0.0, f"no kind {task.kind!r}")


def _workers(
    domain: FunctionDomain, workers: int | None, cpu_seconds: float, memory_mb: int
) -> tuple[WorkerPool, WorkerPool]:
    kind = type(domain)
    if "." in kind.__qualname__:
        raise ValueError(f"{kind.__qualname__} must stand at the top level of its module, where workers find it")
    origin = (kind.__module__, inspect.getfile(kind), kind.__name__)

    def pool(n_workers: int, hash_seed: int) -> WorkerPool:
        module = "azr_engine.domains.function.worker"
        return WorkerPool(module, n_workers, cpu_seconds, memory_mb, [str(hash_seed), *origin])

    return pool(workers or len(os.sched_getaffinity(0)), 1), pool(1, 2)


def _inputs(draft: Draft) -> list[str]:
    """The inputs of a well-formed draft, repeated ones once."""
    fields = draft.fields
    return list(dict.fromkeys(fields["inputs"])) if draft.kind == "induction" else [fields["input"]]


def _differ(one: Outcome, other: Outcome) -> bool:
    """Whether two runs show chance; what a limit cut short shows nothing."""
    cut = {"killed", "fault"}
    return not (cut & one.keys() or cut & other.keys()) and one.get("text") != other.get("text")


def _given_and_gold(draft: Draft, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[dict[str, Any], Any]:
    program = draft.fields["program"]
    match draft.kind:
        case "deduction":
            return {"program": program, "input": inputs[0]}, outputs[0]
        case "abduction":
            return {"program": program, "output": outputs[0]}, inputs[0]
    pairs = [{"input": i, "output": o} for i, o in zip(inputs, outputs, strict=True)]
    n_shown = (len(pairs) + 1) // 2
    given = {"message": draft.fields["message"], "pairs": pairs[:n_shown]}
    return given, {"program": program, "pairs": pairs[n_shown:]}


def _verdict(results: Sequence[tuple[Outcome, str]]) -> Verdict:
    """Pass where every run gave the text that it must."""
    seconds = sum(float(outcome.get("seconds", 0.0)) for outcome, _ in results)
    for outcome, expected in results:
        if "fault" in outcome:
            return Verdict("fault", 0.0, outcome["fault"], len(results), seconds)
        if "text" not in outcome:
            reason = outcome.get("killed") or f"refused: {outcome['refused']}"
            return Verdict("fail", 0.0, reason, len(results), seconds)
        if outcome["text"] != expected:
            return Verdict("fail", 0.0, "wrong", len(results), seconds)
    return Verdict("pass", 1.0, "", len(results), seconds)
