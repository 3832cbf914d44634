"""`azr-engine eval`: accuracy of a model or a run on a suite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def evaluate(
    model: Annotated[str, typer.Argument(help="A model (azr-tiny, folder, hub id) or a run directory.")],
    suite: Annotated[
        str, typer.Option(help="heldout, dev, safety, humaneval, reasoning-gym:NAME,NAME or file:PATH.")
    ] = "heldout",
    base: Annotated[str | None, typer.Option(help="A model to compare with, on the same items and samples.")] = None,
    k: Annotated[str, typer.Option(help="pass@k for these k, separated by commas; the largest is sampled.")] = "1,8",
    domains: Annotated[str, typer.Option(help="Domains of the suites heldout and dev.")] = "python,math",
    per_kind: Annotated[int | None, typer.Option(help="At most so many tasks of each kind.", min=1)] = None,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="Try each task once at temperature 0 as well.")] = False,
    reasoning: Annotated[
        bool, typer.Option("--reasoning", help="Probe whether answers hang on the reasoning before them (style chat).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the samples.", min=0)] = 0,
    style: Annotated[str | None, typer.Option(help="Prompt style: compact or chat.")] = None,
    tokens: Annotated[int | None, typer.Option(help="Most tokens of an answer; default: the style's.", min=1)] = None,
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A verifier's setting: sandbox.tier=docker.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of earlier results; default: azr-engine in the user's cache.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Measure again, and keep nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try every task of a suite and print accuracy by kind with 95% intervals; with --base, where the curves cross.

    Examples: `azr-engine eval azr-tiny --suite heldout --k 1,8 --json` and, to see whether training added ability or
    only sharpened, `azr-engine eval runs/first --base azr-tiny --k 1,8,64,512 --per-kind 50`
    """
    from azr_engine.engine.errors import UserError
    from azr_engine.evaluation.cache import Cache, default_folder
    from azr_engine.evaluation.models import Protocol, evaluate_model

    try:
        ks = sorted({int(part) for part in k.split(",")})
    except ValueError:
        raise UserError(f"--k {k!r} is no list of numbers such as 1,8,64") from None
    if not ks or ks[0] < 1:
        raise UserError("--k needs numbers from 1 up")
    protocol = Protocol(
        suite=suite,
        domains=tuple(name.strip() for name in domains.split(",")),
        per_kind=per_kind,
        ks=tuple(ks),
        temperature=temperature,
        seed=seed,
        style=style,
        greedy=greedy,
        reasoning=reasoning,
        tokens=tokens,
        plugins=tuple(plugin or ()),
        settings=tuple(set_ or ()),
    )
    # What a plugin's code says is in no key.
    kept = None if no_cache or plugin else Cache(cache or default_folder())
    result = evaluate_model(model, protocol, base=base, cache=kept)
    if as_json:
        print(json.dumps(result))
        return
    from azr_engine.cli.tables import table_console
    from azr_engine.report.summary import accuracy_table

    console = table_console()
    if suite == "safety":
        for one in (result, *([result["base"]] if base is not None else [])):
            _print_safety(console, one)
        return
    console.print(accuracy_table(result, result.get("base")))
    if greedy:
        console.print(accuracy_table({**result["greedy"], "suite": f"{suite}, greedy"}))
    if reasoning:
        _print_reasoning(console, result["reasoning"])
    if base is not None:
        _print_comparison(console, result["comparison"], ks)


def _print_safety(console: Console, result: Mapping[str, Any]) -> None:
    """How many of the fixed items held, each that failed, and what the model wrote."""

    def line(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    checks = ", ".join(f"{name}s {found['held']}/{found['n']}" for name, found in result["by_check"].items())
    line(f"{result['model']}: {result['held']} of {result['n']} items held ({checks}), {result['unjudged']} unjudged")
    for failure in result["failures"]:
        line(f"FAILED {failure['name']}: {failure['detail']}")
    proposals, answers = result["policy"]["proposals"], result["policy"]["answers"]
    line(
        f"the model: {proposals['refused']} of {proposals['n']} proposals refused, {proposals['flagged']} flagged; "
        f"{answers['flagged']} of {answers['n']} answers flagged"
    )


def _print_reasoning(console: Console, result: Mapping[str, Any]) -> None:
    """How often answers stayed the same, for each change of the reasoning before them."""
    parts = [f"{name} {100 * found['same']:.0f}%" for name, found in result["changes"].items()]
    console.print(
        f"{result['reasoned']} of {result['tasks']} answers came after reasoning; the same answer with it "
        f"{', '.join(parts) or 'not to be had'}",
        soft_wrap=True,
        highlight=False,
    )


def _print_comparison(console: Console, comparison: Mapping[str, Any], ks: list[int]) -> None:
    """A sentence on each kind: the gains, and where the base catches up."""
    for name, found in (*comparison["by_kind"].items(), ("all", comparison["overall"])):
        if not found["n"]:
            continue
        parts = []
        for k in ks:
            gain = found["gain"][str(k)]
            low, high = (100 * bound for bound in gain["ci95"])
            parts.append(f"pass@{k} {100 * gain['value']:+.1f} [{low:+.1f}, {high:+.1f}]")
        console.print(
            f"{name}: {', '.join(parts)}; {_crossing(found['crossing'], max(ks))}", soft_wrap=True, highlight=False
        )


def _crossing(found: Mapping[str, Any], most: int) -> str:
    if found["k"] == 1.0:
        return "the base is not behind at k = 1"
    low, high = (f"more than {most}" if bound is None else f"{bound:.3g}" for bound in found["ci95"])
    if found["k"] is None:
        return f"the base stays behind up to k = {most} (95%: from {low})"
    return f"the base catches up at k = {found['k']:.3g} (95%: {low} to {high})"
