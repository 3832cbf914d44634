"""What each role is paid: a rule per name, from scores to rewards.

The caller masks verifier faults and abstentions before a rule sees anything: a rule gets the scores of scored
tries alone, and what the policy itself spoiled (no parsable answer, no parsable draft, a draft the verifier
turned down). Penalties for invalid drafts are part of a rule because they decide whether a proposer survives:
the default charges nothing, since a penalty of 0.1 already started a spiral in one report [arXiv 2510.18821].
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.verifiers.trust.correction import corrected_learnability
from azr_engine.verifiers.trust.rates import ErrorRates


def _honest(scores: Sequence[float], rng: random.Random) -> Sequence[float]:
    return scores


@dataclass(frozen=True, slots=True)
class RewardRule:
    """How scores become rewards.

    Attributes:
        name: the name that configurations use.
        solver: reward of one scored try, from its score in [0, 1].
        proposer: reward of an admitted task, from the sum of its scores and the number of scored tries; None
            when so few tries cannot tell, and the proposal is then masked.
        malformed_answer: reward of a try whose text holds no answer.
        malformed_draft: reward of a proposal whose text holds no draft.
        rejected_draft: reward of a well-formed draft that was not admitted, duplicates included.
        noisy_proposer: the same as `proposer` where verdicts come from a judge of known error rates; None where the
            rule makes no difference.
        pay: the scores that are paid, from the true ones of one (domain, kind) in a step, in the same order; a
            control replaces them. Metrics and the task store keep the true ones.
    """

    name: str
    solver: Callable[[float], float]
    proposer: Callable[[float, int], float | None]
    malformed_answer: float
    malformed_draft: float
    rejected_draft: float
    noisy_proposer: Callable[[float, int, ErrorRates], float | None] | None = None
    pay: Callable[[Sequence[float], random.Random], Sequence[float]] = _honest

    @property
    def honest(self) -> bool:
        """Whether the true scores are paid."""
        return self.pay is _honest


def _score(score: float) -> float:
    return score


def _score_or_penalty(score: float) -> float:
    """1 for a pass, -0.5 for a fail, linear between."""
    return 1.5 * score - 0.5


def _paper_proposer(score_sum: float, n_scored: int) -> float | None:
    """Absolute Zero [arXiv 2505.03335], equation 4: 0 if the mean score is 0, else 1 minus it."""
    if n_scored < 1:
        return None
    return 0.0 if score_sum <= 0.0 else 1.0 - score_sum / n_scored


def _reference_proposer(score_sum: float, n_scored: int) -> float | None:
    """As `_paper_proposer`, but -0.5 for tasks that were always or never solved."""
    if n_scored < 1:
        return None
    return -0.5 if score_sum <= 0.0 or score_sum >= n_scored else 1.0 - score_sum / n_scored


def _learnability_proposer(score_sum: float, n_scored: int) -> float | None:
    return None if n_scored < 2 else unbiased_learnability(score_sum, n_scored)


def _corrected_proposer(score_sum: float, n_scored: int, rates: ErrorRates) -> float | None:
    return None if n_scored < 2 else corrected_learnability(score_sum, n_scored, rates)


def _unpaid_proposer(score_sum: float, n_scored: int) -> float:
    return 0.0


def _random(scores: Sequence[float], rng: random.Random) -> Sequence[float]:
    """A fair coin for each try, whatever was written [arXiv 2506.10947]."""
    return [float(rng.random() < 0.5) for _ in scores]


def _shuffled(scores: Sequence[float], rng: random.Random) -> Sequence[float]:
    """The true scores, dealt out anew: as many are paid as before, but nobody knows for what."""
    return rng.sample(list(scores), len(scores))


PAPER = RewardRule(
    name="paper",
    solver=_score,
    proposer=_paper_proposer,
    malformed_answer=-1.0,
    malformed_draft=-1.0,
    rejected_draft=-0.5,
)
"""Absolute Zero [arXiv 2505.03335]: the role rewards of equations 4 and 5, and equation 6 for invalid text.

Equation 6 also gives -0.5 to a well-formed wrong answer, against the 0 of equation 5; here equation 5 holds,
and the rule `reference` is the other reading.
"""

REFERENCE = RewardRule(
    name="reference",
    solver=_score_or_penalty,
    proposer=_reference_proposer,
    malformed_answer=-1.0,
    malformed_draft=-1.0,
    rejected_draft=-0.5,
)
"""What the published implementation of Absolute Zero pays: 1 / -0.5 / -1, and -0.5 for trivial or hopeless tasks."""

LEARNABILITY = RewardRule(
    name="learnability",
    solver=_score,
    proposer=_learnability_proposer,
    noisy_proposer=_corrected_proposer,
    malformed_answer=0.0,
    malformed_draft=0.0,
    rejected_draft=0.0,
)
"""Learnability p(1 - p) [arXiv 2408.15099], estimated without bias; whatever is invalid earns nothing."""

ACCURACY = dataclasses.replace(LEARNABILITY, name="accuracy", proposer=_unpaid_proposer, noisy_proposer=None)
"""Only the solver is paid, by its score: a control for what paying the proposer is worth."""

RANDOM = dataclasses.replace(LEARNABILITY, name="random", pay=_random)
"""A control: what training teaches when the reward says nothing. It sharpens the policy all the same."""

SHUFFLED = dataclasses.replace(LEARNABILITY, name="shuffled", pay=_shuffled)
"""A control: rewards as frequent as the true ones in each (domain, kind), and as meaningless as random ones."""

REWARDS: Mapping[str, RewardRule] = MappingProxyType(
    {rule.name: rule for rule in (PAPER, REFERENCE, LEARNABILITY, ACCURACY, RANDOM, SHUFFLED)}
)
DEFAULT_REWARD = LEARNABILITY.name
