"""Where the pass@k curve of a trained model meets that of its base: does training add ability, or only sharpen?

A policy that learned to prefer what it could do already leads at k = 1 and is overtaken at some k, because it lost
solutions that the base still finds in many tries [arXiv 2504.13837]. The crossing is the smallest k at which the base
has caught up, between whole numbers on the scale of log k. It is 1 where the base is not behind at k = 1, and infinite
where it stays behind up to the largest k. Intervals are 95% percentile bootstraps over tasks, both models on the same
resampled tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from azr_engine.evaluation.compare import verdict
from azr_engine.evaluation.tally import Tally

RESAMPLES = 2000
LEVEL = 0.95
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The smallest k at which the base has caught up; infinite where it has not.

    Attributes:
        low, high: 95% interval; infinite where the base may stay behind.
        share: of the resamples, those that cross at a finite k.
    """

    k: float
    low: float
    high: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """`k` and `ci95` with null for infinity, and `share`."""
        k, low, high = (value if np.isfinite(value) else None for value in (self.k, self.low, self.high))
        return {"k": k, "ci95": [low, high], "share": self.share}


def pass_curves(tallies: Sequence[Tally], k_max: int) -> Floats:
    """float64[n_tasks, k_max]: the unbiased pass@k of each task for k = 1 to `k_max`; NaN where fewer were judged.

    1 - C(n - c, k) / C(n, k), as a running product [arXiv 2107.03374, section 2.1].
    """
    n = np.asarray([[t.judged] for t in tallies], dtype=np.float64).reshape(-1, 1)
    c = np.asarray([[t.passed] for t in tallies], dtype=np.float64).reshape(-1, 1)
    drawn = np.arange(k_max, dtype=np.float64)
    misses = np.clip(n - c - drawn, 0.0, None) / np.maximum(n - drawn, 1.0)
    return np.where(drawn < n, 1.0 - np.cumprod(misses, axis=1), np.nan)


def compare_curves(base: Sequence[Tally], trained: Sequence[Tally], ks: Sequence[int]) -> dict[str, Any]:
    """Trained minus base at each k with its interval, and the crossing point of the curves up to the largest k.

    Args:
        base, trained: of the same tasks in the same order; tasks without enough judged tries of both are left out.

    Raises:
        ValueError: the tasks differ.
    """
    if [t.task for t in base] != [t.task for t in trained]:
        raise ValueError("the two were evaluated on different tasks")
    gain = pass_curves(trained, max(ks)) - pass_curves(base, max(ks))
    gain = gain[~np.isnan(gain).any(axis=1)]
    if not len(gain):
        return {"n": 0, "gain": {}, "crossing": None}
    means = resampled_means(gain)
    gains = {}
    for k in ks:
        low, high = (float(bound) for bound in np.quantile(means[:, k - 1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
        gains[str(k)] = {"value": float(gain[:, k - 1].mean()), "ci95": [low, high], "verdict": verdict(low, high)}
    return {"n": len(gain), "gain": gains, "crossing": crossing(gain, means).to_json()}


def crossing(gain: Floats, means: Floats | None = None) -> Crossing:
    """The crossing of two curves, from float64[n_tasks, k_max] of trained minus base.

    Args:
        means: what `resampled_means` made of `gain`.
    """
    resampled = crossing_points(resampled_means(gain) if means is None else means)
    # A quantile between two points is the outer one: nothing can be interpolated with infinity.
    low = np.quantile(resampled, (1 - LEVEL) / 2, method="lower")
    high = np.quantile(resampled, (1 + LEVEL) / 2, method="higher")
    (k,) = crossing_points(gain.mean(axis=0, keepdims=True))
    return Crossing(float(k), float(low), float(high), float(np.isfinite(resampled).mean()))


def resampled_means(gain: Floats) -> Floats:
    """float64[RESAMPLES, k_max]: the mean over tasks drawn anew, each time the same for the same number of tasks."""
    n_tasks = len(gain)
    counts = np.random.default_rng(0).multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=RESAMPLES)
    return np.asarray(counts @ gain / n_tasks, dtype=np.float64)


def crossing_points(curves: Floats) -> Floats:
    """float64[n]: for each row of float64[n, k_max], the k where it first is no longer positive."""
    caught_up = curves <= 0.0
    first = caught_up.argmax(axis=1)
    rows = np.arange(len(curves))
    before, after = curves[rows, np.maximum(first - 1, 0)], curves[rows, first]
    share = np.divide(before, before - after, out=np.ones_like(before), where=before > after)
    low = np.log(np.maximum(first, 1.0))
    points = np.exp(low + share * (np.log(first + 1.0) - low))
    points = np.where(first == 0, 1.0, points)
    return np.where(caught_up.any(axis=1), points, np.inf)
