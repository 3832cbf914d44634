"""Tasks that nobody solved: kept out of the way for a while, tried again, and given up after a few times.

Some are impossible for good, some only for now; a second look tells them apart once the policy has learned. The
state is small and goes into the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_TESTS = 3
"""Times a task is tried in all before it is given up."""
CAPACITY = 512
"""Tasks held at once; the newest are turned away beyond it."""


class Quarantine:
    """Which unsolved tasks are due for another try.

    Args:
        after: steps until the second try; every further wait is twice as long.
    """

    def __init__(self, after: int) -> None:
        self._after = after
        self._waiting: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def due(self, step: int, n: int) -> list[str]:
        """Ids of up to `n` tasks to try again in this step, the longest overdue first."""
        ready = sorted((due, task_id) for task_id, (due, _) in self._waiting.items() if due <= step)
        return [task_id for _, task_id in ready[:n]]

    def hear(self, task_id: str, solve_rate: float | None, step: int) -> None:
        """A task was tried: unsolved it waits on or is given up, solved it leaves; unscored it waits as before."""
        if solve_rate is None:
            return
        _, n_tests = self._waiting.pop(task_id, (0, 0))
        n_tests += 1
        if solve_rate <= 0.0 and n_tests < MAX_TESTS and len(self._waiting) < CAPACITY:
            self._waiting[task_id] = (step + self._after * 2 ** (n_tests - 1), n_tests)

    def state_dict(self) -> dict[str, Any]:
        """The waiting tasks, when each is due and how often it was tried."""
        return {"waiting": [[task_id, *entry] for task_id, entry in self._waiting.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._waiting = {task_id: (due, n_tests) for task_id, due, n_tests in state["waiting"]}
