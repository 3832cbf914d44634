"""pass@k and its interval, as pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def mean(values: Sequence[float]) -> float | None:
    """The mean; None without any value."""
    return math.fsum(values) / len(values) if values else None


def pass_at_k(n_samples: int, n_passed: int, k: int) -> float:
    """Probability that at least one of k samples passes, unbiased: 1 - C(n - c, k) / C(n, k).

    Source: arXiv 2107.03374, section 2.1.

    Raises:
        ValueError: k is not within 1 and `n_samples`, or `n_passed` is impossible.
    """
    if not 1 <= k <= n_samples or not 0 <= n_passed <= n_samples:
        raise ValueError(f"pass@{k} of {n_passed} passes in {n_samples} samples is not defined")
    if n_samples - n_passed < k:
        return 1.0
    misses = np.arange(n_samples - n_passed + 1, n_samples + 1)
    return float(1.0 - np.prod(1.0 - k / misses))


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, resamples: int = 2000
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean over items; the same for the same values.

    Returns:
        (low, high); None without values.
    """
    if not values:
        return None
    rng = np.random.default_rng(0)
    data = np.asarray(values, dtype=np.float64)
    means = data[rng.integers(0, len(data), size=(resamples, len(data)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
