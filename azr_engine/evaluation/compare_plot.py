"""Learning curves as an SVG file, through matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError

_AXES = {"end": ("step", "step"), "tokens": ("tokens", "tokens generated"), "seconds": ("seconds", "seconds of play")}


def draw(axes: Any, x: Sequence[float], found: Sequence[Mapping[str, Any]], **style: Any) -> None:
    """A line through some estimates (`value`, `ci95`) with their intervals as a band."""
    (line,) = axes.plot(x, [one["value"] for one in found], marker=".", **style)
    bands = [[one["ci95"][side] for one in found] for side in (0, 1)]
    axes.fill_between(x, *bands, color=line.get_color(), alpha=0.15, linewidth=0)


def plot(result: Mapping[str, Any], file: Path) -> None:
    """Draw what `compare` returned: a panel for each k, a line with its 95% band for each arm.

    Raises:
        UserError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("plots need matplotlib: pip install 'azr-engine[plot]'") from None
    ks = list(next(iter(result["arms"].values()))["pass_at_k"])
    figure = Figure(figsize=(5.5 * len(ks), 4.2), layout="constrained")
    key, label = _AXES[result["at"]]
    for axes, k in zip(figure.subplots(1, len(ks), squeeze=False)[0], ks, strict=True):
        for name, arm in result["arms"].items():
            draw(axes, [point[key] for point in arm["curve"]], [p["pass_at_k"][k] for p in arm["curve"]], label=name)
        axes.set(xlabel=label, ylabel=f"pass@{k}, mean over kinds", title=f"suite {result['suite']}, pass@{k}")
        axes.grid(alpha=0.3)
        axes.legend()
    try:
        figure.savefig(file, format="svg", metadata={"Date": None})
    except OSError as error:
        raise UserError(f"cannot write the plot {file}: {error.strerror}") from None
