"""Registers the math domain and its verifier; loaded through the entry point `math`."""

from __future__ import annotations

from azr_engine.domains.math.domain import MathDomain
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.plugins import hookimpl


@hookimpl
def azr_domains(config: RunConfig) -> list[Domain]:
    """The math domain."""
    return [MathDomain(config.math.seeds)]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """The verifier that admits and judges it."""
    from azr_engine.verifiers.math.verifier import MathVerifier

    return [MathVerifier(workers=config.sandbox.workers)]
