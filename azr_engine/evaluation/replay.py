"""Recorded answers judged again: which verdicts flip, and what rewards and advantages would have been.

Read from the task store, step by step; nothing is written and no text is sampled. Rewards follow from the verdicts by
the run's rule, advantages by its estimator, as in training. Not repeated: groups that a gate dropped, the weights that
the update gives to roles and kinds, and what a judge on probation made of its audits: abstentions until it was trusted,
and advantages from estimates in place of its verdicts (the rewards from before do hold them).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from azr_engine.engine.advantages import SAME_REWARD, estimate
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Verifier
from azr_engine.engine.randomness import derived_rng
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.scoring import reward
from azr_engine.engine.store import TaskStore
from azr_engine.engine.store_records import StoredAttempt, StoredProposal
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Episode,
    Malformed,
    Proposal,
    Rejection,
    Task,
    Verdict,
)

Cell = tuple[str, str]
_SHOWN_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Flip:
    """A verdict that is another one now. `before` and `after` hold `status`, `score`, `reason`, reward, advantage."""

    step: int
    task: str
    domain: str
    kind: str
    answer: str
    before: dict[str, Any]
    after: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """One key per field."""
        return dataclasses.asdict(self)


@dataclass
class Replay:
    """What replaying some steps found so far.

    Attributes:
        flips: how often each pair of statuses, such as `pass>fail`, came up, by `domain/kind`; equal ones included.
        tries, asked: tries in all, and those that a verifier was asked about (the others held no answer).
        moved: tries whose advantage changed; `turned`: those whose advantage changed its sign.
        shift: the sum of the changes' absolute values.
        groups: groups that carry a gradient, by whether they did `before` and do `after`.
        proposals: proposals whose reward changed.
    """

    flips: dict[str, Counter[str]] = field(default_factory=dict)
    tries: int = 0
    asked: int = 0
    moved: int = 0
    turned: int = 0
    shift: float = 0.0
    groups: Counter[str] = field(default_factory=Counter)
    proposals: int = 0

    def to_json(self) -> dict[str, Any]:
        """The figures of `azr-engine replay --json`."""
        flipped = sum(n for counts in self.flips.values() for change, n in counts.items() if _is_flip(change))
        return {
            "tries": self.tries,
            "asked": self.asked,
            "flipped": flipped,
            "by_kind": {cell: dict(sorted(counts.items())) for cell, counts in sorted(self.flips.items())},
            "advantages": {
                "moved": self.moved,
                "turned": self.turned,
                "mean_shift": self.shift / self.tries if self.tries else 0.0,
                "groups_before": self.groups["before"],
                "groups_after": self.groups["after"],
            },
            "proposals_repaid": self.proposals,
        }


class Replayer:
    """Judges the tries of a run again.

    Args:
        config: the run's settings.
        rule: its reward rule.
        verifiers: who judges now, by the name of the domain; the tries of other domains keep their verdicts.
    """

    def __init__(
        self,
        store: TaskStore,
        config: RunConfig,
        rule: RewardRule,
        verifiers: Mapping[str, Verifier],
    ) -> None:
        self._store = store
        self._config = config
        self._rule = rule
        self._verifiers = verifiers
        self.found = Replay()

    async def step(self, step: int) -> list[Flip]:
        """Replay one step, add it to `found`, and return its flips."""
        before = list(self._episodes(step))
        after = await self._judged(before)
        # What a judge's proposals were paid depends on error rates that it believed then and that nothing records.
        judged = self._config.judge.domains
        proposals = [self._proposal(s) for s in self._store.proposals(step) if s.domain not in judged]
        rng = derived_rng(self._config.seed, step, "reward")
        repaid, after = reward(proposals, after, self._rule, rng)
        self.found.proposals += sum(_differ(old.reward, new.reward) for old, new in zip(proposals, repaid, strict=True))
        return self._compare(step, before, after)

    def _compare(self, step: int, before: Sequence[Episode], after: Sequence[Episode]) -> list[Flip]:
        flips: list[Flip] = []
        found, was, now = self.found, self._advantages(before), self._advantages(after)
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            counts = found.flips.setdefault(f"{old.task.domain}/{old.task.kind}", Counter())
            found.groups["before"] += any(was[place])
            found.groups["after"] += any(now[place])
            for a, b, x, y in zip(old.attempts, new.attempts, was[place], now[place], strict=True):
                change = f"{a.verdict.status}>{b.verdict.status}"
                counts[change] += 1
                found.tries += 1
                found.asked += isinstance(a.answer, Answer)
                found.moved += abs(x - y) > SAME_REWARD
                found.turned += x * y < 0
                found.shift += abs(x - y)
                if _is_flip(change):
                    task = old.task
                    sides = [
                        {**_said(one.verdict), "reward": one.reward, "advantage": advantage}
                        for one, advantage in ((a, x), (b, y))
                    ]
                    flips.append(Flip(step, task.id, task.domain, task.kind, a.answer.raw[:_SHOWN_CHARACTERS], *sides))
        return flips

    def _episodes(self, step: int) -> Iterator[Episode]:
        """The step's tries as groups; tries at one task that follow each other are cut where a group is full."""
        group: list[StoredAttempt] = []
        for stored in self._store.attempts_in(step):
            if group and (stored.task_id != group[0].task_id or len(group) == self._config.play.attempts):
                yield self._episode(group)
                group = []
            group.append(stored)
        if group:
            yield self._episode(group)

    def _episode(self, group: Sequence[StoredAttempt]) -> Episode:
        task = self._store.task(group[0].task_id)
        return Episode(task, tuple(Attempt(task, _completion(s), s.answer, s.verdict, s.reward) for s in group))

    def _proposal(self, stored: StoredProposal) -> Proposal:
        outcome: Task | Malformed | Rejection | None = None
        if stored.task_id is not None:
            outcome = self._store.task(stored.task_id)
        elif stored.outcome == "malformed":
            outcome = Malformed(stored.reason, stored.text)
        elif stored.outcome in ("rejected", "fault"):
            outcome = Rejection(stored.reason, fault=stored.outcome == "fault")
        return Proposal(stored.domain, stored.kind, _completion(stored), stored.parents, outcome, stored.reward)

    async def _judged(self, episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes with new verdicts where an answer can be read and a verifier is at hand."""
        places: dict[str, list[tuple[int, int]]] = {}
        for i, episode in enumerate(episodes):
            if episode.task.domain in self._verifiers:
                own = [(i, j) for j, a in enumerate(episode.attempts) if isinstance(a.answer, Answer)]
                places.setdefault(episode.task.domain, []).extend(own)
        verdicts: dict[tuple[int, int], Verdict] = {}

        async def ask(domain: str, own: list[tuple[int, int]]) -> None:
            attempts = [episodes[i].attempts[j] for i, j in own]
            pairs = [(a.task, a.answer) for a in attempts if isinstance(a.answer, Answer)]
            verdicts.update(zip(own, await _ask(self._verifiers[domain], pairs), strict=True))

        await asyncio.gather(*(ask(domain, own) for domain, own in places.items()))
        return [
            dataclasses.replace(
                episode,
                attempts=tuple(
                    dataclasses.replace(a, verdict=verdicts.get((i, j), a.verdict))
                    for j, a in enumerate(episode.attempts)
                ),
            )
            for i, episode in enumerate(episodes)
        ]

    def _advantages(self, episodes: Sequence[Episode]) -> list[list[float]]:
        """The advantage of each try, measured within its (domain, kind) as in training; 0 where it was masked."""
        values = [[0.0] * len(episode.attempts) for episode in episodes]
        cells: dict[Cell, list[tuple[int, int, float]]] = {}
        for i, episode in enumerate(episodes):
            rows = cells.setdefault((episode.task.domain, episode.task.kind), [])
            rows += [(i, j, a.reward) for j, a in enumerate(episode.attempts) if a.reward is not None]
        for rows in cells.values():
            rewards = np.array([row[2] for row in rows], dtype=np.float64)
            groups = np.array([row[0] for row in rows], dtype=np.int64)
            found = estimate(self._config.play.advantage, rewards, groups)
            for (i, j, _), value, keep in zip(rows, found.values, found.keep, strict=True):
                values[i][j] = float(value) if keep else 0.0
        return values


async def _ask(verifier: Verifier, pairs: Sequence[tuple[Task, Answer]]) -> Sequence[Verdict]:
    try:
        verdicts = await verifier.judge(pairs)
        if len(verdicts) == len(pairs):
            return verdicts
        reason = f"{len(verdicts)} verdicts for {len(pairs)} answers"
    except Exception as error:
        reason = f"{type(error).__name__} in the verifier: {error}"[:_SHOWN_CHARACTERS]
    return [Verdict("fault", 0.0, reason)] * len(pairs)


def _completion(stored: StoredAttempt | StoredProposal) -> Completion:
    """A completion without its ids, which the store does not keep."""
    return Completion((), (), (), stored.text, "stop" if stored.finish == "stop" else "length", stored.weight_version)


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"status": verdict.status, "score": verdict.score, "reason": verdict.reason}


def _is_flip(change: str) -> bool:
    before, _, after = change.partition(">")
    return before != after


def _differ(old: float | None, new: float | None) -> bool:
    return (old is None) != (new is None) or (old is not None and new is not None and abs(old - new) > SAME_REWARD)
