"""`azr-engine bench`: measurements of this machine."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def bench(
    name: Annotated[str, typer.Argument(help="What to measure: executor.")],
    tier: Annotated[list[str] | None, typer.Option(help="Sandbox tier to measure; all by default.")] = None,
    tasks: Annotated[int, typer.Option(help="Tasks in the natural mix, eight answers each.", min=3)] = 240,
    loops: Annotated[int, typer.Option(help="Endless answers among twenty times as many.", min=1)] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure throughput on this machine, beside a floor and a ceiling from the same run.

    Example: `azr-engine bench executor --tier namespaces --json`
    """
    from azr_engine.engine.errors import UserError

    if name != "executor":
        raise UserError(f"unknown benchmark {name!r}; known: executor")
    from azr_engine.verifiers.python.bench import TIERS, run_bench, table

    unknown = sorted(set(tier or ()) - set(TIERS))
    if unknown:
        raise UserError(f"unknown sandbox tier {unknown[0]!r}; known: {', '.join(TIERS)}")
    result = run_bench(tier or TIERS, n_tasks=tasks, n_loops=loops)
    print(json.dumps(result) if as_json else table(result))
