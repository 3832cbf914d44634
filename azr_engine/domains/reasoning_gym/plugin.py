"""Registers a domain for each `rg:NAME` that a run plays, and their verifier; loaded through an entry point."""

from __future__ import annotations

import difflib

from azr_engine.domains.reasoning_gym.domain import ReasoningGymDomain
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.plugins import hookimpl
from azr_engine.verifiers.reasoning_gym import PREFIX, UNUSABLE, ReasoningGymVerifier, generator_names


@hookimpl
def azr_domains(config: RunConfig) -> list[Domain]:
    """A domain per configured `rg:NAME`. Raises UserError for an unknown name or a missing package."""
    names = _configured(config)
    known = generator_names() if names else []
    for name in names:
        if name in UNUSABLE:
            raise UserError(f"the generator {name!r} of reasoning-gym is not served: {UNUSABLE[name]}")
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or [known[0], "...", known[-1]]
            raise UserError(f"reasoning-gym has no generator {name!r}; known: {', '.join(close)}")
    return [ReasoningGymDomain(name) for name in names]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """The verifier of these domains, where the run has any."""
    names = _configured(config)
    return [ReasoningGymVerifier(names, workers=config.sandbox.workers)] if names else []


def _configured(config: RunConfig) -> list[str]:
    names = (name.removeprefix(PREFIX) for name in config.domains if name.startswith(PREFIX))
    return list(dict.fromkeys(names))
