"""`azr-engine verify-log`: is the log of a run as it was written?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def verify_log(
    run: Annotated[Path, typer.Argument(help="Run directory; the run may still be going on.")],
    head: Annotated[str | None, typer.Option(help="A hash printed earlier, which the log must still hold.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check the chain of hashes in events.jsonl; exit code 1 where a line was changed, removed, inserted or moved.

    Example: `azr-engine verify-log runs/first`
    """
    from azr_engine.engine.chain import verify_chain
    from azr_engine.engine.rundir import RunDirectory

    found = verify_chain(RunDirectory.open(run).events_path, head)
    if as_json:
        print(json.dumps({"whole": not found.wrong, "lines": found.n_lines, "head": found.head, "wrong": found.wrong}))
    elif found.wrong:
        print(f"events.jsonl was tampered with or damaged: {found.wrong}; {found.n_lines} lines before that are whole")
    else:
        print(f"{found.n_lines} lines, whole; head {found.head}")
    if found.wrong:
        raise typer.Exit(1)
