"""Several judges as one: who errs how, who merely repeats whom, and what to believe together.

Source: Dawid and Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
Statistics 28(1), for two classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from azr_engine.verifiers.trust.rates import ErrorRates

Votes = npt.NDArray[np.int8]
"""int8[n_items, n_judges]: 1 accept, 0 reject, -1 no vote."""

Floats = npt.NDArray[np.float64]
MIN_JUDGES = 3
"""With two judges, error rates cannot be told from votes alone."""


@dataclass(frozen=True, slots=True)
class PanelFit:
    """What the votes say.

    Attributes:
        p_right: float64[n_items], the posterior chance that an item is right.
        rates: each judge's error rates.
        prevalence: the share of right items.
    """

    p_right: Floats
    rates: tuple[ErrorRates, ...]
    prevalence: float


def fit_panel(votes: Votes, truth: Votes | None = None, *, max_rounds: int = 200) -> PanelFit:
    """Dawid and Skene's EM, assuming that judges err independently of one another given the truth.

    Items whose truth is known (audits) keep it, and so anchor the fit. Counts are smoothed by half an
    observation (Jeffreys' prior), so that no judge is ever certain.

    Args:
        votes: int8[n_items, n_judges].
        truth: int8[n_items], 1 right, 0 wrong, -1 unknown; all unknown by default.

    Raises:
        ValueError: fewer than `MIN_JUDGES` judges and no truth to lean on.
    """
    known = np.full(len(votes), -1, dtype=np.int8) if truth is None else truth
    if votes.shape[1] < MIN_JUDGES and (known < 0).all():
        raise ValueError(f"a panel without audits needs at least {MIN_JUDGES} judges, not {votes.shape[1]}")
    cast = votes >= 0
    if (known >= 0).any():
        # Audits alone start the fit: from the majority it would not recover if most judges are wrong.
        p_right = np.where(known >= 0, known, 0.5)
        cast_first = cast & (known >= 0)[:, None]
    else:
        # The majority names the classes: otherwise right and wrong could swap places.
        p_right = np.clip(np.where(cast, votes, 0).sum(1) / np.maximum(cast.sum(1), 1), 0.05, 0.95)
        cast_first = cast
    for round_number in range(max_rounds):
        before = p_right = np.where(known >= 0, known, p_right).astype(np.float64)
        prevalence = float((p_right.sum() + 0.5) / (len(votes) + 1.0))
        counted = cast if round_number else cast_first
        accept_right, accept_wrong = (_accept_rates(votes, counted, weight) for weight in (p_right, 1.0 - p_right))
        evidence = _log_odds(votes, cast, accept_right, accept_wrong) + np.log(prevalence / (1.0 - prevalence))
        p_right = np.where(known >= 0, known, 1.0 / (1.0 + np.exp(-np.clip(evidence, -500, 500))))
        if np.abs(p_right - before).max(initial=0.0) < 1e-9:
            break
    rates = tuple(ErrorRates(float(a0), float(1.0 - a1)) for a0, a1 in zip(accept_wrong, accept_right, strict=True))
    return PanelFit(p_right, rates, prevalence)


def _accept_rates(votes: Votes, cast: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    """float64[n_judges], the smoothed chance of an accept among items of the given weight."""
    accepted = (weight[:, None] * ((votes == 1) & cast)).sum(0)
    return np.asarray((accepted + 0.5) / ((weight[:, None] * cast).sum(0) + 1.0), dtype=np.float64)


def _log_odds(votes: Votes, cast: npt.NDArray[np.bool_], accept_right: Floats, accept_wrong: Floats) -> Floats:
    on_accept = np.log(accept_right / accept_wrong)
    on_reject = np.log((1.0 - accept_right) / (1.0 - accept_wrong))
    return np.asarray(np.where(cast, np.where(votes == 1, on_accept, on_reject), 0.0).sum(1), dtype=np.float64)


def dependent_pairs(votes: Votes, truth: Votes, *, false_alarm: float = 0.01) -> list[tuple[int, int, float]]:
    """Judges whose errors go together: (judge, judge, correlation) where independence given the truth is refuted.

    Two copies of one judge look perfect to `fit_panel`, since each confirms the other; only items of known truth
    show that they err on the same ones. The correlation is of votes minus their mean within each class; its Fisher
    transform is compared with a normal quantile, divided among the pairs (Bonferroni), so that independent judges
    raise any alarm with probability of about `false_alarm`.

    Args:
        votes: int8[n_items, n_judges].
        truth: int8[n_items], 1 right, 0 wrong, -1 unknown; unknown items are left out.
    """
    pairs = list(combinations(range(votes.shape[1]), 2))
    if not pairs:
        return []
    limit = NormalDist().inv_cdf(1.0 - false_alarm / (2 * len(pairs)))
    found = []
    for i, j in pairs:
        both = (truth >= 0) & (votes[:, i] >= 0) & (votes[:, j] >= 0)
        if both.sum() < 10:
            continue
        residuals = _within_class(votes[both][:, [i, j]].astype(np.float64), truth[both])
        spread = residuals.std(0)
        if not spread.all():
            continue
        correlation = float((residuals[:, 0] * residuals[:, 1]).mean() / spread.prod())
        score = np.arctanh(min(max(correlation, -0.999999), 0.999999)) * np.sqrt(len(residuals) - 5)
        if abs(score) > limit:
            found.append((i, j, correlation))
    return found


def _within_class(values: Floats, truth: Votes) -> Floats:
    residuals = values.copy()
    for kind in (0, 1):
        members = truth == kind
        if members.any():
            residuals[members] -= residuals[members].mean(0)
    return residuals


def pessimistic(scores: Sequence[float], caution: float) -> float:
    """Mean minus `caution` times the population standard deviation, not below the worst score.

    An infinite caution gives the worst case. Judges that disagree are thereby paid less than their mean: what one of
    them can be fooled into earns little.

    Raises:
        ValueError: no scores, or a negative caution.
    """
    if not scores or caution < 0.0:
        raise ValueError("pessimism needs at least one score and a caution that is not negative")
    values = np.asarray(scores, dtype=np.float64)
    spread = float(values.std())
    low = float(values.min())
    return low if spread == 0.0 else max(low, float(values.mean()) - caution * spread)
