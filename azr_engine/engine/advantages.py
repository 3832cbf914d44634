"""From rewards to advantages: how far each sample stands above its baseline. Pure numpy.

`estimate` is called once per (domain, role, kind), so that no domain, role or kind is measured against another;
within the call, `groups` says which samples share a baseline. Every estimator works on sequences: each sample
weighs the same, however many tokens it has. How an advantage then spreads over tokens is the loss's business.

Standard deviations are of the population (divisor n). Rewards within `SAME_REWARD` of each other count as
equal, so that rounding noise is never blown up to unit variance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from azr_engine.engine.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SAME_REWARD = 1e-9


@dataclass(frozen=True, slots=True)
class Advantages:
    """`values`: float64[n]; `keep`: bool[n], False for samples that must not enter the update."""

    values: Floats
    keep: Bools


@dataclass(frozen=True, slots=True)
class Estimator:
    """An advantage estimator.

    Attributes:
        name: the name that configurations use.
        advantages: from rewards float64[n] and dense group indices int64[n] (0 to the number of groups - 1).
        clip_high: upper clip of the probability ratio, as its distance from 1; None where it equals the lower one.
    """

    name: str
    advantages: Callable[[Floats, Ints], Advantages]
    clip_high: float | None = None


def estimate(name: str, rewards: Floats, groups: Ints) -> Advantages:
    """Advantages of n samples of one (domain, role, kind), by the estimator `name`.

    Args:
        name: a key of `ESTIMATORS`.
        rewards: float64[n], finite.
        groups: int64[n]; equal numbers share a baseline (the tries at one task). The numbers mean nothing else.

    Raises:
        UserError: no estimator has this name.
        ValueError: shapes differ, or a reward is not finite.
    """
    if name not in ESTIMATORS:
        raise UserError(f"there is no advantage estimator {name!r}; choose one of {', '.join(ESTIMATORS)}")
    rewards, index = _checked(rewards, groups)
    return ESTIMATORS[name].advantages(rewards, index)


def estimate_audited(rewards: Floats, scores: Floats, groups: Ints) -> Advantages:
    """Advantages of n tries of one (domain, kind) whose rewards are a judge's scores with audits' corrections.

    (r - group mean) / s with one s for all: the root mean square by which `scores` differ from their group's mean,
    over the groups where they differ at all; 1 without any. Divided by its own spread, as other estimators do, a group
    would shrink a correction of several units to little more than one, and a fooled judge would pay after all.

    Args:
        rewards: float64[n], finite.
        scores: float64[n], the same without corrections.
        groups: int64[n], as for `estimate`.

    Raises:
        ValueError: shapes differ, or a number is not finite.
    """
    rewards, index = _checked(rewards, groups)
    scores, _ = _checked(scores, groups)
    differing = _centre(scores, index)[_varies(scores, index)[index]]
    spread = float(np.sqrt(np.mean(differing**2))) if differing.size else 1.0
    return _keep_all(_centre(rewards, index) / spread)


def zero_variance_share(rewards: Floats, groups: Ints) -> float:
    """Share of groups whose rewards are all equal, groups of one included: paid for, and teaching nothing.

    0.0 when there is no group. Raises ValueError as `estimate` does.
    """
    rewards, index = _checked(rewards, groups)
    return float(np.mean(~_varies(rewards, index))) if rewards.size else 0.0


def _trr(rewards: Floats, groups: Ints) -> Advantages:
    """Task-relative REINFORCE++ [arXiv 2505.03335, section 3.3.5]: (r - mean) / std over all n sequences."""
    return _keep_all(_whiten(rewards, np.zeros_like(groups)))


def _grpo(rewards: Floats, groups: Ints) -> Advantages:
    """Group-relative [arXiv 2402.03300]: (r - group mean) / group std; 0 where the group does not vary."""
    return _keep_all(_whiten(rewards, groups))


def _dr_grpo(rewards: Floats, groups: Ints) -> Advantages:
    """GRPO done right [arXiv 2503.20783]: r - group mean, undivided, so that easy and hard groups weigh the same."""
    return _keep_all(_centre(rewards, groups))


def _rloo(rewards: Floats, groups: Ints) -> Advantages:
    """Leave one out [arXiv 2402.14740]: r minus the mean of the others, n / (n - 1) * (r - group mean); 0 if alone."""
    n = np.bincount(groups)[groups]
    return _keep_all(_centre(rewards, groups) * n / np.maximum(n - 1, 1))


def _dapo(rewards: Floats, groups: Ints) -> Advantages:
    """Dynamic sampling [arXiv 2503.14476, section 3.2]: GRPO without the groups that do not vary."""
    return Advantages(_whiten(rewards, groups), _varies(rewards, groups)[groups])


ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "trr++": Estimator("trr++", _trr),
        "grpo": Estimator("grpo", _grpo),
        "dr-grpo": Estimator("dr-grpo", _dr_grpo),
        "rloo": Estimator("rloo", _rloo),
        "dapo": Estimator("dapo", _dapo, clip_high=0.28),
    }
)
DEFAULT_ADVANTAGE = "grpo"


def _checked(rewards: Floats, groups: Ints) -> tuple[Floats, Ints]:
    """Rewards as float64[n] and group numbers made dense; ValueError for what is neither."""
    values = np.asarray(rewards, dtype=np.float64)
    labels = np.asarray(groups)
    if values.ndim != 1 or values.shape != labels.shape:
        raise ValueError(f"rewards {values.shape} and groups {labels.shape} must be vectors of one length")
    if not np.isfinite(values).all():
        raise ValueError("every reward must be finite; mask what could not be scored")
    return values, np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _keep_all(values: Floats) -> Advantages:
    return Advantages(values, np.ones(values.shape, dtype=np.bool_))


def _varies(rewards: Floats, groups: Ints) -> Bools:
    """bool[n_groups]: whether a group's rewards differ from each other."""
    n_groups = int(groups.max(initial=-1)) + 1
    low, high = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(low, groups, rewards)
    np.maximum.at(high, groups, rewards)
    return np.asarray(high - low > SAME_REWARD)


def _centre(rewards: Floats, groups: Ints) -> Floats:
    """r - group mean; exactly 0 where the group does not vary."""
    mean = np.bincount(groups, weights=rewards) / np.maximum(np.bincount(groups), 1)
    return np.where(_varies(rewards, groups)[groups], rewards - mean[groups], 0.0)


def _whiten(rewards: Floats, groups: Ints) -> Floats:
    """(r - group mean) / group std; exactly 0 where the group does not vary."""
    centred = _centre(rewards, groups)
    variance = np.bincount(groups, weights=centred**2) / np.maximum(np.bincount(groups), 1)
    std = np.sqrt(variance)
    return centred / np.where(std > 0.0, std, 1.0)[groups]
