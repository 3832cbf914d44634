"""`azr-engine report`: a run as one HTML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Run directory; the run may still be going on.")],
    out: Annotated[Path | None, typer.Option(help="File to write; default report.html in the run directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a page with the run's charts and all its tasks, to open in any browser; it needs no network.

    Example: `azr-engine report runs/first --out first.html`
    """
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.report.page import write_report

    directory = RunDirectory.open(run)
    result = write_report(directory, out or directory.report_path)
    if as_json:
        print(json.dumps(result))
        return
    print(f"{result['file']}: {result['tasks']} tasks, {result['attempts']} tries, {result['bytes'] / 1e6:.1f} MB")
    if result["without_texts"]:
        print(f"the oldest {result['without_texts']} entries are without their texts; `azr-engine watch` has them all")
