"""The queue of alarms that paused a run, and of drafts kept out: what waits for a person, and what a person decided.

Kept in `review.jsonl`, one JSON object a line: an alarm with its id, or a decision on one. Lines are only ever added;
the last decision on an alarm counts. A run with an alarm that waits, or that was rejected, is not resumed.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from azr_engine.engine.durable import append_line, json_line, whole_lines
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Alarm, content_hash

FILE = "review.jsonl"
DRAFT_ALARM = "draft"
"""Alarms of this name are drafts on which a judge did not say: they stop no run, whatever is decided on them."""

Decision = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Item:
    """An alarm that paused the run. `decision` is None while it waits; `note` is what the person said."""

    id: str
    alarm: Alarm
    decision: Decision | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """One key per field."""
        return {"id": self.id, "alarm": self.alarm.to_json(), "decision": self.decision, "note": self.note}


class ReviewQueue:
    """The queue of the run in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE

    def items(self) -> list[Item]:
        """Every alarm that paused the run, in order, as it stands now. Raises UserError for a line that is neither."""
        items: dict[str, Item] = {}
        for line in map(json.loads, whole_lines(self._path)):
            try:
                _take(line, items)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise UserError(f"{self._path} holds a line that is no alarm and no decision on one") from None
        return list(items.values())

    def waits(self, alarm: Alarm) -> bool:
        """Put an alarm in the queue unless it is there; whether the run has to wait for it.

        A resumed run repeats the steps since its checkpoint, so an approved alarm may come up again: that one does not
        wait.
        """
        key = _id(alarm)
        known = {item.id: item for item in self.items()}
        if key not in known:
            append_line(self._path, json_line({"id": key, "alarm": alarm.to_json()}))
            return True
        return known[key].decision != "approve"

    def decide(self, key: str, decision: Decision, note: str = "") -> list[Item]:
        """Approve or reject the alarm of this id, or with `all` every one that waits; returns those decided.

        Raises:
            UserError: there is none, or nothing waits.
        """
        chosen = [i for i in self.items() if (i.decision is None if key == "all" else i.id == key)]
        if not chosen:
            raise UserError("nothing waits for review" if key == "all" else f"no alarm {key!r} in {self._path}")
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        for item in chosen:
            append_line(self._path, json_line({"id": item.id, "decision": decision, "note": note, "time": time}))
        return [Item(item.id, item.alarm, decision, note) for item in chosen]

    def holding(self) -> list[Item]:
        """The alarms for which the run must not go on: those that wait, and those that a person rejected."""
        return [item for item in self.items() if item.alarm.name != DRAFT_ALARM and item.decision in (None, "reject")]

    def require_approved(self) -> None:
        """Raises UserError where an alarm waits or was rejected, so that the run must not go on."""
        holding = self.holding()
        waiting = [item for item in holding if item.decision is None]
        if waiting:
            raise UserError(
                f"{len(waiting)} alarm(s) wait for review, the first: {waiting[0].alarm.message}; see "
                f"azr-engine review {self._folder}"
            )
        if holding:
            rejected = holding[0]
            raise UserError(f"alarm {rejected.id} ({rejected.alarm.name}) was rejected, so this run does not go on")


def _take(line: dict[str, Any], items: dict[str, Item]) -> None:
    """What one line says. Raises one of many errors where it says nothing."""
    if "alarm" in line:
        items[line["id"]] = Item(line["id"], Alarm.from_json(line["alarm"]))
    elif line["id"] in items:
        old = items[line["id"]]
        items[old.id] = Item(old.id, old.alarm, line["decision"], line["note"])


def _id(alarm: Alarm) -> str:
    return content_hash(alarm.to_json(), n_hex=8)
