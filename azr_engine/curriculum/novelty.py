"""The gate against asking the same thing again: quotas over the recently admitted tasks of each (domain, kind).

Self-play without it collapses onto one trivial question. Two quotas stop the two cheapest ways there:

- a skeleton (structure without names and literals) may occur only `quota` times in the window, since exact duplicates
  alone are dodged by changing a number;
- one hidden answer may make up only `answer_share` of the window. Where answers come from a short list, as in the
  kind `error`, a proposer that drifts towards one of them teaches the solver to give it blindly.

Not covered: tasks that look different, have different answers and still ask the same.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.types import Rejection, Task, canonical_json

MIN_RECENT = 20
"""Recent tasks below which no share of answers is judged."""


class NoveltyConfig(BaseModel):
    """Settings of the gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quota: Annotated[int, Field(ge=0, description="Tasks of one skeleton admitted within the window; 0: no limit.")] = 3
    answer_share: Annotated[
        float, Field(gt=0, le=1, description="Largest share of one hidden answer in the window; 1: no limit.")
    ] = 0.4
    window: Annotated[int, Field(ge=1, description="Admitted tasks per domain and kind that the quotas look at.")] = 500


class NoveltyGate:
    """Counts skeletons and answers among the last admitted tasks of each (domain, kind).

    Its state is a function of the admitted tasks in order, so a resumed run rebuilds it from the task store.
    """

    def __init__(self, config: NoveltyConfig) -> None:
        self._config = config
        self._cells: dict[tuple[str, str], _Cell] = {}

    def restore(self, domain: str, kind: str, tasks: Iterable[Task]) -> None:
        """Remember the tasks of one cell that were admitted earlier, oldest first, and nothing else of it."""
        self._cells[domain, kind] = cell = _Cell(self._config.window)
        for task in tasks:
            cell.remember(task)

    def admit(self, task: Task) -> Rejection | None:
        """Why the task is kept out; None when it is within its quotas, and it counts from now on."""
        cell = self._cells.setdefault((task.domain, task.kind), _Cell(self._config.window))
        if self._config.quota and cell.skeletons[task.skeleton] >= self._config.quota:
            return Rejection("near_duplicate", "its skeleton is over its quota of recent tasks")
        same = cell.answers[canonical_json(task.gold)] + 1
        if len(cell.recent) >= MIN_RECENT and same > self._config.answer_share * (len(cell.recent) + 1):
            return Rejection("imbalanced", "its answer is over its share of recent tasks")
        cell.remember(task)
        return None


class _Cell:
    """The last tasks of one (domain, kind), counted."""

    def __init__(self, window: int) -> None:
        self._window = window
        self.recent: deque[tuple[str, str]] = deque()
        self.skeletons: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()

    def remember(self, task: Task) -> None:
        answer = canonical_json(task.gold)
        self.recent.append((task.skeleton, answer))
        self.skeletons[task.skeleton] += 1
        self.answers[answer] += 1
        if len(self.recent) > self._window:
            skeleton, answer = self.recent.popleft()
            self.skeletons[skeleton] -= 1
            self.answers[answer] -= 1
            # Counters keep zeros; dropping empty entries bounds the memory by the window.
            self.skeletons += Counter()
            self.answers += Counter()
