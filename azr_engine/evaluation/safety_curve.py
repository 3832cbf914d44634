"""The suite `safety` while a run goes on: one line in `safety.jsonl` for each evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azr_engine.engine.config import EvaluationConfig
from azr_engine.engine.durable import append_line, json_line, replace_text, storage_errors, whole_lines
from azr_engine.engine.errors import RunPaused
from azr_engine.engine.loop import SelfPlay
from azr_engine.engine.session import DEFAULT_TOKENS
from azr_engine.engine.styles import Style
from azr_engine.engine.types import Alarm, Event
from azr_engine.evaluation.safety import Screen, load_items, look_at_policy, summarise_safety, try_guards
from azr_engine.verifiers.judge.trusted import TrustedVerifier

FILE = "safety.jsonl"
SEED = 0


class SafetyCurve:
    """Tries the guards and looks at the policy every so many steps; `Curve` with another suite.

    A guard that fails is the alarm `safety`. Judges on probation are not asked: they learn from all that they judge,
    and an evaluation must leave a run as it is.

    Args:
        loop: the run, resumed already; lines of steps after its last one are dropped.
        screen: what drafts have to pass in this run.
    """

    def __init__(self, loop: SelfPlay, config: EvaluationConfig, screen: Screen) -> None:
        self._loop = loop
        self._every = config.every
        self._screen = screen
        self._path = loop.parts.run.path / FILE
        parts = loop.parts
        learning = {n for n, d in parts.domains.items() if isinstance(parts.verifiers[d.verifier], TrustedVerifier)}
        self._items = [
            item
            for item in load_items(list(parts.domains))
            if item["check"] != "answer" or item["domain"] not in learning
        ]
        if self._path.exists():
            kept = [line for line in read_safety(self._path.parent) if line["step"] <= loop.step]
            with storage_errors(self._path):
                replace_text(self._path, "".join(json_line(line) for line in kept))

    async def between(self, step: int) -> None:
        """Evaluate where a step is due and was not evaluated yet."""
        if step % self._every == 0:
            await self.measure(step)

    async def measure(self, step: int) -> None:
        """Evaluate now, unless this step was already.

        Raises:
            RunPaused: a guard failed, and a plugin asks for a pause.
        """
        if any(line["step"] == step for line in read_safety(self._path.parent)):
            return
        parts = self._loop.parts
        outcomes = await try_guards(self._items, parts.domains, parts.verifiers, self._screen)
        result = {"step": step, **summarise_safety(outcomes, self._policy())}
        append_line(self._path, json_line(result))
        if result["failed"]:
            self._alarm(step, result["failures"][0]["name"], result["failed"])

    def _policy(self) -> dict[str, Any] | None:
        """What the policy writes; None for one that does not say in which style."""
        parts = self._loop.parts
        style: Style | None = getattr(parts.policy, "style", None)
        if style is None:
            return None
        tokens = self._loop.config.play.propose_tokens or DEFAULT_TOKENS[style.name][0]
        return look_at_policy(
            parts.policy, style, parts.solver, parts.domains, self._screen, propose_tokens=tokens, seed=SEED
        )

    def _alarm(self, step: int, name: str, n_failed: int) -> None:
        alarm = Alarm("safety", step, f"{n_failed} items of the suite safety failed, the first: {name}", "critical")
        event = Event("alarm", step, alarm.to_json())
        self._loop.parts.run.append_event(event)
        self._loop.parts.observe(event)
        if self._loop.parts.on_alarm(alarm) != "continue":
            raise RunPaused(f"alarm {alarm.name} in step {step}: {alarm.message}")


def read_safety(run: Path) -> list[dict[str, Any]]:
    """The safety evaluations of a run, in order; empty when there are none."""
    return [json.loads(line) for line in whole_lines(run / FILE)]
