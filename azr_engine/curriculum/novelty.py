"""The gate against asking the same thing again: a quota of recent tasks per skeleton.

Self-play without it collapses onto one trivial question: exact duplicates alone are too easily dodged by changing a
number. A skeleton (structure without names and literals) may therefore occur only `quota` times among the last
`window` admitted tasks of its domain and kind. Not covered: tasks that look different and behave alike.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.types import Task


class NoveltyConfig(BaseModel):
    """Settings of the gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quota: Annotated[int, Field(ge=0, description="Tasks of one skeleton admitted within the window; 0: no limit.")] = 3
    window: Annotated[int, Field(ge=1, description="Admitted tasks per domain and kind that the quota looks at.")] = 500


class SkeletonQuota:
    """Counts skeletons among the last admitted tasks of each (domain, kind).

    Its state is a function of the admitted tasks in order, so a resumed run rebuilds it from the task store.
    """

    def __init__(self, config: NoveltyConfig) -> None:
        self._config = config
        self._recent: dict[tuple[str, str], deque[str]] = {}
        self._counts: dict[tuple[str, str], Counter[str]] = {}

    def restore(self, domain: str, kind: str, tasks: Iterable[Task]) -> None:
        """Remember the tasks of one cell that were admitted earlier, oldest first, and nothing else of it."""
        self._recent.pop((domain, kind), None)
        self._counts.pop((domain, kind), None)
        for task in tasks:
            self._remember(task)

    def admit(self, task: Task) -> bool:
        """Whether the task's skeleton is within its quota; a task that is counts from now on."""
        counts = self._counts.get((task.domain, task.kind), Counter())
        if self._config.quota and counts[task.skeleton] >= self._config.quota:
            return False
        self._remember(task)
        return True

    def _remember(self, task: Task) -> None:
        cell = (task.domain, task.kind)
        recent = self._recent.setdefault(cell, deque())
        counts = self._counts.setdefault(cell, Counter())
        recent.append(task.skeleton)
        counts[task.skeleton] += 1
        if len(recent) > self._config.window:
            oldest = recent.popleft()
            counts[oldest] -= 1
            if not counts[oldest]:
                del counts[oldest]
