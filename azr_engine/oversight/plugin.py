"""`Oversight`: the built-in plugin, through the same hooks as anybody's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from azr_engine.engine.types import Alarm, Draft, Event, Refusal
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.draft_judge import DraftJudge, draft_key
from azr_engine.oversight.policy import load_policy
from azr_engine.oversight.review import DRAFT_ALARM, ReviewQueue
from azr_engine.plugins import hookimpl

_EXCERPT_CHARACTERS = 300


class Oversight:
    """Screens drafts by the policy and a judge, and puts alarms that pause the run into its review queue.

    Args:
        judge: asked instead of the configured one.

    Raises:
        UserError: the policy file is wrong, or the judge's address.
    """

    def __init__(self, config: OversightConfig, judge: DraftJudge | None = None) -> None:
        self._config = config
        self._judge = judge or (DraftJudge(config.judge) if config.enabled and config.judge.model else None)
        self._policy = load_policy(config.policy)
        self._queue: ReviewQueue | None = None

    @hookimpl
    def azr_screen_draft(self, draft: Draft) -> Refusal | None:
        """The policy's first rule that applies, else what the judge says."""
        if not self._config.enabled:
            return None
        return self._policy.refusal(draft) or self._judged(draft)

    def _judged(self, draft: Draft) -> Refusal | None:
        if self._judge is None:
            return None
        vote = self._judge.vote(draft)
        if vote.accept is not None:
            return None if vote.accept else Refusal("draft_judge")
        match self._config.judge.abstains:
            case "pass":
                return None
            case "review" if self._queue is not None:
                text = json.dumps(dict(draft.fields), default=str)[:_EXCERPT_CHARACTERS]
                asked = Alarm(DRAFT_ALARM, 0, f"no word on {draft.domain}/{draft.kind} {draft_key(draft)}: {text}")
                return Refusal("waits_for_review") if self._queue.waits(asked) else None
        return Refusal("draft_judge_abstained")

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
