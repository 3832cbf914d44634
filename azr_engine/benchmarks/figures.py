"""A measured figure, and how figures are written and printed."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.engine.durable import replace_text, storage_errors


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        beside: the floor or the peer that was measured in the same run; empty where there is none.
        ratio: this figure over the peer's, both so that more is better.
        least: the ratio, or for a share the negative of the value, that is aimed at; None where nothing is.
    """

    name: str
    value: float
    unit: str
    beside: str = ""
    ratio: float | None = None
    least: float | None = None


def times(name: str, value: float, unit: str, beside: str, other: float, least: float | None = None) -> Figure:
    """A rate beside another one: more is better."""
    return Figure(name, value, unit, beside, value / other, least)


def table(results: Mapping[str, Sequence[Figure] | str]) -> str:
    """A line for each figure; a benchmark that could not run has the reason in its place."""
    lines = [f"{'benchmark':12} {'figure':42} {'value':>10} {'unit':12} {'ratio':>8}  to"]
    for name, found in results.items():
        if isinstance(found, str):
            lines.append(f"{name:12} not measured: {found}")
            continue
        for figure in found:
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
            aim = "" if figure.least is None else f" (aim: at least {figure.least:g})"
            row = f"{name:12} {figure.name:42} {figure.value:10.4g} {figure.unit:12} {ratio:>8}  {figure.beside}{aim}"
            lines.append(row.rstrip())
    return "\n".join(lines)


def to_json(results: Mapping[str, Sequence[Figure] | str]) -> dict[str, Any]:
    """The machine, the versions, and every figure by benchmark."""
    return {
        "machine": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
        "load": os.getloadavg()[0],
        "results": {
            name: {"not_measured": found} if isinstance(found, str) else [dataclasses.asdict(one) for one in found]
            for name, found in results.items()
        },
    }


def write(results: Mapping[str, Sequence[Figure] | str], file: Path) -> None:
    """Put the figures in place as JSON. Raises UserError where the file cannot be written."""
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, json.dumps(to_json(results), indent=1) + "\n")
