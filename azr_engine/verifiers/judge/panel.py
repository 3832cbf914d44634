"""`judge/panel`: several judges heard as one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task
from azr_engine.verifiers.judge.protocol import ABSTENTION, Judge, Vote
from azr_engine.verifiers.trust.panel import pessimistic
from azr_engine.verifiers.trust.rates import ErrorRates


class PanelJudge:
    """Each member's vote weighs as much as its error rates say; with none known, all weigh alike.

    The members' log-odds are added as if they erred independently [Dawid and Skene 1979]; members shown to depend on
    each other must be left out (`trust.panel.dependent_pairs`). The panel accepts when the pessimistic confidence
    exceeds one half: a split panel accepts nothing.

    Args:
        rates: the members' error rates, in order; None gives each r0 = r1 = 0.3.
        caution: standard deviations of the members' confidence that are taken off; infinity is the worst case.
    """

    name = "judge/panel"
    nature: Nature = "sampled"

    def __init__(
        self, judges: Sequence[Judge], rates: Sequence[ErrorRates] | None = None, *, caution: float = 0.0
    ) -> None:
        if len(judges) < 2 or (rates is not None and len(rates) != len(judges)):
            raise ValueError("a panel needs at least two judges, and rates for each or for none")
        self._judges, self._caution = list(judges), caution
        self.compares = any(judge.compares for judge in judges)
        self._rates = list(rates) if rates is not None else [ErrorRates(0.3, 0.3)] * len(judges)

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`."""
        columns = await asyncio.gather(*(judge.vote(pairs, sample) for judge in self._judges))
        return [self._together(votes) for votes in zip(*columns, strict=True)]

    async def close(self) -> None:
        """Release every member."""
        await asyncio.gather(*(judge.close() for judge in self._judges))

    def _together(self, votes: Sequence[Vote]) -> Vote:
        heard = [(vote, rates) for vote, rates in zip(votes, self._rates, strict=True) if vote.accept is not None]
        if not heard:
            return ABSTENTION
        log_odds = sum(_log_odds(bool(vote.accept), rates) for vote, rates in heard)
        chance = 1.0 / (1.0 + math.exp(-max(min(log_odds, 50.0), -50.0)))
        spread = [float(bool(vote.accept)) for vote, _ in heard]
        # What disagreement takes off the mean of the votes is taken off the combined confidence.
        doubt = sum(spread) / len(spread) - pessimistic(spread, self._caution) if self._caution else 0.0
        confidence = max(chance - doubt, 0.0)
        if confidence == 0.5:
            return ABSTENTION
        return Vote(confidence > 0.5, confidence, f"{sum(map(int, spread))} of {len(spread)} judges accept")


def _log_odds(accept: bool, rates: ErrorRates) -> float:
    """ln P(vote | right) - ln P(vote | wrong), rates kept off 0 and 1 by a thousandth."""
    r0 = min(max(rates.false_accept, 1e-3), 1 - 1e-3)
    r1 = min(max(rates.false_reject, 1e-3), 1 - 1e-3)
    return math.log((1 - r1) / r0) if accept else math.log(r1 / (1 - r0))
