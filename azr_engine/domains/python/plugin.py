"""Registers the python domain and its verifier; loaded through the entry point `python`."""

from __future__ import annotations

from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.plugins import hookimpl


@hookimpl
def azr_domains(config: RunConfig) -> list[Domain]:
    """The python domain."""
    return [PythonDomain()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """The verifier that admits and judges it, in the configured sandbox."""
    from azr_engine.verifiers.python.executor import choose_executor
    from azr_engine.verifiers.python.verifier import PythonVerifier

    sandbox = config.sandbox
    executor = choose_executor(
        sandbox.tier,
        workers=sandbox.workers,
        fallback=sandbox.fallback,
        i_know_this_is_not_a_sandbox=sandbox.i_know_this_is_not_a_sandbox,
    )
    return [PythonVerifier(executor)]
