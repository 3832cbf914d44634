"""Evaluating a model or a run on a suite, from its name to the figures."""

from __future__ import annotations

import asyncio
import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from azr_engine.engine.config import load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.session import choose_domains, sampling_of
from azr_engine.engine.solving import Solver
from azr_engine.evaluation.evaluate import evaluate, load_suite, summarise
from azr_engine.plugins.manager import Plugins


@dataclasses.dataclass(frozen=True, slots=True)
class Protocol:
    """What is tried and how: the same for every model that is compared."""

    suite: str = "heldout"
    domains: tuple[str, ...] = ("python", "math")
    per_kind: int | None = None
    ks: tuple[int, ...] = (1, 8)
    temperature: float = 1.0
    seed: int = 0
    style: str | None = None


def evaluate_model(model: str, protocol: Protocol) -> dict[str, Any]:
    """The JSON of `azr-engine eval` for a model's name, a folder or a run directory.

    Raises:
        UserError: the model, the suite or a domain is unknown, or the run has no checkpoint yet.
    """
    import torch

    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy

    name, weights = _run_weights(model)
    options = {"model.name": name, "model.style": protocol.style, "domains": list(protocol.domains)}
    config = load_config(None, [], options)
    tasks = load_suite(protocol.suite, protocol.domains, protocol.per_kind)
    domains, verifiers = choose_domains(config, Plugins())
    loaded = load_model(config.model.name, config.model.style)
    if weights is not None:
        loaded.model.load_state_dict(torch.load(weights, weights_only=True)["model"])
    sampling = dataclasses.replace(
        sampling_of(config, loaded), n_attempts=max(protocol.ks), temperature=protocol.temperature
    )
    solver = Solver(domains, verifiers, TransformersPolicy(loaded), loaded.style, sampling, lambda name, data: None)

    async def measure() -> dict[str, Any]:
        try:
            episodes = await evaluate(solver, tasks, protocol.seed)
            return summarise(protocol.suite, episodes, protocol.ks)
        finally:
            await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))

    figures = asyncio.run(measure())
    return {"model": model, "temperature": protocol.temperature, "seed": protocol.seed, **figures}


def _run_weights(model: str) -> tuple[str, Path | None]:
    """A model's name and None, or for a run directory the model it started from and its newest weights."""
    from azr_engine.trainer.torch_backend import STATE_FILE

    settings = Path(model) / "config.resolved.toml"
    if not settings.is_file():
        return model, None
    checkpoint = RunDirectory.open(Path(model)).latest_checkpoint()
    if checkpoint is None:
        raise UserError(f"the run {model} has no checkpoint yet")
    name = tomllib.loads(settings.read_text(encoding="utf-8"))["model"]["name"]
    return name, checkpoint / STATE_FILE
