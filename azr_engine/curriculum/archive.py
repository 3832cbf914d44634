"""The archive: the last admitted tasks of one (domain, kind), counted by structure, by behaviour and by difficulty.

A niche of this quality-diversity archive is a structure, a behaviour and a difficulty. It is a function of the
admitted tasks in order and of how they were solved, so a resumed run rebuilds it from the task store. Every question
asked of it is answered from counters, in constant time.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Literal

from azr_engine.engine.types import Task, canonical_json

Difficulty = Literal["untried", "never", "hard", "middle", "easy", "always"]


def difficulty(score_sum: float, n_scored: int) -> Difficulty:
    """A name for a solve rate: 0, up to 1/4, between, from 3/4, 1."""
    if n_scored == 0:
        return "untried"
    rate = score_sum / n_scored
    if rate <= 0.0 or rate >= 1.0:
        return "never" if rate <= 0.0 else "always"
    return "hard" if rate <= 0.25 else "easy" if rate >= 0.75 else "middle"


@dataclass(slots=True)
class Record:
    """What the archive keeps of a task; `shown` tells whether the answer stands in what the solver is given."""

    task_id: str
    skeleton: str
    signature: str
    answer: str
    shown: bool
    n_scored: int = 0
    score_sum: float = 0.0

    @classmethod
    def of(cls, task: Task) -> Record:
        """The record of a task that was not tried yet."""
        shown = task.gold in [value for value in task.given.values() if isinstance(value, str)]
        return cls(task.id, task.skeleton, task.signature, canonical_json(task.gold), shown)


class Archive:
    """Counts over the last `window` admitted tasks."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._recent: deque[Record] = deque()
        self._by_id: dict[str, Record] = {}
        self._skeletons: dict[str, list[Record]] = {}
        self._signatures: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._n_shown = 0

    def __len__(self) -> int:
        return len(self._recent)

    def add(self, record: Record) -> None:
        """Count an admitted task; the oldest leaves a full window."""
        self._recent.append(record)
        self._by_id[record.task_id] = record
        self._skeletons.setdefault(record.skeleton, []).append(record)
        self._signatures[record.signature] += 1
        self._answers[record.answer] += 1
        self._n_shown += record.shown
        if len(self._recent) > self._window:
            self._forget(self._recent.popleft())

    def score(self, task_id: str, score_sum: float, n_scored: int) -> None:
        """Add the tries at a task; one that has left the window is past caring."""
        if record := self._by_id.get(task_id):
            record.score_sum += score_sum
            record.n_scored += n_scored

    def n_skeleton(self, skeleton: str) -> int:
        """Recent tasks of this structure."""
        return len(self._skeletons.get(skeleton, ()))

    def n_signature(self, signature: str) -> int:
        """Recent tasks of this behaviour."""
        return self._signatures[signature]

    def n_answer(self, answer: str) -> int:
        """Recent tasks with this hidden answer."""
        return self._answers[answer]

    @property
    def n_shown(self) -> int:
        """Recent tasks whose answer stands in what the solver is given."""
        return self._n_shown

    def difficulty(self, skeleton: str) -> Difficulty:
        """How hard the recent tasks of this structure were, all their tries together."""
        return difficulty(*self.tries(skeleton))

    def tries(self, skeleton: str) -> tuple[float, int]:
        """The sum of the scores, and their number, over the recent tasks of this structure."""
        own = self._skeletons.get(skeleton, ())
        return sum(r.score_sum for r in own), sum(r.n_scored for r in own)

    def coverage(self) -> dict[str, int]:
        """Different structures, behaviours and niches among the recent tasks."""
        niches = {(r.skeleton, r.signature, difficulty(r.score_sum, r.n_scored)) for r in self._recent}
        return {
            "skeletons": len(self._skeletons),
            "behaviours": len({r.signature for r in self._recent}),
            "niches": len(niches),
            "tasks": len(self._recent),
        }

    def _forget(self, record: Record) -> None:
        # A task that came back after leaving the window has a newer record under its id.
        if self._by_id.get(record.task_id) is record:
            del self._by_id[record.task_id]
        same = self._skeletons[record.skeleton]
        same.remove(record)
        if not same:
            del self._skeletons[record.skeleton]
        self._n_shown -= record.shown
        for counter, key in ((self._signatures, record.signature), (self._answers, record.answer)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]
