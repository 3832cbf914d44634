"""The values that flow through a step: frozen, JSON in and out, no torch and nothing else of ours.

`Draft` (what the proposer wrote) becomes a `Task` when a verifier admits it; an `Answer` (what the solver
wrote) becomes a `Verdict` when a verifier judges it. `Malformed`, `Rejection`, `Refusal` and `Drop` say why
something went no further. Every value here is plain data: nothing in it is ever executed or compared by
methods of its own making.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Status = Literal["pass", "fail", "abstain", "fault"]
STATUSES: tuple[Status, ...] = ("pass", "fail", "abstain", "fault")

Fields = Mapping[str, Any]
"""JSON-able named texts, numbers, lists or objects; the names are fixed per domain and kind."""


def canonical_json(value: Any) -> str:
    """Text that is equal for equal JSON values: sorted keys, no spaces, ASCII only.

    Raises:
        TypeError: the value holds something JSON has no form for.
        ValueError: the value holds NaN or an infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(*parts: Any, n_hex: int = 16) -> str:
    """First `n_hex` hexadecimal digits of SHA-256 over the canonical JSON of `parts`."""
    return hashlib.sha256(canonical_json(parts).encode("ascii")).hexdigest()[:n_hex]


class _Json:
    """`to_json` and `from_json` for flat dataclasses of JSON-able fields."""

    def to_json(self) -> dict[str, Any]:
        """This value as a JSON-able dictionary, one key per field."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {f.name: _plain(getattr(self, f.name)) for f in fields}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The value that `to_json` wrote.

        Raises:
            ValueError: a key is missing or unknown; the message names it.
        """
        known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise ValueError(f"{cls.__name__} has no field {unknown[0]!r}")
        required = [
            n for n, f in known.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        missing = [n for n in required if n not in data]
        if missing:
            raise ValueError(f"{cls.__name__} lacks the field {missing[0]!r}")
        values = {n: tuple(v) if isinstance(v, list) and "tuple" in str(known[n].type) else v for n, v in data.items()}
        return cls(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, _Json):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Draft(_Json):
    """What the proposer wrote, parsed, not yet believed."""

    domain: str
    kind: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Task(_Json):
    """An admitted task.

    Attributes:
        id: `task_id(domain, kind, given)`.
        given: what the solver is shown.
        gold: what only the verifier knows, any JSON value (the result's text where there is one result); it never
            enters a prompt.
        skeleton: the task's structure with names and literals abstracted away; equal for near-duplicates.
        signature: how it behaves (outputs on fixed probes); empty when a domain has none. It begins with `constant:`
            where every probe gave the same result, and with `identity:` where each came back unchanged.
        draft: the admitted draft's own fields, so that the task can serve as a reference to the proposer.
            It may reveal gold and is therefore never used to build a solver's prompt.
        parents: ids of the reference tasks shown to the proposer.
        born_step: the step that admitted it; 0 for seeds.
    """

    id: str
    domain: str
    kind: str
    given: Fields
    gold: Any
    skeleton: str
    signature: str = ""
    draft: Fields = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    born_step: int = 0


def task_id(domain: str, kind: str, given: Fields) -> str:
    """Identity of a task: a hash of its domain, its kind and what the solver is shown."""
    return content_hash(domain, kind, _plain(given))


@dataclass(frozen=True, slots=True)
class Answer(_Json):
    """What the solver wrote, parsed: `fields` for the verifier, `raw` as it was written."""

    fields: Fields
    raw: str


@dataclass(frozen=True, slots=True)
class Malformed(_Json):
    """Text that is no draft or no answer, and why. It counts as the policy's own failure."""

    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Rejection(_Json):
    """A draft that a verifier did not admit.

    `reason` is a word from the verifier's fixed list; `detail` is for people. `fault` is true when the
    verifier itself failed, so that the proposer is neither paid nor punished.
    """

    reason: str
    detail: str = ""
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Verdict(_Json):
    """A verifier's word on one answer.

    Attributes:
        status: `fail` includes all that the policy caused (timeout, crash, oversize); `fault` is ours
            (worker killed, daemon gone) and is masked, retried and never scored.
        score: in [0, 1]; 1.0 for a pass and 0.0 for a fail of a deterministic verifier.
        reason: a short word or sentence; empty for a plain pass.
        calls: how often the underlying judge was asked.
        seconds: CPU or service time spent.
    """

    status: Status
    score: float
    reason: str = ""
    calls: int = 1
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"verdict status {self.status!r} is none of {', '.join(STATUSES)}")
        if type(self.score) not in (int, float) or not 0.0 <= self.score <= 1.0:
            raise ValueError(f"verdict score {self.score!r} is not a number in [0, 1]")

    @property
    def scored(self) -> bool:
        """Whether this verdict may move a reward: neither an abstention nor a fault."""
        return self.status in ("pass", "fail")


PASS = Verdict("pass", 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedVerdict(Verdict):
    """A judge's word on an answer, and what audits make of it.

    Attributes:
        estimate: unbiased for the score that the answer deserves, and therefore sometimes below 0 or above 1.
    """

    estimate: float


@dataclass(frozen=True, slots=True)
class Section(_Json):
    """One named part of a prompt, such as the program or the input."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt(_Json):
    """A prompt as structure; a style renders it to text.

    Attributes:
        role: `propose` or `solve`.
        instruction: what to do, in words, for models that read words.
        givens: what is given, in order.
        references: earlier tasks shown to the proposer, each a sequence of sections.
        returns: the sections the model must write, in order, each with a description as text.
    """

    role: Literal["propose", "solve"]
    domain: str
    kind: str
    instruction: str
    givens: tuple[Section, ...] = ()
    references: tuple[tuple[Section, ...], ...] = ()
    returns: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion(_Json):
    """One sampled text.

    Attributes:
        prompt_ids: token ids of the prompt.
        ids: token ids sampled, the end token included when `finish` is `stop`.
        logprobs: natural-log probability of each of `ids` under the sampling distribution.
        text: `ids` decoded, special tokens removed; a solver's behind the opening that its style gives it.
        finish: `stop` (the model ended it) or `length` (cut at the limit).
        weight_version: which weights wrote it; grows by one per update.
    """

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    text: str
    finish: Literal["stop", "length"]
    weight_version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a task, judged. `reward` is None when it is masked (fault or abstention)."""

    task: Task
    completion: Completion
    answer: Answer | Malformed
    verdict: Verdict
    reward: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing the proposer wrote and what became of it: exactly one of the outcomes is set."""

    domain: str
    kind: str
    completion: Completion
    parents: tuple[str, ...] = ()
    outcome: Malformed | Rejection | Task | None = None
    reward: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """The attempts at one task, which share a baseline."""

    task: Task
    attempts: tuple[Attempt, ...]

    @property
    def scored(self) -> tuple[Attempt, ...]:
        """Attempts whose verdict counts."""
        return tuple(a for a in self.attempts if a.verdict.scored)

    @property
    def solve_rate(self) -> float | None:
        """Mean score of the scored attempts; None when there is none."""
        scores = [a.verdict.score for a in self.scored]
        return sum(scores) / len(scores) if scores else None


@dataclass(frozen=True, slots=True)
class Refusal(_Json):
    """A screen's reason for keeping a draft out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drop(_Json):
    """A gate's reason for keeping an episode out of the update."""

    reason: str


@dataclass(frozen=True, slots=True)
class Event(_Json):
    """Something that happened, for observers and `events.jsonl`."""

    name: str
    step: int
    data: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm(_Json):
    """Something a person should look at."""

    name: str
    step: int
    message: str
    severity: Literal["warning", "critical"] = "warning"
