"""What several commands need: one domain with its verifier, opened for use and closed afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from azr_engine.engine.config import load_config
from azr_engine.engine.protocols import Domain, Verifier


@asynccontextmanager
async def domain_and_verifier(
    name: str, *, plugins: Sequence[str], sandbox: str | None, unsafe: bool, settings: Sequence[str] = ()
) -> AsyncIterator[tuple[Domain, Verifier]]:
    """A domain and its verifier by the domain's name. Raises UserError for an unknown one."""
    from azr_engine.engine.session import choose_domains
    from azr_engine.plugins.manager import Plugins

    options = {
        "domains": [name],
        "sandbox.tier": sandbox,
        "sandbox.i_know_this_is_not_a_sandbox": unsafe or None,
        "plugins": list(plugins) or None,
    }
    config = load_config(None, settings, options)
    domains, verifiers = choose_domains(config, Plugins(config.plugins))
    domain = domains[name]
    verifier = verifiers[domain.verifier]
    try:
        yield domain, verifier
    finally:
        await verifier.close()
