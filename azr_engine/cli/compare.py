"""`azr-engine compare`: the learning curves of runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def compare(
    runs: Annotated[
        list[str], typer.Argument(help="Run directories; NAME=RUN,RUN takes runs of other seeds together.")
    ],
    k: Annotated[str, typer.Option(help="pass@k for these k, separated by commas.")] = "1,8",
    at: Annotated[
        Literal["end", "tokens", "seconds"],
        typer.Option(help="Compare at each run's end, or at the tokens or seconds that every run reached."),
    ] = "end",
    plot: Annotated[Path | None, typer.Option(help="Draw the curves into this SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare runs that were started with --eval-every: gains, and differences from the first, with 95% intervals.

    Example: `azr-engine compare full=runs/full-1,runs/full-2 frozen=runs/frozen-1,runs/frozen-2 --plot curves.svg`
    """
    from azr_engine.engine.errors import UserError
    from azr_engine.evaluation import compare as comparing

    try:
        ks = sorted({int(part) for part in k.split(",")})
    except ValueError:
        raise UserError(f"--k {k!r} is no list of numbers such as 1,8") from None
    if ks[0] < 1:
        raise UserError("--k needs numbers from 1 up")
    arms = [_arm(text) for text in runs]
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        raise UserError(f"two of the runs are called {max(names, key=names.count)!r}; name them, as NAME=RUN")
    result = comparing.compare(arms, ks, at)
    if plot is not None:
        from azr_engine.evaluation.compare_plot import plot as draw

        draw(result, plot)
    if as_json:
        print(json.dumps(result))
    else:
        _print(result)


def _arm(text: str) -> Any:
    from azr_engine.evaluation.compare import read_arm

    name, equals, paths = text.partition("=")
    if not equals:
        return read_arm(Path(text).name, [Path(text)])
    return read_arm(name, [Path(path) for path in paths.split(",") if path])


def _print(result: Mapping[str, Any]) -> None:
    from rich.table import Table

    from azr_engine.cli.tables import table_console

    console = table_console()
    ks = list(next(iter(result["arms"].values()))["pass_at_k"])
    columns = [column for k in ks for column in (f"pass@{k}", "gain since the start", "")]
    table = Table("arm", "kind", "runs", "steps", "tokens", *columns, title=f"suite {result['suite']}, 95% intervals")
    for column in table.columns:
        column.overflow = "fold"
    for name, arm in result["arms"].items():
        head = [name, "mean", str(arm["runs"]), f"{arm['step']:.0f}", f"{arm['tokens']:.0f}"]
        table.add_row(*head, *_cells(arm["pass_at_k"], ks))
        for kind, values in arm["by_kind"].items():
            table.add_row("", kind, "", "", "", *_cells(values, ks))
        table.add_section()
    console.print(table)
    for found in result["differences"]:
        word = found["verdict"]
        low, high = (100 * bound for bound in found["ci95"])
        sentence = f"no evidence that {found['arm']} differs from {found['against']}"
        if word != "no evidence":
            sentence = f"{found['arm']} is {word} than {found['against']}"
        sentence += f" in pass@{found['k']}: {100 * found['value']:+.1f} points [{low:+.1f}, {high:+.1f}]"
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    if all(arm["runs"] == 1 for arm in result["arms"].values()):
        console.print("one run each: the intervals cover the choice of tasks, not of seeds", highlight=False)


def _cells(values: Mapping[str, Any], ks: list[str]) -> list[str]:
    cells = []
    for k in ks:
        found, gain = values[k], values[k]["gain"]
        low, high = (100 * bound for bound in gain["ci95"])
        cells += [
            f"{100 * found['value']:.1f}",
            f"{100 * gain['value']:+.1f} [{low:+.1f}, {high:+.1f}]",
            gain["verdict"],
        ]
    return cells
