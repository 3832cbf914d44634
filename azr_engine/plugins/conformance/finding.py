"""Finding what to check: the domains that a plugin brings, each with the verifier it names."""

from __future__ import annotations

from collections.abc import Sequence

from azr_engine.engine.config import RunConfig, load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.plugins.conformance.kit import Source
from azr_engine.plugins.manager import Plugins


def find(domain: str, extra: Sequence[str] = ()) -> tuple[Domain, Verifier]:
    """A domain by name and its verifier.

    Args:
        extra: plugin files or modules to load besides the installed plugins.

    Raises:
        UserError: no plugin brings the domain, or the verifier that it names.
    """
    config, plugins = _loaded(domain, extra)
    domains = plugins.domains(config)
    if domain not in domains:
        raise UserError(f"no plugin brings a domain {domain!r}; known: {', '.join(sorted(domains))}")
    verifiers = plugins.verifiers(config)
    if domains[domain].verifier not in verifiers:
        raise UserError(f"domain {domain!r} needs the verifier {domains[domain].verifier!r}, which no plugin brings")
    return domains[domain], verifiers[domains[domain].verifier]


def subjects(item: str) -> tuple[Plugins, str, list[Source]]:
    """The plugins loaded for `item`, the one that it names, and where to find each domain that one brings.

    Args:
        item: an installed plugin's name, a domain's name, a plugin file or an importable module.

    Raises:
        UserError: it is none of these.
    """
    installed = {info.name for info in Plugins().info()}
    if item in installed:
        config, plugins = _loaded(item, ())
        return plugins, item, [Source(name) for name in plugins.brought(item, config)]
    config, plugins = _loaded(item, ())
    if item in plugins.domains(config):
        return plugins, item, [Source(item)]
    config, plugins = _loaded(item, (item,))
    return plugins, item, [Source(name, (item,)) for name in plugins.brought(item, config)]


def _loaded(domain: str, extra: Sequence[str]) -> tuple[RunConfig, Plugins]:
    # Some plugins bring a domain only where the configuration asks for it.
    return load_config(options={"domains": [domain]}), Plugins(extra)
