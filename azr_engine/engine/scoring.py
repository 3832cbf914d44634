"""From verdicts to training samples: rewards, then advantages per (domain, role, kind).

The tries at a task serve twice: their mean pays the proposer, and they are the solver's group. Masked attempts
(faults, abstentions) and masked proposals (too few scored tries, verifier faults) leave the batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from azr_engine.engine.advantages import estimate
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.types import Attempt, Completion, Episode, Malformed, Proposal, Rejection, Task
from azr_engine.trainer.protocol import Sample

Cell = tuple[str, str]


def reward_episodes(episodes: Sequence[Episode], rule: RewardRule) -> list[Episode]:
    """Episodes whose attempts carry rewards; None where the verdict does not count."""
    return [
        dataclasses.replace(episode, attempts=tuple(_rewarded(attempt, rule) for attempt in episode.attempts))
        for episode in episodes
    ]


def _rewarded(attempt: Attempt, rule: RewardRule) -> Attempt:
    reward: float | None = None
    if isinstance(attempt.answer, Malformed):
        reward = rule.malformed_answer
    elif attempt.verdict.scored:
        reward = rule.solver(attempt.verdict.score)
    return dataclasses.replace(attempt, reward=reward)


def reward_proposals(
    proposals: Sequence[Proposal], episodes: Mapping[str, Episode], rule: RewardRule
) -> list[Proposal]:
    """Proposals with rewards, from the episodes of their tasks by task id."""
    return [dataclasses.replace(p, reward=_proposal_reward(p, episodes, rule)) for p in proposals]


def _proposal_reward(proposal: Proposal, episodes: Mapping[str, Episode], rule: RewardRule) -> float | None:
    match proposal.outcome:
        case Malformed():
            return rule.malformed_draft
        case Rejection(fault=fault):
            return None if fault else rule.rejected_draft
        case Task(id=task_id) if task_id in episodes:
            scored = episodes[task_id].scored
            return rule.proposer(sum(a.verdict.score for a in scored), len(scored))
        case _:
            return None


def training_samples(
    proposals: Sequence[Proposal], episodes: Sequence[Episode], estimator: str
) -> dict[Cell, list[Sample]]:
    """The update's samples by (domain, kind); those whose advantage is zero are left out, they teach nothing."""
    solver: dict[Cell, list[tuple[Completion, float, int]]] = {}
    for group, episode in enumerate(episodes):
        for attempt in episode.attempts:
            if attempt.reward is not None:
                cell = (episode.task.domain, episode.task.kind)
                solver.setdefault(cell, []).append((attempt.completion, attempt.reward, group))
    proposer: dict[Cell, list[tuple[Completion, float, int]]] = {}
    for proposal in proposals:
        if proposal.reward is not None:
            proposer.setdefault((proposal.domain, proposal.kind), []).append((proposal.completion, proposal.reward, 0))
    samples: dict[Cell, list[Sample]] = {}
    for cell, rows in solver.items():
        samples.setdefault(cell, []).extend(_samples(rows, estimator, "solve"))
    for cell, rows in proposer.items():
        samples.setdefault(cell, []).extend(_samples(rows, estimator, "propose"))
    return samples


def _samples(rows: Sequence[tuple[Completion, float, int]], estimator: str, role: str) -> list[Sample]:
    rewards = np.array([reward for _, reward, _ in rows], dtype=np.float64)
    groups = np.array([group for _, _, group in rows], dtype=np.int64)
    advantages = estimate(estimator, rewards, groups)
    return [
        Sample(completion.prompt_ids, completion.ids, completion.logprobs, float(value), role)  # type: ignore[arg-type]
        for (completion, _, _), value, keep in zip(rows, advantages.values, advantages.keep, strict=True)
        if keep and value != 0.0
    ]


def varies(episode: Episode) -> bool:
    """Whether the attempts' rewards differ, so that the group carries a gradient of its own."""
    rewards = {attempt.reward for attempt in episode.attempts if attempt.reward is not None}
    return len(rewards) > 1
