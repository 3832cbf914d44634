"""`MonitorScore`: how much a monitor suspects, in a form that no reward can be made of.

Training against a monitor of reasoning teaches to hide the reasoning [arXiv 2503.11926], so its score must be unable to
reach a reward. This type is no number, converts to none and has no arithmetic: a type checker refuses it where a number
is wanted, and Python raises. Its JSON is a text that no number can be read from.
Not covered: code that decides on `exceeds` what it pays. That reward code knows nothing of this package is kept by an
import contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Self, final

_KEY = "monitor_score"


@final
class MonitorScore:
    """Suspicion from 0 to 1, for people and alarms alone.

    Raises:
        ValueError: `suspicion` is out of range.
    """

    __slots__ = ("_percent",)

    def __init__(self, suspicion: float) -> None:
        if not 0.0 <= suspicion <= 1.0:
            raise ValueError(f"a suspicion of {suspicion!r} is not within 0 and 1")
        self._percent = f"{100 * suspicion:.0f}%"

    def exceeds(self, percent: int) -> bool:
        """Whether the suspicion is above so many percent."""
        return int(self._percent.removesuffix("%")) > percent

    def __str__(self) -> str:
        return self._percent

    def __repr__(self) -> str:
        return f"MonitorScore({self._percent})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MonitorScore) and self._percent == other._percent

    def __hash__(self) -> int:
        return hash((_KEY, self._percent))

    def __bool__(self) -> NoReturn:
        raise TypeError("a monitor's score is neither true nor false, and no reward")

    def to_json(self) -> dict[str, str]:
        """A dictionary with one text; no number."""
        return {_KEY: self._percent}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        """The score that `to_json` wrote. Raises ValueError for anything else."""
        text = data.get(_KEY, "")
        digits = text.removesuffix("%")
        if set(data) != {_KEY} or text == digits or not digits.isascii() or not digits.isdigit():
            raise ValueError("no monitor's score")
        return cls(int(digits) / 100)
