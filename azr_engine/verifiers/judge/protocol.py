"""What a judge is: something that votes on an answer, and may vote otherwise when asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task


class JudgeUnavailable(RuntimeError):
    """The judge cannot be reached now. Nothing may be concluded about any answer."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One opinion on one answer.

    Attributes:
        accept: whether the judge takes the answer for right; None when it did not say (an unparseable reply).
        confidence: the judge's own probability that the answer is right, in [0, 1]; 1.0 or 0.0 for judges without one.
        reason: a short sentence for people.
    """

    accept: bool | None
    confidence: float
    reason: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"a vote's confidence must lie in [0, 1], not {self.confidence!r}")


ABSTENTION = Vote(None, 0.5, "the judge did not say")


@runtime_checkable
class Judge(Protocol):
    """A source of votes. The same (task, answer, sample) gets the same vote, so that a resumed run is the same run."""

    name: str
    nature: Nature
    compares: bool
    """Whether a vote depends on the other pairs of the batch; such votes are not remembered, and repeats are kept."""

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """One vote per pair, in order; `sample` numbers repeated opinions on the same answer, from 0.

        Raises:
            JudgeUnavailable: the judge cannot be asked at all.
        """
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...
