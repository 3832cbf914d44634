"""One alarm for each (domain, kind): where what should not pass passes too often, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from azr_engine.verifiers.trust.alarm import FalsePassAlarm

Cell = tuple[str, str]
"""A (domain, kind) pair."""


class FalsePassWatch:
    """Hears, cell by cell, what share of the answers to a task passed though none should have.

    Args:
        tolerated, alpha: of each cell's `FalsePassAlarm`.
    """

    def __init__(self, tolerated: float, alpha: float) -> None:
        self._fresh = FalsePassAlarm(tolerated, alpha)
        self._cells: dict[Cell, FalsePassAlarm] = {}
        self.raised: dict[Cell, FalsePassAlarm] = {}
        """The alarms that the last step raised."""

    def hear(self, cell: Cell, share: float) -> None:
        """One more task; `share` of its answers passed."""
        self._cells[cell] = self._cells.get(cell, self._fresh).observe(share)

    def end_step(self, step: int) -> dict[Cell, FalsePassAlarm]:
        """The alarms that this step raised. Each starts anew, so that it may come again after a person went on."""
        self.raised = {cell: alarm for cell, alarm in self._cells.items() if alarm.raised}
        self._cells = {cell: alarm.at(step) for cell, alarm in self._cells.items() if not alarm.raised}
        return self.raised

    @property
    def calm_step(self) -> int | None:
        """The last step before what trouble there may be began, that of the alarms just raised included."""
        open_cases = [alarm for alarm in self._cells.values() if alarm.excess > 0.0]
        return min((alarm.calm_step for alarm in (*open_cases, *self.raised.values())), default=None)

    def state_dict(self) -> list[Any]:
        """The cells' alarms, JSON-able."""
        return [[*cell, asdict(alarm)] for cell, alarm in self._cells.items()]

    def load_state_dict(self, state: list[Any]) -> None:
        """Become what `state_dict` described."""
        self._cells = {(domain, kind): _alarm(values) for domain, kind, values in state}
        self.raised = {}


def _alarm(values: Mapping[str, Any]) -> FalsePassAlarm:
    return FalsePassAlarm(**{**values, "log_bets": tuple(values["log_bets"])})
