"""`judge/noisy`: a verifier that knows the truth, made to err as often as one likes. For experiments.

It errs with planted rates, alike on answers to the same task if told to, and can be given a hole: a text that makes
it accept whatever carries it. What training against such a judge does to the truth is then measurable.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.protocols import Nature, Verifier
from azr_engine.engine.types import Answer, Task, content_hash
from azr_engine.verifiers.judge.protocol import ABSTENTION, Vote


class NoisyConfig(BaseModel):
    """Planted errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_accept: Annotated[float, Field(ge=0, le=1, description="P(accept | wrong).")] = 0.2
    false_reject: Annotated[float, Field(ge=0, le=1, description="P(reject | right).")] = 0.1
    correlation: Annotated[
        float, Field(ge=0, lt=1, description="Intra-class correlation of votes within a task; 0: independent.")
    ] = 0.0
    exploit: Annotated[str, Field(description="A text that makes any answer accepted; empty: no such hole.")] = ""


class NoisyJudge:
    """The truth with planted errors.

    Args:
        truth: the verifier that knows; its faults and abstentions become abstentions.
        seed: every vote follows from it, the task, the answer and the sample's number.
    """

    name = "judge/noisy"
    nature: Nature = "sampled"
    compares = False

    def __init__(self, truth: Verifier, config: NoisyConfig, seed: int = 0) -> None:
        self._truth, self._config, self._seed = truth, config, seed

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`."""
        verdicts = await self._truth.judge(pairs)
        return [
            self._vote(task, answer, verdict.status == "pass", sample) if verdict.scored else ABSTENTION
            for (task, answer), verdict in zip(pairs, verdicts, strict=True)
        ]

    async def close(self) -> None:
        """The truth belongs to its owner; nothing else is held."""

    def _vote(self, task: Task, answer: Answer, right: bool, sample: int) -> Vote:
        if self._config.exploit and self._config.exploit in answer.raw:
            return Vote(True, 1.0, "fooled")
        chance = self._accept_chance(task, right)
        accept = self._rng("vote", task.id, answer.raw, sample).random() < chance
        return Vote(accept, float(accept))

    def _accept_chance(self, task: Task, right: bool) -> float:
        """P(accept) for this task: the planted rate, or a draw around it with the planted correlation."""
        mean = 1.0 - self._config.false_reject if right else self._config.false_accept
        if self._config.correlation == 0.0 or mean in (0.0, 1.0):
            return mean
        weight = 1.0 / self._config.correlation - 1.0
        return self._rng("chance", task.id, right).betavariate(mean * weight, (1.0 - mean) * weight)

    def _rng(self, *parts: object) -> random.Random:
        return random.Random(content_hash(self._seed, *map(str, parts)))
