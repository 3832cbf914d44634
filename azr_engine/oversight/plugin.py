"""`Oversight`: the built-in plugin, through the same hooks as anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from azr_engine.engine.types import Alarm, Draft, Event, Refusal
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.policy import load_policy
from azr_engine.oversight.review import ReviewQueue
from azr_engine.plugins import hookimpl


class Oversight:
    """Screens drafts by the policy, and puts alarms that pause the run into its review queue.

    Raises:
        UserError: the policy file is wrong.
    """

    def __init__(self, config: OversightConfig) -> None:
        self._config = config
        self._policy = load_policy(config.policy)
        self._queue: ReviewQueue | None = None

    @hookimpl
    def azr_screen_draft(self, draft: Draft) -> Refusal | None:
        """The policy's first rule that applies."""
        return self._policy.refusal(draft) if self._config.enabled else None

    @hookimpl
    def azr_observe(self, event: Event) -> None:
        """Learn where the run's files are."""
        if event.name == "run":
            self._queue = ReviewQueue(Path(event.data["folder"]))

    @hookimpl
    def azr_on_alarm(self, alarm: Alarm) -> Literal["pause"] | None:
        """Pause on the configured alarms, unless a person approved this one already."""
        if not self._config.enabled or alarm.name not in self._config.pause_on:
            return None
        return "pause" if self._queue is None or self._queue.waits(alarm) else None
