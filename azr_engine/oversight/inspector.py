"""Looks at what a step left in the task store, one step later, and answers with alarms.

What it finds is a function of the store and of its state, so a resumed run raises the alarms that it would have. An
alarm is raised when a figure crosses its limit and not again until it has been back inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from azr_engine.curriculum.watch import Watch, WatchConfig
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Alarm
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.drift import Bag, divergence, words
from azr_engine.oversight.monitor import CATEGORIES, read

Cell = tuple[str, str]
"""A (domain, kind) pair."""


class Inspector:
    """Reads texts and measures drift.

    Args:
        store: of the run; only read.
    """

    def __init__(self, config: OversightConfig, store: TaskStore) -> None:
        self._config = config
        self._store = store
        self._flagged: dict[int, dict[str, int]] = {}
        self._raised: set[str] = set()
        self._bags: dict[int, dict[Cell, Bag]] = {}

    def inspect(self, step: int) -> list[Alarm]:
        """What gives reason for alarm in a step that is in the store; the alarms say that they are of the next one."""
        if not self._config.enabled or step < 1:
            return []
        return [*self._reading(step), *self._drift(step)]

    def _reading(self, step: int) -> list[Alarm]:
        counts: Counter[str] = Counter()
        texts = [one.text for one in self._store.proposals(step)]
        texts += [one.text for one in self._store.attempts_in(step)]
        for text in dict.fromkeys(texts):
            flags = read(text).flags
            counts.update(flags)
            counts["texts"] += bool(flags)
        oldest = step - self._config.reading_window
        self._flagged = {past: found for past, found in self._flagged.items() if past > oldest}
        if counts["texts"]:
            self._flagged[step] = dict(counts)
        total = sum((Counter(found) for found in self._flagged.values()), Counter[str]())
        limit = self._config.reading_limit
        if not limit or not self._crossed("reasoning", total["texts"] >= limit):
            return []
        about = ", ".join(f"{name} {total[name]}" for name in CATEGORIES if total[name])
        message = f"{total['texts']} texts of the last {self._config.reading_window} steps were flagged ({about})"
        return [Alarm("reasoning", step + 1, message, "critical")]

    def _drift(self, step: int) -> list[Alarm]:
        alarms = []
        window, limit = self._config.drift_window, self._config.drift_limit
        if not limit or step < 2 * window:
            return []
        for cell, bits in drifts(self._bag, step, window).items():
            if self._crossed(f"drift/{'/'.join(cell)}", bits > limit):
                message = f"proposals of {'/'.join(cell)} are {bits:.2f} bits from those of the first {window} steps"
                alarms.append(Alarm("drift", step + 1, message))
        self._bags = {past: bags for past, bags in self._bags.items() if past <= window or past > step - window}
        return alarms

    def _bag(self, step: int) -> Mapping[Cell, Bag]:
        if step not in self._bags:
            self._bags[step] = proposal_words(self._store, step)
        return self._bags[step]

    def _crossed(self, key: str, outside: bool) -> bool:
        new = outside and key not in self._raised
        (self._raised.add if outside else self._raised.discard)(key)
        return new

    def state_dict(self) -> dict[str, Any]:
        """Everything that later alarms depend on and the store does not hold."""
        return {"flagged": {str(step): found for step, found in self._flagged.items()}, "raised": sorted(self._raised)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._flagged = {int(step): dict(found) for step, found in state["flagged"].items()}
        self._raised = set(state["raised"])


class InspectedWatch(Watch):
    """The watch over a run, which also hears what the inspector found in the step before."""

    def __init__(self, config: WatchConfig, inspector: Inspector) -> None:
        super().__init__(config)
        self._inspector = inspector

    def hear(self, step: int, *figures: Any, **more: Any) -> list[Alarm]:
        """The watch's own alarms and the inspector's; takes what the watch takes."""
        return super().hear(step, *figures, **more) + self._inspector.inspect(step - 1)

    def state_dict(self) -> dict[str, Any]:
        """The watch's state and the inspector's."""
        return {**super().state_dict(), "inspector": self._inspector.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described; a run of before there were inspectors begins with a fresh one."""
        super().load_state_dict(state)
        if "inspector" in state:
            self._inspector.load_state_dict(state["inspector"])


def proposal_words(store: TaskStore, step: int) -> dict[Cell, Bag]:
    """The words of a step's proposals that could be read, by domain and kind."""
    texts: dict[Cell, list[str]] = {}
    for one in store.proposals(step):
        if one.outcome != "malformed":
            texts.setdefault((one.domain, one.kind), []).append(one.text)
    return {cell: words(own) for cell, own in texts.items()}


def drifts(bag_of: Callable[[int], Mapping[Cell, Bag]], step: int, window: int) -> dict[Cell, float]:
    """The divergence of each cell's proposals in the last `window` steps up to `step` from those in the first.

    Args:
        bag_of: the words of a step by cell, as `proposal_words` gives them.
    """
    ends: list[dict[Cell, Bag]] = []
    for steps in (range(1, window + 1), range(max(1, step - window + 1), step + 1)):
        total: dict[Cell, Bag] = {}
        for each in steps:
            for cell, bag in bag_of(each).items():
                total.setdefault(cell, Counter()).update(bag)
        ends.append(total)
    start, now = ends
    found = {cell: divergence(start[cell], now[cell]) for cell in start if cell in now}
    return {cell: bits for cell, bits in found.items() if bits is not None}


def flagged_texts(store: TaskStore, steps: range, limit: int) -> list[dict[str, Any]]:
    """What the monitor flags in these steps, the newest first, at most `limit`.

    Returns:
        `step`, `role` (`propose` or `solve`), `task` (None for a proposal that became none), `flags`, `score` (a
        MonitorScore) and `excerpt` for each.
    """
    found: list[dict[str, Any]] = []
    for step in reversed(steps):
        wrote = [("propose", one.task_id, one.text) for one in store.proposals(step)]
        wrote += [("solve", one.task_id, one.text) for one in store.attempts_in(step)]
        for role, task, text in wrote:
            reading = read(text)
            if reading.flags and len(found) < limit:
                head = {"step": step, "role": role, "task": task, "flags": list(reading.flags)}
                found.append({**head, "score": reading.score, "excerpt": reading.excerpt})
    return found
