"""Where audits come from: answers whose worth is known, mixed unseen among those that a judge is asked about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Answer, Prompt, Task
from azr_engine.verifiers.judge.attacks import as_answer, attacks
from azr_engine.verifiers.trust.rates import RIGHT, WRONG, Stratum


@dataclass(frozen=True, slots=True)
class Audit:
    """An answer of known worth.

    Attributes:
        place: which of the pairs it is, if it was drawn from them by lot; None if it was made or brought.
    """

    task: Task
    answer: Answer
    stratum: Stratum
    place: int | None = None


class Auditor(Protocol):
    """A source of audits."""

    async def audits(self, pairs: Sequence[tuple[Task, Answer]], n: int, rng: random.Random) -> list[Audit]:
        """About `n` audits that look like `pairs`, and some cheats; the same for the same `rng` state."""
        ...


class ShadowAuditor:
    """Audits where a deterministic verifier knows the truth: it shadows a sample of the policy's own answers.

    Cheats are attacks that the truth rejects, each on a task of the batch.

    Args:
        prompt_of: what a solver of the task is shown; for cheats that hand the question back.
    """

    def __init__(self, truth: Verifier, prompt_of: Callable[[Task], Prompt]) -> None:
        self._truth, self._prompt_of = truth, prompt_of

    async def audits(self, pairs: Sequence[tuple[Task, Answer]], n: int, rng: random.Random) -> list[Audit]:
        """See `Auditor.audits`."""
        if not pairs or n < 1:
            return []
        drawn = rng.sample(range(len(pairs)), min(n, len(pairs)))
        sampled = [pairs[place] for place in drawn]
        cheats = [self._cheat(rng.choice(sampled)[0], rng) for _ in range(n)]
        known = [*sampled, *((task, answer) for task, answer, _ in cheats)]
        verdicts = await self._truth.judge(known)
        names = [""] * len(sampled) + [name for _, _, name in cheats]
        places = [*drawn, *[None] * len(cheats)]
        return [
            Audit(task, answer, name or (RIGHT if verdict.status == "pass" else WRONG), place)
            for (task, answer), name, place, verdict in zip(known, names, places, verdicts, strict=True)
            if verdict.scored and not (name and verdict.status == "pass")
        ]

    def _cheat(self, task: Task, rng: random.Random) -> tuple[Task, Answer, Stratum]:
        attack = rng.choice(list(attacks(self._prompt_of(task))))
        return task, as_answer(attack), f"cheat {attack.name}"
