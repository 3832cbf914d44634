"""The solving half of a step: ask for answers, parse them, let the verifiers judge them.

The training loop and the evaluation suites solve and judge through the same code. What a verifier raises becomes a
fault of its batch, is retried once and then masked; what the policy caused fails and is never masked.
"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.engine.context import behind, encode_prompt
from azr_engine.engine.protocols import Domain, Policy, Verifier
from azr_engine.engine.sampling import Log, Sampling, fault_event, group_by_name
from azr_engine.engine.styles import Style
from azr_engine.engine.types import Answer, Attempt, Completion, Episode, Malformed, Prompt, Task, Verdict


class Solver:
    """The policy in the solver's role, and the judges behind it.

    Args:
        domains, verifiers: by name.
        log: told of faults.
    """

    def __init__(
        self,
        domains: Mapping[str, Domain],
        verifiers: Mapping[str, Verifier],
        policy: Policy,
        style: Style,
        sampling: Sampling,
        log: Log,
    ) -> None:
        self._domains = domains
        self._verifiers = verifiers
        self._policy = policy
        self._style = style
        self._sampling = sampling
        self._log = log

    @property
    def temperature(self) -> float:
        """At which completions are sampled."""
        return self._sampling.temperature

    def sampling(self, **changes: Any) -> Solver:
        """A solver of the same parts that samples otherwise: `changes` are fields of `Sampling`."""
        other = copy.copy(self)
        other._sampling = dataclasses.replace(self._sampling, **changes)
        return other

    def judged_by(self, verifiers: Mapping[str, Verifier]) -> Solver:
        """A solver of the same parts whose answers are judged by other verifiers."""
        other = copy.copy(self)
        other._verifiers = verifiers
        return other

    def solve(self, tasks: Sequence[Task], seed: int) -> list[tuple[Task, Prompt, list[Completion]]]:
        """`n_attempts` completions for each task. The solver's prompt is built from a task stripped of its gold."""
        prompts = [self._domains[task.domain].solve_prompt(public(task)) for task in tasks]
        completions = self._policy.generate(
            [encode_prompt(self._policy, self._style, prompt) for prompt in prompts],
            n_samples=self._sampling.n_attempts,
            max_new_tokens=self._sampling.solve_tokens,
            temperature=self._sampling.temperature,
            seed=seed,
        )
        return [
            (task, prompt, [behind(self._style.opening(prompt), completion) for completion in group])
            for task, prompt, group in zip(tasks, prompts, completions, strict=True)
        ]

    async def judge(self, tried: Sequence[tuple[Task, Prompt, Sequence[Completion]]]) -> list[Episode]:
        """The tries as episodes with verdicts. A text without an answer fails without asking any verifier."""
        answers = [[self._parse_answer(task, prompt, c) for c in completions] for task, prompt, completions in tried]
        pairs = [
            (task, answer)
            for (task, _, _), group in zip(tried, answers, strict=True)
            for answer in group
            if isinstance(answer, Answer)
        ]
        verdicts = iter(await self._judge_pairs(pairs))
        episodes = []
        for (task, _, completions), group in zip(tried, answers, strict=True):
            attempts = tuple(
                Attempt(task, completion, answer, next(verdicts) if isinstance(answer, Answer) else _malformed(answer))
                for completion, answer in zip(completions, group, strict=True)
            )
            episodes.append(Episode(task, attempts))
        return episodes

    def _parse_answer(self, task: Task, prompt: Prompt, completion: Completion) -> Answer | Malformed:
        if completion.finish == "length":
            return Malformed("unfinished", completion.text)
        sections = self._style.parse(prompt, completion.text)
        if isinstance(sections, Malformed):
            return sections
        return self._domains[task.domain].parse_answer(public(task), sections)

    async def _judge_pairs(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """Verdicts in order; equal answers to one task are judged once where the verifier is deterministic."""
        verdicts: list[Verdict] = [Verdict("fault", 0.0, "not judged")] * len(pairs)

        async def ask(verifier: Verifier, indices: list[int]) -> None:
            places: dict[Any, list[int]] = {}
            for i in indices:
                task, answer = pairs[i]
                key = (task.id, repr(sorted(answer.fields.items()))) if verifier.nature == "deterministic" else i
                places.setdefault(key, []).append(i)
            groups = list(places.values())
            for group, verdict in zip(
                groups, await self._judge_batch(verifier, [pairs[g[0]] for g in groups]), strict=True
            ):
                for index in group:
                    verdicts[index] = verdict

        names = [self._domains[task.domain].verifier for task, _ in pairs]
        await asyncio.gather(*(ask(self._verifiers[n], indices) for n, indices in group_by_name(names)))
        return verdicts

    async def _judge_batch(self, verifier: Verifier, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """One batch, its faults retried once."""
        verdicts = await self._judge_once(verifier, pairs)
        again = [i for i, verdict in enumerate(verdicts) if verdict.status == "fault"]
        if again:
            for index, verdict in zip(again, await self._judge_once(verifier, [pairs[i] for i in again]), strict=True):
                verdicts[index] = verdict
        return verdicts

    async def _judge_once(self, verifier: Verifier, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        try:
            verdicts = await verifier.judge(pairs)
            if len(verdicts) != len(pairs):
                raise ValueError(f"{len(verdicts)} verdicts for {len(pairs)} answers")
        except Exception as error:
            self._log(*fault_event(verifier.name, "judge", error))
            return [Verdict("fault", 0.0, f"{type(error).__name__} in the verifier")] * len(pairs)
        return list(verdicts)


def public(task: Task) -> Task:
    """The task as the solver's side may see it: without gold and without the draft."""
    return dataclasses.replace(task, gold={}, draft={})


def _malformed(answer: Malformed) -> Verdict:
    return Verdict("fail", 0.0, f"malformed: {answer.reason}", calls=0)
