"""Evaluating a model or a run on a suite, from its name to the figures."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from azr_engine.engine.config import load_config
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
    from azr_engine.engine.policies.transformers import TransformersPolicy
    from azr_engine.engine.trained import load_trained

    config = load_config(None, [], {"domains": list(protocol.domains)})
    tasks = load_suite(protocol.suite, protocol.domains, protocol.per_kind)
    domains, verifiers = choose_domains(config, Plugins())
    loaded = load_trained(model, protocol.style)
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
