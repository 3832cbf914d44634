"""The figures behind the charts: metrics as columns, and solve rates with intervals. Pure functions.

Columns are named by their path in a metrics line (`domains/python/solve_rate`), so that a field that is new or
missing in some steps is a column with gaps and never an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

MAX_POINTS = 1000
"""Points of a column; longer runs have neighbouring steps averaged."""

_Z95 = 1.959963984540054

Column = list[float | None]


def columns(lines: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Every number of the lines, by path: each column as long as `lines`, None where a line lacks it."""
    found: dict[str, Column] = {}
    for place, line in enumerate(lines):
        for path, value in numbers(line):
            found.setdefault(path, [None] * len(lines))[place] = value
    return thinned(found, MAX_POINTS)


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every finite number in a metrics line with its path, keys joined by `/`; truth values are no numbers."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from numbers(item, f"{path}/{key}" if path else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield path, value


def thinned(found: Mapping[str, Column], limit: int) -> dict[str, Column]:
    """Columns of at most `limit` values: the mean over runs of neighbours, and of `step` the last of them."""
    length = max((len(column) for column in found.values()), default=0)
    if length <= limit:
        return dict(found)
    width = math.ceil(length / limit)
    pick = {"step": lambda values: values[-1]}
    return {
        path: [pick.get(path, _mean)(column[i : i + width]) for i in range(0, length, width)]
        for path, column in found.items()
    }


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else None


def solve_curves(rates: Iterable[tuple[str, str, int, float]], n_steps: int) -> dict[str, Any]:
    """Solve rates over a sliding window of steps, by domain and by `domain/kind`, with 95% intervals over tasks.

    Args:
        rates: (domain, kind, step, mean score of the tries in that step) of each task, in any order.
        n_steps: steps made.

    Returns:
        `window`, the number of steps that a point looks back over, and `curves`: for each name `step`, `mean`,
        `low`, `high` and `n` (tasks), as lists. Steps whose window holds no task are left out.
    """
    window = min(25, max(1, round(n_steps / 8)))
    stride = math.ceil(max(1, n_steps) / MAX_POINTS)
    cells: dict[str, dict[int, tuple[int, float]]] = {}
    for domain, kind, step, rate in rates:
        for name in (domain, f"{domain}/{kind}"):
            count, total = cells.setdefault(name, {}).get(step, (0, 0.0))
            cells[name][step] = (count + 1, total + rate)
    curves = {}
    for name, by_step in sorted(cells.items()):
        curve: dict[str, list[float]] = {key: [] for key in ("step", "mean", "low", "high", "n")}
        for step in range(1, n_steps + 1):
            if step % stride and step != n_steps:
                continue
            parts = [by_step[s] for s in range(max(1, step - window + 1), step + 1) if s in by_step]
            if not parts:
                continue
            n = sum(count for count, _ in parts)
            mean = math.fsum(total for _, total in parts) / n
            low, high = wilson_interval(mean, n)
            for key, value in zip(curve, (step, mean, low, high, n), strict=True):
                curve[key].append(value)
        curves[name] = curve
    return {"window": window, "curves": curves}


def wilson_interval(mean: float, n: int) -> tuple[float, float]:
    """95% interval of a mean of `n` independent values in [0, 1].

    Wilson's score interval [J. Am. Stat. Assoc. 22 (1927) 209] treats each value as a coin. A value in [0, 1] varies
    at most as much as a coin of the same mean, so that the interval is, if anything, too wide; and unlike the normal
    one it does not shrink to a point where all values agree.

    Raises:
        ValueError: `n` is not positive.
    """
    if n < 1:
        raise ValueError("an interval needs at least one value")
    mean = min(1.0, max(0.0, mean))
    z2 = _Z95**2
    centre = (mean + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(mean * (1 - mean) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


HISTOGRAM_BINS = ("never", "up to 0.2", "up to 0.4", "up to 0.6", "up to 0.8", "below 1", "always")


def rate_histogram(rates: Iterable[tuple[str, str, int, float]], n_steps: int) -> dict[str, dict[str, list[int]]]:
    """Tasks by solve rate in the first and in the last third of the steps, by domain.

    Args:
        rates: as `solve_curves` takes them.

    Returns:
        For each domain `first` and `last`, numbers of tasks in the bins of `HISTOGRAM_BINS`.
    """
    third = n_steps / 3
    found: dict[str, dict[str, list[int]]] = {}
    for domain, _, step, rate in rates:
        ends = found.setdefault(domain, {end: [0] * len(HISTOGRAM_BINS) for end in ("first", "last")})
        if step <= third or step > n_steps - third:
            ends["first" if step <= third else "last"][_bin(rate)] += 1
    return found


def _bin(rate: float) -> int:
    if rate <= 0.0:
        return 0
    return len(HISTOGRAM_BINS) - 1 if rate >= 1.0 else min(5, 1 + int((rate - 1e-9) / 0.2))
