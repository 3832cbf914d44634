"""`azr-engine tasks`: a run's tasks in the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def tasks(
    run: Annotated[Path, typer.Argument(help="Run directory; the run may still be going on.")],
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    search: Annotated[
        str | None, typer.Option(help="Only tasks whose id, givens, gold, draft or texts hold all these words.")
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="Show the one task whose id begins so, with lineage and tries.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Tasks to list, the newest first.", min=1)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List tasks, newest first, or show one. What a model wrote is printed with its control characters spelt out.

    Example: `azr-engine tasks runs/first --domain python --search lambda`
    """
    from azr_engine.cli.tables import table_console
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.report.page import open_browser
    from azr_engine.report.record import read_record

    directory = RunDirectory.open(run)
    with open_browser(directory, read_record(directory)) as browser:
        if browser is None:
            raise UserError(f"{run} holds no tasks yet")
        console = table_console(highlight=False, markup=False, emoji=False)
        if id_ is not None:
            found = browser.ids_like(id_, 3)
            if len(found) != 1:
                which = f"begins several, such as {', '.join(found)}" if found else "is no task of this run"
                raise UserError(f"--id {id_!r} {which}; list ids with azr-engine tasks {run}")
            entry = browser.entry(found[0])
            _print_json(entry) if as_json else _show(console, entry)
            return
        rows, total = browser.find(domain, kind, search, limit)
    if as_json:
        _print_json({"total": total, "tasks": rows})
    else:
        _list(console, rows, total)


def _print_json(value: Any) -> None:
    # JSON leaves DEL as it is; everything else that a terminal obeys is escaped already.
    print(json.dumps(value).replace("\x7f", "\\u007f"))


def _list(console: Console, rows: list[dict[str, Any]], total: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from azr_engine.report.browse import preview
    from azr_engine.report.visible import one_line

    table = Table("id", "step", "kind", "tries", "solved", "task")
    for row in rows:
        rate = "-" if row["solve_rate"] is None else f"{100 * row['solve_rate']:.0f}%"
        cells = (row["id"], str(row["step"]), f"{row['domain']} {row['kind']}", str(row["tries"]), rate)
        table.add_row(*(Text(one_line(cell, 60)) for cell in cells), Text(preview(row["given"], 200)))
    console.print(table)
    console.print(f"{len(rows)} of {total} tasks" + ("; --id ID shows one with all that was written" if rows else ""))


def _show(console: Console, entry: Mapping[str, Any]) -> None:
    from azr_engine.report.browse import given_text

    _line(console, f"{entry['domain']} {entry['kind']} {entry['id']}, step {entry['born_step']}", "bold")
    _line(console, f"parents: {', '.join(entry['parents']) or 'none'}")
    _line(console, f"children: {', '.join(entry['children']) or 'none'}")
    for name, value in {**entry["given"], "gold": entry["gold"]}.items():
        _part(console, name, given_text(value))
    _part(console, "solver's prompt", entry["prompt"])
    for number, attempt in enumerate(entry["attempts"], 1):
        reward = "masked" if attempt["reward"] is None else f"{attempt['reward']:g}"
        reason = f", {attempt['reason']}" if attempt["reason"] else ""
        word = f"{attempt['status']} {attempt['score']:g}{reason}, reward {reward}, step {attempt['step']}"
        _part(console, f"try {number}: {word}", attempt["text"])
    proposal = entry["proposal"]
    if proposal:
        reward = "masked" if proposal["reward"] is None else f"{proposal['reward']:g}"
        _part(console, "proposer's prompt", proposal["prompt"])
        _part(console, f"the proposer wrote, reward {reward}", proposal["text"])


def _part(console: Console, heading: str, text: str | None) -> None:
    _line(console, f"\n{heading}", "bold")
    _line(console, "(not to be had: its domain is not installed here)" if text is None else text)


def _line(console: Console, text: str, style: str = "") -> None:
    from azr_engine.report.visible import visible

    console.print(visible(text), style=style or None, soft_wrap=True)
