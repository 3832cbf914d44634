"""`azr-engine eval`: accuracy of a model or a run on a suite."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def evaluate(
    model: Annotated[str, typer.Argument(help="A model (azr-tiny, folder, hub id) or a run directory.")],
    suite: Annotated[str, typer.Option(help="Suite by name.")] = "heldout",
    base: Annotated[str | None, typer.Option(help="A model to compare with, on the same items and samples.")] = None,
    k: Annotated[str, typer.Option(help="pass@k for these k, separated by commas; the largest is sampled.")] = "1,8",
    domains: Annotated[str, typer.Option(help="Domains of the suite.")] = "python,math",
    per_kind: Annotated[int | None, typer.Option(help="At most so many tasks of each kind.", min=1)] = None,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the samples.", min=0)] = 0,
    style: Annotated[str | None, typer.Option(help="Prompt style: compact or chat.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try every task of a suite and print accuracy by kind with 95% intervals.

    Example: `azr-engine eval azr-tiny --suite heldout --k 1,8 --json`
    """
    from azr_engine.engine.errors import UserError
    from azr_engine.evaluation.models import Protocol, evaluate_model

    try:
        ks = sorted({int(part) for part in k.split(",")})
    except ValueError:
        raise UserError(f"--k {k!r} is no list of numbers such as 1,8,64") from None
    if not ks or ks[0] < 1:
        raise UserError("--k needs numbers from 1 up")
    names = tuple(name.strip() for name in domains.split(","))
    protocol = Protocol(suite, names, per_kind, tuple(ks), temperature, seed, style)
    result = evaluate_model(model, protocol)
    if base is not None:
        result["base"] = evaluate_model(base, protocol)
    if as_json:
        print(json.dumps(result))
        return
    from rich.console import Console

    from azr_engine.report.summary import accuracy_table

    Console().print(accuracy_table(result, result.get("base")))
