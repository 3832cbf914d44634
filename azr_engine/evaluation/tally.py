"""What became of one task in an evaluation, in a few numbers; summaries and comparisons are made of these alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azr_engine.engine.types import Answer, Attempt, Episode, canonical_json


@dataclass(frozen=True, slots=True)
class Tally:
    """Tries at one task.

    Attributes:
        task: its id.
        judged: tries whose verdict was no fault; an abstention counts as a miss.
        passed: those that passed.
        distinct: different answers among the judged tries; unreadable ones are one.
        distinct_passed: different answers among those that passed.
        tokens: tokens written.
        surprise: the sum of -ln p over them, at the sampling temperature.
        fits: false where the prompt and an answer exceed the model's context, and nothing was sampled.
    """

    task: str
    domain: str
    kind: str
    judged: int
    passed: int
    distinct: int = 0
    distinct_passed: int = 0
    tokens: int = 0
    surprise: float = 0.0
    fits: bool = True

    @property
    def cell(self) -> str:
        """`domain/kind`."""
        return f"{self.domain}/{self.kind}"

    def to_json(self) -> dict[str, Any]:
        """This value as a dictionary, one key per field."""
        return dataclasses.asdict(self)


def tally(episode: Episode) -> Tally:
    """The numbers of one episode."""
    judged = [a for a in episode.attempts if a.verdict.status != "fault"]
    passed = [a for a in judged if a.verdict.status == "pass"]
    task = episode.task
    return Tally(
        task.id,
        task.domain,
        task.kind,
        judged=len(judged),
        passed=len(passed),
        distinct=_distinct(judged),
        distinct_passed=_distinct(passed),
        tokens=sum(len(a.completion.ids) for a in episode.attempts),
        surprise=-sum(sum(a.completion.logprobs) for a in episode.attempts),
    )


def _distinct(attempts: Sequence[Attempt]) -> int:
    return len({canonical_json(a.answer.fields) if isinstance(a.answer, Answer) else None for a in attempts})
