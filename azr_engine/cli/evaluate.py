"""`azr-engine eval`: accuracy of a model or a run on a suite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

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

    try:
        ks = sorted({int(part) for part in k.split(",")})
    except ValueError:
        raise UserError(f"--k {k!r} is no list of numbers such as 1,8,64") from None
    if not ks or ks[0] < 1:
        raise UserError("--k needs numbers from 1 up")
    names = [name.strip() for name in domains.split(",")]
    arguments = (suite, names, per_kind, ks, temperature, seed, style)
    result = _evaluate(model, *arguments)
    if base is not None:
        result["base"] = _evaluate(base, *arguments)
    if as_json:
        print(json.dumps(result))
        return
    from rich.console import Console

    from azr_engine.report.summary import accuracy_table

    Console().print(accuracy_table(result, result.get("base")))


def _evaluate(
    model: str,
    suite: str,
    domains: Sequence[str],
    per_kind: int | None,
    ks: Sequence[int],
    temperature: float,
    seed: int,
    style: str | None,
) -> dict[str, Any]:
    import asyncio
    import dataclasses

    from azr_engine.engine.config import load_config
    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy
    from azr_engine.engine.session import choose_domains, sampling_of
    from azr_engine.engine.solving import Solver
    from azr_engine.evaluation import evaluate as evaluation
    from azr_engine.plugins.manager import Plugins

    name, weights = _run_weights(model)
    config = load_config(None, [], {"model.name": name, "model.style": style, "domains": list(domains)})
    tasks = evaluation.load_suite(suite, domains, per_kind)
    chosen, verifiers = choose_domains(config, Plugins())
    loaded = load_model(config.model.name, config.model.style)
    if weights is not None:
        import torch

        loaded.model.load_state_dict(torch.load(weights, weights_only=True)["model"])
    sampling = dataclasses.replace(sampling_of(config, loaded), n_attempts=max(ks), temperature=temperature)
    solver = Solver(chosen, verifiers, TransformersPolicy(loaded), loaded.style, sampling, lambda name, data: None)

    async def measure() -> dict[str, Any]:
        try:
            return evaluation.summarise(suite, await evaluation.evaluate(solver, tasks, seed), ks)
        finally:
            await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))

    return {"model": model, "temperature": temperature, "seed": seed, **asyncio.run(measure())}


def _run_weights(model: str) -> tuple[str, Path | None]:
    """A model's name and None, or for a run directory the model it started from and its newest weights."""
    import tomllib

    from azr_engine.engine.errors import UserError
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.trainer.torch_backend import STATE_FILE

    settings = Path(model) / "config.resolved.toml"
    if not settings.is_file():
        return model, None
    checkpoint = RunDirectory.open(Path(model)).latest_checkpoint()
    if checkpoint is None:
        raise UserError(f"the run {model} has no checkpoint yet")
    name = tomllib.loads(settings.read_text(encoding="utf-8"))["model"]["name"]
    return name, checkpoint / STATE_FILE
