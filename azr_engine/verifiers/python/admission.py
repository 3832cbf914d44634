"""From a draft to a task: syntax and policy first, then the same run in fresh processes that hash differently.

The first run decides most rejections; only what survives it is run again, under other values of PYTHONHASHSEED, and
every outcome must be the same, those on the probes included. A program that makes sets is run under all
`N_HASH_SEEDS`, because two orders of a small set often agree by luck. Each draft goes through on its own, so that a
slow one holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azr_engine.engine.types import Draft, Rejection, Task, content_hash, task_id
from azr_engine.verifiers.python.canonical import Oversize
from azr_engine.verifiers.python.leakage import reveals
from azr_engine.verifiers.python.literals import Arguments, NotLiteral, canonical, read_arguments
from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.policy import Banned, Program, check_tree
from azr_engine.verifiers.python.probes import probes_like
from azr_engine.verifiers.python.requests import N_HASH_SEEDS, Executor, Request
from azr_engine.verifiers.python.skeleton import tree_skeleton
from azr_engine.verifiers.python.source import all_nodes, parse_module

KINDS = ("deduction", "abduction", "induction", "error")
N_RUNS = 3
MAX_INPUTS = 32
NO_ERROR = "none"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A draft whose texts are in order: what is left to find out is how it runs."""

    draft: Draft
    program: Program
    skeleton: str
    inputs: tuple[Arguments, ...]
    probes: tuple[Arguments, ...]

    def request(self, hash_seed: int) -> Request:
        return Request(self.program, self.inputs, self.probes, essential=True, pure=True, hash_seed=hash_seed)


class _Rejected(Exception):
    """Carries a `Rejection` out of a check."""

    def __init__(self, reason: str, detail: str = "", *, fault: bool = False) -> None:
        self.rejection = Rejection(reason, detail, fault)


async def admit(drafts: Sequence[Draft], executor: Executor) -> list[Task | Rejection]:
    """One task or rejection per draft, in order."""
    return list(await asyncio.gather(*[_admit_one(draft, executor) for draft in drafts]))


async def _admit_one(draft: Draft, executor: Executor) -> Task | Rejection:
    try:
        candidate = _read(draft)
        runs = await executor.run([candidate.request(0)])
        _check_run(candidate, runs[0])
        n_runs = N_HASH_SEEDS if candidate.program.uses_sets else N_RUNS
        runs += await executor.run([candidate.request(seed) for seed in range(1, n_runs)])
        return _task(candidate, runs)
    except _Rejected as rejected:
        return rejected.rejection


def _read(draft: Draft) -> _Candidate:
    """Check fields, policy and inputs, without running anything."""
    fields = draft.fields
    if draft.kind not in KINDS:
        raise _Rejected("syntax", f"no kind {draft.kind!r}; there are {', '.join(KINDS)}")
    source = _text(fields, "program")
    try:
        tree = parse_module(source)
        nodes = all_nodes(tree)
        program, skeleton = check_tree(source, tree, nodes), tree_skeleton(tree, nodes)
    except Banned as error:
        raise _Rejected("banned", str(error)) from None
    except Oversize as error:
        raise _Rejected("oversize", f"the program is {error}") from None
    except ValueError as error:
        raise _Rejected("syntax", str(error)) from None
    inputs = _read_inputs(draft, source)
    return _Candidate(draft, program, skeleton, inputs, probes_like(inputs[0]))


def _read_inputs(draft: Draft, source: str) -> tuple[Arguments, ...]:
    if draft.kind != "induction":
        return (_read_input(_text(draft.fields, "input")),)
    if reveals(_text(draft.fields, "message"), source):
        raise _Rejected("banned", "the message gives the program away")
    texts = draft.fields.get("inputs")
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise _Rejected("syntax", "the field 'inputs' is not a list of texts")
    if len(texts) > MAX_INPUTS:
        raise _Rejected("oversize", f"more than {MAX_INPUTS} inputs")
    distinct = {arguments.text: arguments for arguments in map(_read_input, texts)}
    if len(distinct) < 2:
        raise _Rejected("syntax", "induction needs at least two different inputs")
    return tuple(distinct.values())


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise _Rejected("syntax", f"the field {name!r} is not a text")
    return value


def _read_input(text: str) -> Arguments:
    try:
        return read_arguments(text)
    except NotLiteral as error:
        raise _Rejected("banned", f"input: {error}") from None
    except Oversize:
        raise _Rejected("oversize", "the input is too large") from None
    except ValueError as error:
        raise _Rejected("syntax", f"input: {error}") from None


def _check_run(candidate: _Candidate, outcomes: list[Outcome]) -> None:
    """Reject what no further run could save."""
    for outcome in outcomes[: len(candidate.inputs)]:
        if outcome.status == "fault":
            raise _Rejected("crash", f"sandbox: {outcome.text}", fault=True)
        if outcome.status == "error":
            if candidate.draft.kind != "error":
                raise _Rejected("raises", outcome.text)
            if "." in outcome.text:
                raise _Rejected("unserialisable", f"{outcome.text} is not a built-in exception")
        elif outcome.status != "ok":
            raise _Rejected(outcome.status, outcome.text)
        elif candidate.draft.kind != "error" and not _is_canonical(outcome.text):
            raise _Rejected("unserialisable", "no literal spells the value")
    # A probe that draws on chance gives the program away even where the input itself does not.
    if any(outcome.status == "nondeterministic" for outcome in outcomes):
        raise _Rejected("nondeterministic")


def _is_canonical(text: str) -> bool:
    """Whether the worker's word is the canonical text of some value, read here as data."""
    try:
        return canonical(text) == text
    except ValueError:
        return False


def _task(candidate: _Candidate, runs: list[list[Outcome]]) -> Task:
    first = runs[0]
    for other in runs[1:]:
        _check_run(candidate, other)
        if any(_differ(a, b) for a, b in zip(first, other, strict=True)):
            raise _Rejected("nondeterministic", "runs disagree")
    draft = candidate.draft
    texts = [outcome.text for outcome in first[: len(candidate.inputs)]]
    given, gold = _given_and_gold(candidate, first[0].status, texts)
    probed = first[len(candidate.inputs) :]
    behaviour = [(outcome.status, outcome.text) for outcome in probed or first]
    return Task(
        id=task_id(draft.domain, draft.kind, given),
        domain=draft.domain,
        kind=draft.kind,
        given=given,
        gold=gold,
        skeleton=candidate.skeleton,
        signature=_mark(candidate.probes, probed) + content_hash(behaviour),
        draft=dict(draft.fields),
    )


def _mark(probes: Sequence[Arguments], outcomes: Sequence[Outcome]) -> str:
    """How the signature begins: `constant:` or `identity:` where every probe shows it, else nothing."""
    if len(outcomes) < 2 or any(outcome.status != "ok" for outcome in outcomes):
        return ""
    if all(outcome.text == probe.text for probe, outcome in zip(probes, outcomes, strict=True)):
        return "identity:"
    return "constant:" if len({outcome.text for outcome in outcomes}) == 1 else ""


def _differ(one: Outcome, other: Outcome) -> bool:
    """Whether two runs show chance; what a limit cut short shows nothing."""
    cut = ("timeout", "memory", "crash", "skipped", "fault")
    return one[:2] != other[:2] and one.status not in cut and other.status not in cut


def _given_and_gold(candidate: _Candidate, status: str, texts: list[str]) -> tuple[dict[str, Any], Any]:
    """What the solver sees, and the hidden text that answers it (for induction, the program and the other pairs)."""
    source, first_input = candidate.program.source, candidate.inputs[0].text
    match candidate.draft.kind:
        case "deduction":
            return {"program": source, "input": first_input}, texts[0]
        case "abduction":
            return {"program": source, "output": texts[0]}, first_input
        case "error":
            return {"program": source, "input": first_input}, texts[0] if status == "error" else NO_ERROR
    pairs = [{"input": i.text, "output": text} for i, text in zip(candidate.inputs, texts, strict=True)]
    n_shown = (len(pairs) + 1) // 2
    given = {"message": candidate.draft.fields["message"], "pairs": pairs[:n_shown]}
    return given, {"program": source, "pairs": pairs[n_shown:]}
