"""What `learning.py` found, drawn: accuracy by kind over time, and what was played over the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from azr_engine.evaluation.compare import Arm, curve

RATES = {"never": "0", "hard": "to 1/4", "middle": "between", "easy": "from 3/4", "always": "1"}
"""The bins of `solve_rates`, as shares of a task's tries."""


def plot_kinds(arms: Sequence[Arm], ks: Sequence[int], file: Path) -> None:
    """A panel for each kind: pass@k with 95% bands, lines whole for the first k and dashed for others."""
    kinds = list(arms[0].curves[0][0]["passes"])
    figure = Figure(figsize=(3.4 * 4, 3.0 * -(-len(kinds) // 4)), layout="constrained")
    panels = figure.subplots(-(-len(kinds) // 4), 4, sharex=True, squeeze=False).ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        for number, arm in enumerate(arms):
            points = curve(arm, ks, [kind])
            minutes = [point["seconds"] / 60 for point in points]
            for k, style in zip(ks, ("-", "--"), strict=False):
                found = [point["pass_at_k"][str(k)] for point in points]
                label = f"{arm.name}, pass@{k}"
                axes.plot(minutes, [one["value"] for one in found], style, color=f"C{number}", marker=".", label=label)
                bands = [[one["ci95"][side] for one in found] for side in (0, 1)]
                axes.fill_between(minutes, *bands, color=f"C{number}", alpha=0.12, linewidth=0)
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
    for panels, (name, results) in zip(rows, own.items(), strict=True):
        windows = list(zip(*(result["windows"] for result in results), strict=False))
        steps = [window[0]["step"] for window in windows]
        everything = _total(windows, domains, "effective").sum(axis=0)
        for axes, domain in zip(panels, domains, strict=False):
            counts = np.array(
                [[sum(w["domains"][domain]["solve_rates"][bin] for w in seeds) for seeds in windows] for bin in RATES],
                dtype=np.float64,
            )
            axes.stackplot(steps, counts / np.maximum(1.0, counts.sum(axis=0)), labels=RATES.values(), alpha=0.8)
            axes.set(title=f"{name}: {domain}, tries solved", ylim=(0, 1))
        unique = _total(windows, domains, "unique_skeletons") / np.maximum(1.0, _total(windows, domains, "admitted"))
        effective = _total(windows, domains, "effective") / np.maximum(1.0, everything)
        for axes, values, title in (
            (panels[-2], unique, "unique skeletons"),
            (panels[-1], effective, "effective tries"),
        ):
            for domain, line in zip(domains, values, strict=True):
                axes.plot(steps, line, label=domain)
            axes.set(title=f"{name}: {title}", ylim=(0, 1.02))
            axes.grid(alpha=0.3)
            axes.legend()
        panels[0].legend(fontsize="x-small", loc="lower left")
    for axes in rows[-1]:
        axes.set_xlabel("step")
    figure.savefig(file, format="svg", metadata={"Date": None})


def _total(windows: Sequence[Sequence[Mapping[str, Any]]], domains: Sequence[str], key: str) -> np.ndarray:
    """float64[n_domains, n_windows]: a figure's sum over the seeds."""
    return np.array(
        [[sum(window["domains"][domain][key] for window in seeds) for seeds in windows] for domain in domains],
        dtype=np.float64,
    )
