"""`judge/panel`: several judges heard as one, each as much as it has shown to be worth."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task, content_hash
from azr_engine.verifiers.judge.protocol import ABSTENTION, Judge, Vote
from azr_engine.verifiers.trust.panel import MIN_JUDGES, dependent_pairs, fit_panel, pessimistic
from azr_engine.verifiers.trust.rates import ErrorRates

MAX_ROWS = 1000
"""Latest answers that the members' error rates are fitted to."""
MIN_ROWS = 30
FALSE_ALARM = 0.001
"""Chance that a check calls any two independent members dependent."""
UNKNOWN = -1
START = ErrorRates(0.3, 0.3)
"""Of every member, before there are votes to fit."""


class PanelJudge:
    """Each member's vote weighs as much as its error rates say; with none known, all weigh alike.

    Rates that are not given are fitted to the members' own latest votes [Dawid and Skene 1979], anchored by the answers
    whose worth audits have shown. The members' log-odds are added as if they erred independently. Of two members whose
    errors are shown to go together, the worse is not heard. The panel accepts when the pessimistic confidence exceeds
    one half: a split panel accepts nothing.

    Args:
        rates: the members' error rates, in order, fixed; None fits them.
        caution: standard deviations of the members' votes that are taken off; infinity is the worst case.
        names: the members', for people; by default their own.

    Raises:
        ValueError: fewer than two judges, or rates or names for some of them only.
    """

    name = "judge/panel"
    nature: Nature = "sampled"

    def __init__(
        self,
        judges: Sequence[Judge],
        rates: Sequence[ErrorRates] | None = None,
        *,
        caution: float = 0.0,
        names: Sequence[str] | None = None,
    ) -> None:
        if len(judges) < 2 or any(given is not None and len(given) != len(judges) for given in (rates, names)):
            raise ValueError("a panel needs at least two judges, and rates for each or for none")
        self._judges, self._caution = list(judges), caution
        self._names = list(names) if names is not None else [judge.name for judge in judges]
        self.compares = any(judge.compares for judge in judges)
        self._fixed = rates is not None
        self.rates = list(rates) if rates is not None else [START] * len(judges)
        self.unheard: dict[int, int] = {}
        """Members that are not heard, each with the better one that it errs alike with."""
        self._told: set[tuple[int, int]] = set()
        self._rows: OrderedDict[str, tuple[tuple[int, ...], int]] = OrderedDict()

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`."""
        columns = await asyncio.gather(*(judge.vote(pairs, sample) for judge in self._judges))
        rows = list(zip(*columns, strict=True))
        if not self._fixed:
            self._fit()
            for (task, answer), votes in zip(pairs, rows, strict=True):
                key = _key(task, answer)
                cast = tuple(UNKNOWN if vote.accept is None else int(vote.accept) for vote in votes)
                self._rows[key] = cast, self._rows.pop(key, (cast, UNKNOWN))[1]
            while len(self._rows) > MAX_ROWS:
                self._rows.popitem(last=False)
        return [self._together(votes) for votes in rows]

    async def close(self) -> None:
        """Release every member."""
        await asyncio.gather(*(judge.close() for judge in self._judges))

    def learn(self, known: Sequence[tuple[Task, Answer, bool]]) -> None:
        """Hear which of the latest answers were right."""
        for task, answer, right in known:
            if row := self._rows.get(_key(task, answer)):
                self._rows[_key(task, answer)] = row[0], int(right)

    def news(self) -> list[str]:
        """A sentence for each member that fell silent since the last call, because it errs alike with another."""
        fresh = [pair for pair in sorted(self.unheard.items()) if pair not in self._told]
        self._told |= set(fresh)
        return [
            f"{self._names[worse]} is not heard in the panel: it errs where {self._names[better]} does"
            for worse, better in fresh
        ]

    def state_dict(self) -> dict[str, Any]:
        """The latest votes, JSON-able; everything else follows from them."""
        rows = [[key, list(cast), right] for key, (cast, right) in self._rows.items()]
        return {"rows": rows, "told": [list(pair) for pair in sorted(self._told)]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._rows = OrderedDict((key, (tuple(cast), right)) for key, cast, right in state["rows"])
        self._told = {(worse, better) for worse, better in state["told"]}
        if not self._fixed:
            self._fit()

    def _fit(self) -> None:
        """Rates and silences from the latest votes, once there are enough."""
        votes = np.array([cast for cast, _ in self._rows.values()], dtype=np.int8).reshape(-1, len(self._judges))
        truth = np.array([right for _, right in self._rows.values()], dtype=np.int8)
        if len(votes) < MIN_ROWS or (len(self._judges) < MIN_JUDGES and (truth < 0).all()):
            return
        self.rates = list(fit_panel(votes, truth).rates)
        self.unheard = {}
        for i, j, correlation in dependent_pairs(votes, truth, false_alarm=FALSE_ALARM):
            worse, better = (i, j) if self.rates[i].youden < self.rates[j].youden else (j, i)
            if correlation > 0.0 and better not in self.unheard:
                self.unheard[worse] = better

    def _together(self, votes: Sequence[Vote]) -> Vote:
        heard = [
            (vote.accept, rates)
            for i, (vote, rates) in enumerate(zip(votes, self.rates, strict=True))
            if vote.accept is not None and i not in self.unheard
        ]
        if not heard:
            return ABSTENTION
        log_odds = sum(_log_odds(accept, rates) for accept, rates in heard)
        chance = 1.0 / (1.0 + math.exp(-max(min(log_odds, 50.0), -50.0)))
        spread = [float(accept) for accept, _ in heard]
        # What disagreement takes off the mean of the votes is taken off the combined confidence.
        doubt = sum(spread) / len(spread) - pessimistic(spread, self._caution) if self._caution else 0.0
        confidence = max(chance - doubt, 0.0)
        if confidence == 0.5:
            return ABSTENTION
        return Vote(confidence > 0.5, confidence, f"{sum(map(int, spread))} of {len(spread)} judges accept")


def _key(task: Task, answer: Answer) -> str:
    return content_hash(task.id, answer.raw)


def _log_odds(accept: bool, rates: ErrorRates) -> float:
    """ln P(vote | right) - ln P(vote | wrong), rates kept off 0 and 1 by a thousandth."""
    r0 = min(max(rates.false_accept, 1e-3), 1 - 1e-3)
    r1 = min(max(rates.false_reject, 1e-3), 1 - 1e-3)
    return math.log((1 - r1) / r0) if accept else math.log(r1 / (1 - r0))
