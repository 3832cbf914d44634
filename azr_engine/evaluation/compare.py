"""Comparing runs by their learning curves: differences with intervals, and a plain word on what they show.

An arm is one run or several that differ in their seed alone. Its score is the mean over kinds of the mean over tasks
of pass@k, so that every kind weighs the same. Intervals are 95% percentile bootstraps over tasks, and over an arm's
runs where it has several; two arms are compared on the same resampled tasks. With one run an interval says nothing of
what another seed would have given. At equal tokens or seconds a run is read on the straight line between its
evaluations before and after, task by task; where its curve bends, that is a little low.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from azr_engine.engine.errors import UserError
from azr_engine.evaluation.curve import read_curve
from azr_engine.evaluation.statistics import pass_at_k

RESAMPLES = 2000
LEVEL = 0.95
Floats = npt.NDArray[np.float64]
Line = Mapping[str, Any]
Budget = Literal["end", "tokens", "seconds"]
NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True)
class Reading:
    """A run between two of its evaluations: `share` of the way from `before` to `after`, in [0, 1]."""

    before: Line
    after: Line
    share: float = 1.0

    def between(self, value: Callable[[Line], Any]) -> Any:
        """A number, or an array of them, of both evaluations, weighed; of one alone where the run is at it."""
        if self.share == 1.0:
            return value(self.after)
        return (1.0 - self.share) * value(self.before) + self.share * value(self.after)


@dataclass(frozen=True, slots=True)
class Arm:
    """Runs to be taken together: each one's evaluations in order, the first before any step."""

    name: str
    curves: tuple[tuple[Line, ...], ...]


def read_arm(name: str, runs: Sequence[Path]) -> Arm:
    """The curves of some runs. Raises UserError where a run was never evaluated."""
    curves = []
    for run in runs:
        lines = read_curve(run)
        if not lines:
            raise UserError(f"{run} holds no evaluations; start the run with --eval-every N")
        curves.append(tuple(lines))
    return Arm(name, tuple(curves))


def compare(arms: Sequence[Arm], ks: Sequence[int] = (1, 8), at: Budget = "end") -> dict[str, Any]:
    """What became of each arm, and how each differs from the first.

    Args:
        ks: pass@k for these k, none larger than the tries that were made.
        at: `end` takes each run's last evaluation; `tokens` and `seconds` read all at what the shortest run reached.

    Raises:
        UserError: the runs were evaluated on different tasks, or with fewer tries than k.
    """
    _check(arms, ks)
    key = "step" if at == "end" else at
    shortest = float("inf") if at == "end" else min(curve[-1][at] for arm in arms for curve in arm.curves)
    ends = {arm.name: [_read(curve, key, shortest) for curve in arm.curves] for arm in arms}
    starts = {arm.name: [Reading(curve[0], curve[0]) for curve in arm.curves] for arm in arms}
    result: dict[str, Any] = {"suite": arms[0].curves[0][0]["suite"], "at": at, "arms": {}, "differences": []}
    for arm in arms:
        result["arms"][arm.name] = {
            "runs": len(arm.curves),
            **{what: _mean(ends[arm.name], what) for what in ("step", "seconds", "tokens")},
            "pass_at_k": {str(k): _change(starts[arm.name], ends[arm.name], k) for k in ks},
            "by_kind": {
                kind: {str(k): _change(starts[arm.name], ends[arm.name], k, [kind]) for k in ks}
                for kind in _kinds(arm.curves[0][0])
            },
            "curve": curve(arm, ks),
        }
    for arm in arms[1:]:
        for k in ks:
            between = _estimate(_score(ends[arm.name], k) - _score(ends[arms[0].name], k))
            result["differences"].append({"arm": arm.name, "against": arms[0].name, "k": k, **between})
    return result


def curve(arm: Arm, ks: Sequence[int], kinds: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The arm's mean over some kinds, or all, at each step that every run of it was evaluated at."""
    common = set.intersection(*({line["step"] for line in run} for run in arm.curves))
    points = []
    for step in sorted(common):
        readings = [_read(run, "step", step) for run in arm.curves]
        means = {what: _mean(readings, what) for what in ("seconds", "tokens")}
        scores = {str(k): _interval(_score(readings, k, kinds)) for k in ks}
        points.append({"step": step, **means, "pass_at_k": scores})
    return points


def verdict(low: float, high: float) -> str:
    """`better` or `worse` where the interval of a difference leaves out 0, else `no evidence`."""
    return "better" if low > 0 else "worse" if high < 0 else NO_EVIDENCE


def _check(arms: Sequence[Arm], ks: Sequence[int]) -> None:
    lines = [line for arm in arms for curve in arm.curves for line in curve]
    shapes = {kind: len(tries) for kind, tries in lines[0]["passes"].items()}
    for line in lines:
        if line["suite"] != lines[0]["suite"] or {k: len(v) for k, v in line["passes"].items()} != shapes:
            raise UserError("the runs were evaluated on different tasks; use the same domains, suite and per_kind")
        if line["attempts"] < max(ks):
            raise UserError(f"pass@{max(ks)} needs as many tries as that, not {line['attempts']}; lower --k")


def _read(curve: Sequence[Line], key: str, reached: float) -> Reading:
    """The run where its `key` had grown to `reached`, or the nearer end of its curve where that lies outside."""
    for before, after in pairwise(curve):
        if before[key] < reached <= after[key]:
            return Reading(before, after, (reached - before[key]) / (after[key] - before[key]))
    end = curve[0] if reached <= curve[0][key] else curve[-1]
    return Reading(end, end)


def _mean(readings: Sequence[Reading], what: str) -> float:
    return float(np.mean([reading.between(lambda line: line[what]) for reading in readings]))


def _kinds(line: Line) -> list[str]:
    return list(line["passes"])


def _change(
    first: Sequence[Reading], last: Sequence[Reading], k: int, kinds: Sequence[str] | None = None
) -> dict[str, Any]:
    """Where an arm ended, and the gain since its start."""
    before, after = _score(first, k, kinds), _score(last, k, kinds)
    return {**_interval(after), "gain": _estimate(after - before)}


def _score(readings: Sequence[Reading], k: int, kinds: Sequence[str] | None = None) -> Floats:
    """float64[1 + RESAMPLES]: the mean over kinds of pass@k, first as observed, then resampled.

    The tasks that are drawn are the same for every arm.
    """
    runs = np.random.default_rng(1).integers(0, len(readings), size=(RESAMPLES, len(readings)))
    rng, means = np.random.default_rng(0), []
    for kind in _kinds(readings[0].before):
        own = _values(readings, kind, k)
        tasks = rng.integers(0, own.shape[1], size=(RESAMPLES, own.shape[1]))
        if kinds is None or kind in kinds:
            drawn = own[runs[:, :, None], tasks[:, None, :]]
            judged = np.maximum((~np.isnan(drawn)).sum(axis=(1, 2)), 1)
            means.append(np.concatenate([[np.nanmean(own)], np.nansum(drawn, axis=(1, 2)) / judged]))
    return np.asarray(np.mean(means, axis=0), dtype=np.float64)


def _values(readings: Sequence[Reading], kind: str, k: int) -> Floats:
    """float64[n_runs, n_tasks] of pass@k; NaN where too few tries were judged."""

    def row(line: Line) -> Floats:
        return np.asarray([pass_at_k(n, c, k) if n >= k else np.nan for c, n in line["passes"][kind]], dtype=np.float64)

    return np.stack([reading.between(row) for reading in readings])


def _interval(values: Floats) -> dict[str, Any]:
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(values[0]), "ci95": [float(low), float(high)]}


def _estimate(values: Floats) -> dict[str, Any]:
    """A difference with its interval and its verdict."""
    found = _interval(values)
    return {**found, "verdict": verdict(*found["ci95"])}
