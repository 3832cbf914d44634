"""Checks on hooks other than domains and verifiers: each is called once with a sample, as a run would."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from azr_engine.curriculum.protocol import Cell, Observation, PlansReplay
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.types import (
    Alarm,
    Answer,
    Attempt,
    Completion,
    Draft,
    Drop,
    Episode,
    Event,
    Refusal,
    Task,
    Verdict,
)
from azr_engine.plugins.conformance.kit import Failed

_DRAFT = Draft("python", "deduction", {"program": "def f(x): return x", "input": "1"})
_TASK = Task("0" * 16, "python", "deduction", {"program": "def f(x): return x", "input": "1"}, "1", "s")
_COMPLETION = Completion((1,), (2,), (-0.5,), "1", "stop", 0)
_EPISODE = Episode(
    _TASK,
    tuple(
        Attempt(_TASK, _COMPLETION, Answer({"answer": "1"}, "1"), verdict, verdict.score)
        for verdict in (Verdict("pass", 1.0), Verdict("fail", 0.0))
    ),
)
_SEEN = {
    ("python", "deduction"): Observation(16, 12, 6, 0.2, 0.4),
    ("python", "induction"): Observation(16, 0, 0, None, None),
    ("math", "deduction"): Observation(16, 14, 0, 0.0, 1.0),
    ("math", "error"): Observation(0, 0, 0, None, None),
}


def screen(function: Callable[..., Any]) -> str:
    """A screen answers None or a Refusal."""
    return _one_of(function(_DRAFT), (Refusal, type(None)))


def gate(function: Callable[..., Any]) -> str:
    """A gate answers None or a Drop."""
    return _one_of(function(_EPISODE), (Drop, type(None)))


def bonus(function: Callable[..., Any]) -> str:
    """A bonus is None or a number from 0 to 1 for any answer, and the same when asked again."""
    for text in ("1", "def f(x):\n    return x", "\x00((((", "(" * 10_000):
        attempt = dataclasses.replace(_EPISODE.attempts[0], answer=Answer({"answer": text}, text))
        said = function(attempt)
        if said is not None and (type(said) not in (int, float) or not 0 <= said <= 1):
            raise Failed(f"it answers {said!r:.100}")
        if function(attempt) != said:
            raise Failed("it answers otherwise when asked again")
    return "answers None or a number from 0 to 1"


def observer(function: Callable[..., Any]) -> str:
    """An observer takes events of any name and changes nothing in them."""
    event = Event("step", 1, {"seconds": 1.0})
    function(Event("unheard-of", 0))
    function(event)
    if event.data != {"seconds": 1.0}:
        raise Failed("it changes the event that it sees")
    return "took two events"


def alarm(function: Callable[..., Any]) -> str:
    """An alarm is answered by None, continue, pause or halt."""
    said = function(Alarm("faults", 1, "too many"))
    if said not in (None, "continue", "pause", "halt"):
        raise Failed(f"it answers {said!r}")
    return f"answers {said}"


def rewards(function: Callable[..., Any]) -> str:
    """Reward rules have names, pay finite amounts, and pay a solver no less for a pass than for a fail."""
    rules: list[RewardRule] = list(function())
    for rule in rules:
        amounts = [rule.solver(0.0), rule.solver(1.0), rule.malformed_answer, rule.malformed_draft, rule.rejected_draft]
        amounts += [amount for k in range(9) if (amount := rule.proposer(float(k), 8)) is not None]
        amounts += rule.pay([0.0, 1.0], random.Random(0))
        if not all(math.isfinite(amount) for amount in amounts):
            raise Failed(f"the rule {rule.name!r} pays an amount that is not finite")
        if rule.solver(1.0) < rule.solver(0.0):
            raise Failed(f"the rule {rule.name!r} pays more for a fail than for a pass")
    return ", ".join(rule.name for rule in rules) or "none"


def curricula(function: Callable[..., Any]) -> str:
    """Curricula are made by name; each splits any budget whole, and one read back from its state splits alike."""
    makers: Mapping[str, Callable[[], Any]] = function()
    for name, make in makers.items():
        if not isinstance(name, str):
            raise Failed("a curriculum's name is no text")
        first, again = make(), make()
        again.load_state_dict(first.state_dict())
        _split(name, first)
        for cell, seen in _SEEN.items():
            first.observe(cell, seen)
        again.load_state_dict(json.loads(json.dumps(first.state_dict())))
        if _split(name, first) != _split(name, again):
            raise Failed(f"the curriculum {name!r} read back from its state splits otherwise")
    return ", ".join(makers) or "none"


def _split(name: str, curriculum: Any) -> list[dict[Cell, int]]:
    """How it splits budgets large and small, for each of the splits that it offers."""
    cells, splits = list(_SEEN), []
    for how in ("plan", "plan_replay") if isinstance(curriculum, PlansReplay) else ("plan",):
        for budget in (64, len(cells) - 1):
            split, same = (getattr(curriculum, how)(cells, budget, random.Random(0)) for _ in range(2))
            what = f"{how} of the curriculum {name!r}"
            if not set(split) <= set(cells) or any(type(n) is not int or n < 0 for n in split.values()):
                raise Failed(f"{what} is no whole numbers by cell: {split!r:.100}")
            if sum(split.values()) != budget:
                raise Failed(f"{what} gives {sum(split.values())} of {budget}")
            if same != split:
                raise Failed(f"{what} is another one for the same random state")
            splits.append(split)
    return splits


def _one_of(answer: object, allowed: tuple[type, ...]) -> str:
    if not isinstance(answer, allowed):
        raise Failed(f"it answers a {type(answer).__name__}")
    return f"answers {type(answer).__name__}"


HOOK_CHECKS: Mapping[str, Callable[[Callable[..., Any]], str]] = {
    "azr_screen_draft": screen,
    "azr_gate_group": gate,
    "azr_bonus": bonus,
    "azr_observe": observer,
    "azr_on_alarm": alarm,
    "azr_rewards": rewards,
    "azr_curricula": curricula,
}
