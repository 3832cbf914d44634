"""What `learning.py` found, drawn: accuracy by kind over time, and what was played over the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from azr_engine.evaluation.compare import Arm, curve
from azr_engine.evaluation.compare_plot import draw

RATES = {"never": "0", "hard": "to 1/4", "middle": "between", "easy": "from 3/4", "always": "1"}
"""The bins of `solve_rates`, as shares of a task's tries."""


def plot_kinds(arms: Sequence[Arm], ks: Sequence[int], file: Path) -> None:
    """A panel for each kind: pass@k with 95% bands, lines whole for the first k and dashed for others."""
    kinds = list(arms[0].curves[0][0]["passes"])
    n_rows = math.ceil(len(kinds) / 4)
    figure = Figure(figsize=(3.4 * 4, 3.0 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, 4, sharex=True, squeeze=False).ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        for number, arm in enumerate(arms):
            points = curve(arm, ks, [kind])
            minutes = [point["seconds"] / 60 for point in points]
            for k, style in zip(ks, ("-", "--"), strict=False):
                found = [point["pass_at_k"][str(k)] for point in points]
                draw(axes, minutes, found, linestyle=style, color=f"C{number}", label=f"{arm.name}, pass@{k}")
        axes.set(title=kind, xlabel="minutes of play", ylim=(0, 1))
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(file, format="svg", metadata={"Date": None})


def plot_play(own: Mapping[str, Sequence[Mapping[str, Any]]], file: Path) -> None:
    """A row for each arm: tasks by the part of their tries that solved them, the part of the admitted that had a
    skeleton of their own, and each domain's part of the effective tries.

    Several seeds of an arm are added up, window by window, as far as all of them came.

    Args:
        own: the results of each arm, as `learning.play` writes them.
    """
    domains = list(next(iter(own.values()))[0]["windows"][0]["domains"])
    figure = Figure(figsize=(3.4 * (len(domains) + 2), 2.6 * len(own)), layout="constrained")
    rows = figure.subplots(len(own), len(domains) + 2, sharex=True, squeeze=False)
    for panels, (arm, results) in zip(rows, own.items(), strict=True):
        windows = list(zip(*(result["windows"] for result in results), strict=False))
        steps = [window[0]["step"] for window in windows]
        effective = {domain: _series(windows, domain, "effective") for domain in domains}
        everything = np.maximum(1.0, sum(effective.values()))
        for axes, domain in zip(panels, domains, strict=False):
            counts = np.array([_series(windows, domain, "solve_rates", name) for name in RATES])
            axes.stackplot(steps, counts / np.maximum(1.0, counts.sum(axis=0)), labels=RATES.values(), alpha=0.8)
            axes.set(title=f"{arm}: {domain}, tries solved", ylim=(0, 1))
            unique = _series(windows, domain, "unique_skeletons")
            panels[-2].plot(steps, unique / np.maximum(1.0, _series(windows, domain, "admitted")), label=domain)
            panels[-1].plot(steps, effective[domain] / everything, label=domain)
        for axes, title in ((panels[-2], "unique skeletons"), (panels[-1], "effective tries")):
            axes.set(title=f"{arm}: {title}", ylim=(0, 1.02))
            axes.grid(alpha=0.3)
            axes.legend()
        panels[0].legend(fontsize="x-small", loc="lower left")
    for axes in rows[-1]:
        axes.set_xlabel("step")
    figure.savefig(file, format="svg", metadata={"Date": None})


def _series(windows: Sequence[Sequence[Mapping[str, Any]]], domain: str, *path: str) -> npt.NDArray[np.float64]:
    """float64[n_windows]: a domain's figure, found by its keys, summed over the seeds."""
    sums = [sum(reduce(getitem, path, window["domains"][domain]) for window in seeds) for seeds in windows]
    return np.array(sums, dtype=np.float64)
