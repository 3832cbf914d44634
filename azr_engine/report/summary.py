"""The closing summary of a run: where it is, and what changed between its first and its last steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WINDOW = 5
"""Steps averaged at each end of the run."""


def summary(
    folder: Path,
    metrics: Sequence[Mapping[str, Any]],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The summary as JSON: totals, first and last steps by domain, held-out accuracy where it was measured."""
    names = list(metrics[-1]["domains"]) if metrics else []
    return {
        "run": str(folder),
        "steps": len(metrics),
        "tokens": sum(line["tokens"]["generated"] for line in metrics),
        "seconds": sum(line["seconds"] for line in metrics),
        "faults": sum(line["faults"] for line in metrics),
        "domains": {
            name: {"first": _window(metrics[:WINDOW], name), "last": _window(metrics[-WINDOW:], name)} for name in names
        },
        "heldout": {"before": before, "after": after} if before and after else None,
    }


def _window(lines: Sequence[Mapping[str, Any]], domain: str) -> dict[str, float | None]:
    rows = [line["domains"][domain] for line in lines]
    rates = [row["solve_rate"] for row in rows if row["solve_rate"] is not None]
    return {
        **{key: sum(row[key] for row in rows) / len(rows) for key in ("proposed", "admitted", "unique_skeletons")},
        "solve_rate": sum(rates) / len(rates) if rates else None,
    }


def print_summary(console: Console, result: Mapping[str, Any]) -> None:
    """Tables for people: first against last steps, held-out accuracy before and after, and the run's place."""
    table = Table("domain", "when", "proposed", "admitted", "unique", "solve rate", title="per step, on its own tasks")
    for name, ends in result["domains"].items():
        for when in ("first", "last"):
            values = ends[when]
            counts = [f"{values[key]:.1f}" for key in ("proposed", "admitted", "unique_skeletons")]
            rate = values["solve_rate"]
            table.add_row(name, f"{when} {WINDOW} steps", *counts, "-" if rate is None else f"{rate:.2f}")
    console.print(table)
    if result["heldout"]:
        console.print(accuracy_table(result["heldout"]["after"], result["heldout"]["before"], ("after", "before")))
    console.print(
        f"{result['steps']} steps, {result['tokens']} tokens generated in {result['seconds']:.0f} s, "
        f"{result['faults']} faults"
    )
    console.print(f"run directory: {result['run']}", soft_wrap=True)


def accuracy_table(
    result: Mapping[str, Any], base: Mapping[str, Any] | None = None, names: tuple[str, str] = ("model", "base")
) -> Table:
    """Accuracy by kind with 95% intervals, beside a base where there is one."""
    ks = list(result["overall"]["pass_at_k"])
    columns = ["kind", "tasks", *([f"{names[1]} pass@{k}" for k in ks] if base else []), *(f"pass@{k}" for k in ks)]
    table = Table(*columns, title=f"accuracy on {result['suite']}, 95% intervals")
    rows = {**result["by_kind"], "all": result["overall"]}
    for kind, values in rows.items():
        cells = [kind, str(values["n"])]
        if base:
            other = base["by_kind"].get(kind, base["overall"])
            cells += [_interval(other["pass_at_k"][k]) for k in ks]
        cells += [_interval(values["pass_at_k"][k]) for k in ks]
        table.add_row(*cells)
    return table


def _interval(entry: Mapping[str, Any]) -> str:
    if entry["ci95"] is None:
        return "-"
    low, high = entry["ci95"]
    return f"{entry['value']:.2f} [{low:.2f}, {high:.2f}]"
