"""Whether a plugin looks fit for use, seen without starting anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from azr_engine.engine.config import load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.types import Draft
from azr_engine.plugins.manager import Plugins


def verifier_of(domain: Domain, plugins: Plugins) -> Verifier | str:
    """The verifier of a domain that is played alone, or why there is none."""
    try:
        found = plugins.verifiers(load_config(options={"domains": [domain.name]}))
    except UserError as error:
        return str(error)
    return found.get(domain.verifier, f"no verifier {domain.verifier!r}")


def health(domains: Sequence[Domain], verifiers: Mapping[str, Verifier | str]) -> str:
    """`ok`, or the first thing that is wrong with a plugin's domains, in a few words.

    Args:
        verifiers: by the domain's name, as `verifier_of` gives them.
    """
    for domain in domains:
        verifier = verifiers[domain.name]
        if isinstance(verifier, str):
            return f"{domain.name}: {verifier}"
        if not isinstance(domain, Domain) or not isinstance(verifier, Verifier):
            return f"{domain.name}: a method of its protocol is missing"
        try:
            seed = next(iter(domain.seeds(random.Random(0))), None)
            parsed = domain.draft(seed.kind, seed.fields) if seed else None
        except Exception as error:
            return f"{domain.name}: its seeds raise {type(error).__name__}"
        if not isinstance(parsed, Draft):
            return f"{domain.name}: {'a seed is malformed' if seed else 'it has no seeds'}"
    return "ok"
