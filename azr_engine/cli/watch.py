"""`azr-engine watch`: the report of a run that goes on, served to this machine's browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def watch(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Allow a --host that other machines can reach. There is no password.")
    ] = False,
) -> None:
    """Serve the report page and redraw it as steps are finished, until Ctrl-C.

    Example: `azr-engine watch runs/first --port 8000`
    """
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.report.watch import serve

    serve(RunDirectory.open(run), host, port, allow_remote=allow_remote, announce=lambda url: print(url, flush=True))
