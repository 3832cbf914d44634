"""`azr-engine bench`: measurements of this machine."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def bench(
    name: Annotated[str, typer.Argument(help="What to measure: executor.")],
    seconds: Annotated[float, typer.Option(help="Time for each figure.", min=0.1)] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure throughput on this machine.

    Example: `azr-engine bench executor --json`
    """
    from azr_engine.engine.errors import UserError

    if name != "executor":
        raise UserError(f"unknown benchmark {name!r}; known: executor")
    from azr_engine.verifiers.python.bench import print_table, run_bench

    result = run_bench(seconds=seconds)
    if as_json:
        print(json.dumps(result))
    else:
        print_table(result)
