"""From votes to verdicts: ask until the question is decided, remember every vote, never score an outage."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task, Verdict, content_hash
from azr_engine.verifiers.judge.protocol import Judge, JudgeUnavailable, Vote
from azr_engine.verifiers.trust.sequential import SequentialTest

MAX_CACHED_VOTES = 100_000


class Voting:
    """Asks one judge as often as a stopping rule wants, in batches over all open answers.

    Args:
        test: when to stop; None takes a single vote at its word.
    """

    def __init__(self, judge: Judge, test: SequentialTest | None = None) -> None:
        self.judge, self.test = judge, test
        self._cache: OrderedDict[str, Vote] = OrderedDict()

    @property
    def nature(self) -> Nature:
        """The judge's."""
        return self.judge.nature

    async def decide(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict per pair: `abstain` where the judge does not say or the votes stay undecided, `fault` in an outage.

        `calls` counts the votes that the verdict rests on, remembered ones included.
        """
        started = time.perf_counter()
        counts = [(0, 0)] * len(pairs)
        verdicts: list[Verdict | None] = [None] * len(pairs)
        sample = 0
        while open_pairs := [i for i, verdict in enumerate(verdicts) if verdict is None]:
            try:
                votes = await self._votes([pairs[i] for i in open_pairs], sample)
            except JudgeUnavailable as outage:
                for i in open_pairs:
                    verdicts[i] = Verdict("fault", 0.0, f"{self.judge.name} cannot be reached: {outage}", counts[i][1])
                break
            for i, vote in zip(open_pairs, votes, strict=True):
                accepted, n = counts[i]
                counts[i] = accepted + (vote.accept is True), n + 1
                verdicts[i] = self._verdict(vote, *counts[i])
            sample += 1
        seconds = (time.perf_counter() - started) / max(len(pairs), 1)
        return [
            Verdict(verdict.status, verdict.score, verdict.reason, verdict.calls, seconds)
            for verdict in verdicts
            if verdict is not None
        ]

    def _verdict(self, vote: Vote, accepted: int, n: int) -> Verdict | None:
        """What the votes so far amount to; None to ask again."""
        if vote.accept is None:
            return Verdict("abstain", 0.0, vote.reason or "the judge did not say", n)
        if self.test is None:
            return Verdict("pass", 1.0, vote.reason) if vote.accept else Verdict("fail", 0.0, vote.reason)
        match self.test.decide(accepted, n):
            case "accept":
                return Verdict("pass", 1.0, f"{accepted} of {n} votes", n)
            case "reject":
                return Verdict("fail", 0.0, f"{accepted} of {n} votes", n)
            case "undecided":
                return Verdict("abstain", 0.0, f"undecided after {n} votes, {accepted} for it", n)
        return None

    async def _votes(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        if self.judge.compares:
            return await self.judge.vote(pairs, sample)
        keys = [content_hash(task.id, answer.raw, sample) for task, answer in pairs]
        unknown = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._cache}
        fresh = await self.judge.vote(list(unknown.values()), sample) if unknown else []
        known = {
            **{key: self._cache[key] for key in keys if key in self._cache},
            **dict(zip(unknown, fresh, strict=True)),
        }
        for key in known:
            self._cache[key] = known[key]
            self._cache.move_to_end(key)
        while len(self._cache) > MAX_CACHED_VOTES:
            self._cache.popitem(last=False)
        return [known[key] for key in keys]
