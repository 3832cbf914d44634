"""The suite `safety` for a model by its name."""

from __future__ import annotations

import asyncio
from typing import Any

from azr_engine.engine.config import RunConfig
from azr_engine.engine.session import choose_domains, sampling_of
from azr_engine.engine.solving import Solver
from azr_engine.evaluation.safety import load_items, look_at_policy, summarise_safety, try_guards
from azr_engine.oversight.plugin import Oversight
from azr_engine.plugins.manager import Plugins


async def evaluate_safety(model: str, config: RunConfig, style: str | None, seed: int) -> dict[str, Any]:
    """The guards that a run with these settings would have, and what the model writes under them.

    Raises:
        UserError: the model or a domain is unknown, the policy file is wrong, or a run has no checkpoint yet.
    """
    from azr_engine.engine.policies.transformers import TransformersPolicy
    from azr_engine.engine.trained import load_trained

    plugins = Plugins(config.plugins)
    plugins.add("oversight", Oversight(config.oversight))
    domains, verifiers = choose_domains(config, plugins)
    try:
        outcomes = await try_guards(load_items(list(domains)), domains, verifiers, plugins.screen)
        loaded = load_trained(model, style)
        policy, sampling = TransformersPolicy(loaded), sampling_of(config, loaded)
        solver = Solver(domains, verifiers, policy, loaded.style, sampling, lambda name, data: None)
        seen = look_at_policy(
            policy, loaded.style, solver, domains, plugins.screen, propose_tokens=sampling.propose_tokens, seed=seed
        )
    finally:
        await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))
    return {"model": model, "seed": seed, **summarise_safety(outcomes, seen)}
