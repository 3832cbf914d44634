"""Registers the Lean domain and its verifier; loaded through the entry point `lean`."""

from __future__ import annotations

from azr_engine.domains.lean.domain import LeanDomain
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.plugins import hookimpl


@hookimpl
def azr_domains(config: RunConfig) -> list[Domain]:
    """The Lean domain."""
    return [LeanDomain()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """The verifier, where the run plays Lean. Raises UserError where the embedded Lean is not installed."""
    if "lean" not in config.domains:
        return []
    from azr_engine.engine.errors import MissingDependency
    from azr_engine.verifiers.lean.backends import open_backend
    from azr_engine.verifiers.lean.installation import wheel_problem
    from azr_engine.verifiers.lean.verifier import LeanVerifier

    sandbox = config.sandbox
    bare = sandbox.tier == "process" and sandbox.i_know_this_is_not_a_sandbox
    pool = open_backend(config.lean, workers=sandbox.workers, tier="process" if bare else "namespaces")
    if pool.name == "embedded" and (problem := wheel_problem()):
        raise MissingDependency(problem)
    return [LeanVerifier(pool)]
