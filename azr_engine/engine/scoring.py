"""From verdicts to training samples: rewards, then advantages per (domain, role, kind).

The tries at a task serve twice: their mean pays the proposer, and they are the solver's group. Masked attempts
(faults, abstentions) and masked proposals (too few scored tries, verifier faults) leave the batch.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from azr_engine.engine.advantages import SAME_REWARD, Advantages, estimate, estimate_audited
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.types import (
    Attempt,
    Completion,
    Episode,
    EstimatedVerdict,
    Malformed,
    Proposal,
    Rejection,
    Task,
)
from azr_engine.trainer.protocol import Sample
from azr_engine.verifiers.trust.rates import ErrorRates

Cell = tuple[str, str]


def reward(
    proposals: Sequence[Proposal],
    episodes: Sequence[Episode],
    rule: RewardRule,
    rng: random.Random,
    rates_of: Callable[[Task], ErrorRates | None] = lambda task: None,
) -> tuple[list[Proposal], list[Episode]]:
    """Proposals and episodes with rewards, in order; None marks what is masked.

    The verdicts stay as they were, whatever scores the rule pays.

    Args:
        episodes: those of the proposals' tasks and any others.
        rng: for rules that are controls.
        rates_of: the error rates of the judge of a task; None where the verifier knows the truth.
    """
    paid = _paid_scores(episodes, rule, rng)
    by_task = {episode.task.id: scores for episode, scores in zip(episodes, paid, strict=True)}
    rewarded = []
    for episode, scores in zip(episodes, paid, strict=True):
        attempts = tuple(_rewarded(a, score, rule) for a, score in zip(episode.attempts, scores, strict=True))
        rewarded.append(dataclasses.replace(episode, attempts=attempts))
    paid_proposals = [dataclasses.replace(p, reward=_proposal_reward(p, by_task, rule, rates_of)) for p in proposals]
    return paid_proposals, rewarded


def _paid_scores(episodes: Sequence[Episode], rule: RewardRule, rng: random.Random) -> list[list[float | None]]:
    """The score that is paid for each attempt; None where the verdict does not count."""
    paid: list[list[float | None]] = [[None] * len(episode.attempts) for episode in episodes]
    places: dict[Cell, list[tuple[int, int]]] = {}
    for i, episode in enumerate(episodes):
        cell = (episode.task.domain, episode.task.kind)
        places.setdefault(cell, []).extend((i, j) for j, a in enumerate(episode.attempts) if a.verdict.scored)
    for own in places.values():
        scores = rule.pay([episodes[i].attempts[j].verdict.score for i, j in own], rng)
        for (i, j), score in zip(own, scores, strict=True):
            paid[i][j] = score
    return paid


def _rewarded(attempt: Attempt, score: float | None, rule: RewardRule) -> Attempt:
    if rule.honest and isinstance(attempt.verdict, EstimatedVerdict):
        score = attempt.verdict.estimate
    value = None if score is None else rule.solver(score)
    # An unparsable answer is judged like any other failure, but a control pays it like any other try.
    if score == 0.0 and isinstance(attempt.answer, Malformed):
        value = rule.malformed_answer
    return dataclasses.replace(attempt, reward=value)


def _proposal_reward(
    proposal: Proposal,
    paid: Mapping[str, Sequence[float | None]],
    rule: RewardRule,
    rates_of: Callable[[Task], ErrorRates | None],
) -> float | None:
    match proposal.outcome:
        case Malformed():
            return rule.malformed_draft
        case Rejection(fault=fault):
            return None if fault else rule.rejected_draft
        case Task() as task if task.id in paid:
            scores = [score for score in paid[task.id] if score is not None]
            rates = rates_of(task)
            if rates is not None and rule.noisy_proposer is not None:
                return rule.noisy_proposer(sum(scores), len(scores), rates) if scores else None
            return rule.proposer(sum(scores), len(scores))
        case _:
            return None


def training_samples(
    proposals: Sequence[Proposal],
    episodes: Sequence[Episode],
    estimator: str,
    propose_weight: float = 1.0,
) -> dict[Cell, list[Sample]]:
    """The update's samples by (domain, kind); those whose advantage is zero are left out, they teach nothing.

    The trainer weighs tokens, all alike. Left at that, the proposer's long texts would have most of the gradient, and
    its reward is by far the noisier one. So its advantages are scaled by one factor, after which a proposal of mean
    length weighs `propose_weight` times as much as a try of mean length.

    Equal completions of one prompt become one sample with the sum of their advantages: the gradient is the same, and
    short answers repeat so often that it costs about half.

    Args:
        estimator: a key of `advantages.ESTIMATORS`.
        propose_weight: of a proposal, against 1 for a try.
    """
    solver: dict[Cell, list[tuple[Attempt, float, int]]] = {}
    for group, episode in enumerate(episodes):
        for attempt in episode.attempts:
            if attempt.reward is not None:
                cell = (episode.task.domain, episode.task.kind)
                solver.setdefault(cell, []).append((attempt, attempt.reward, group))
    proposer: dict[Cell, list[tuple[Proposal, float]]] = {}
    for proposal in proposals:
        if proposal.reward is not None:
            proposer.setdefault((proposal.domain, proposal.kind), []).append((proposal, proposal.reward))
    tries = _mean_length(attempt.completion for rows in solver.values() for attempt, _, _ in rows)
    drafts = _mean_length(proposal.completion for paid in proposer.values() for proposal, _ in paid)
    samples: dict[Cell, list[Sample]] = {}
    for cell, rows in solver.items():
        tried = [attempt.completion for attempt, _, _ in rows]
        samples.setdefault(cell, []).extend(_samples(tried, _solver_advantages(rows, estimator), "solve", 1.0))
    for cell, paid in proposer.items():
        rewards = np.array([reward for _, reward in paid], dtype=np.float64)
        advantages = estimate(estimator, rewards, np.zeros(len(paid), dtype=np.int64))
        drafted = [proposal.completion for proposal, _ in paid]
        own = _samples(drafted, advantages, "propose", propose_weight * tries / drafts)
        samples.setdefault(cell, []).extend(own)
    return samples


def _mean_length(completions: Iterable[Completion]) -> float:
    """Mean tokens of some completions; 1 without any."""
    lengths = [len(completion.ids) for completion in completions]
    return sum(lengths) / len(lengths) if lengths else 1.0


def _solver_advantages(rows: Sequence[tuple[Attempt, float, int]], estimator: str) -> Advantages:
    """Advantages of the tries of one cell from (attempt, reward, group) rows."""
    verdicts = [attempt.verdict for attempt, _, _ in rows]
    rewards = np.array([reward for _, reward, _ in rows], dtype=np.float64)
    groups = np.array([group for _, _, group in rows], dtype=np.int64)
    if any(isinstance(verdict, EstimatedVerdict) for verdict in verdicts):
        return estimate_audited(rewards, np.array([verdict.score for verdict in verdicts], dtype=np.float64), groups)
    return estimate(estimator, rewards, groups)


def _samples(
    completions: Sequence[Completion], advantages: Advantages, role: Literal["propose", "solve"], weight: float
) -> list[Sample]:
    """The samples of one cell and role."""
    merged: dict[tuple[tuple[int, ...], tuple[int, ...]], Sample] = {}
    for completion, value, keep in zip(completions, advantages.values, advantages.keep, strict=True):
        if keep and value != 0.0:
            key = completion.prompt_ids, completion.ids
            same = merged.get(key)
            total = weight * float(value) + (same.advantage if same else 0.0)
            merged[key] = Sample(*key, same.logprobs if same else completion.logprobs, total, role)
    return [sample for sample in merged.values() if abs(sample.advantage) > SAME_REWARD]


def varies(episode: Episode) -> bool:
    """Whether the attempts' rewards differ, so that the group carries a gradient of its own."""
    rewards = {attempt.reward for attempt in episode.attempts if attempt.reward is not None}
    return len(rewards) > 1
