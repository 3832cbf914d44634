"""`azr-engine bench`: measurements of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def bench(
    name: Annotated[
        str,
        typer.Argument(help="startup, generation, training, executor, math, lean, step, trl, or all of them: all."),
    ],
    out: Annotated[Path, typer.Option(help="Where `all` writes its figures as JSON.")] = Path(
        "benchmarks/results/latest.json"
    ),
    tier: Annotated[list[str] | None, typer.Option(help="executor: tier to measure; all by default.")] = None,
    tasks: Annotated[int, typer.Option(help="executor: tasks in the natural mix, eight answers each.", min=3)] = 240,
    loops: Annotated[int, typer.Option(help="executor: endless answers among twenty times as many.", min=1)] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure this machine, each figure beside a floor or a peer from the same run.

    Examples: `azr-engine bench all --out latest.json`, `azr-engine bench executor --tier namespaces --json`
    """
    from azr_engine.engine.errors import UserError

    if name == "executor":
        _executor(tier, tasks, loops, as_json)
        return
    from azr_engine.benchmarks.figures import table, to_json, write
    from azr_engine.benchmarks.running import BENCHMARKS, run

    if name != "all" and name not in BENCHMARKS:
        raise UserError(f"unknown benchmark {name!r}; known: {', '.join(BENCHMARKS)}, all")
    results = {one: run(one) for one in (BENCHMARKS if name == "all" else [name])}
    print(json.dumps(to_json(results)) if as_json else table(results))
    if name == "all":
        write(results, out)


def _executor(tiers: list[str] | None, n_tasks: int, n_loops: int, as_json: bool) -> None:
    from azr_engine.engine.errors import UserError
    from azr_engine.verifiers.python.bench import TIERS, run_bench, table

    unknown = sorted(set(tiers or ()) - set(TIERS))
    if unknown:
        raise UserError(f"unknown sandbox tier {unknown[0]!r}; known: {', '.join(TIERS)}")
    result = run_bench(tiers or TIERS, n_tasks=n_tasks, n_loops=n_loops)
    print(json.dumps(result) if as_json else table(result))
