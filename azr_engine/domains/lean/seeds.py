"""Seed drafts of the three kinds, from the grammars of `grammar` and `statements`."""

from __future__ import annotations

import random
from typing import Any

from azr_engine.domains.lean import grammar, statements
from azr_engine.domains.lean.statements import Theorem

_PROPOSITIONAL_SHARE = 0.7
_PROVE = (statements.sums, statements.lengths, statements.orders, statements.quantifiers)
_REPAIR = (statements.propositions, statements.propositions, statements.sums, statements.lengths, statements.orders)
_INDUCT = (statements.sums, statements.sums, statements.lengths, statements.orders)
_MIN_INSTANCES = 4


def sample(rng: random.Random, kind: str) -> dict[str, Any]:
    """The fields of one draft."""
    if kind == "prove":
        if rng.random() < _PROPOSITIONAL_SHARE:
            statement, proof = grammar.sample(rng)
            return {"statement": statement, "proof": proof}
        found = rng.choice(_PROVE)(rng)
        return {"statement": found.statement, "proof": found.proof}
    while True:
        found = rng.choice(_REPAIR if kind == "repair" else _INDUCT)(rng)
        if fields := _fields(found, kind):
            return fields


def _fields(found: Theorem, kind: str) -> dict[str, Any]:
    both = {"statement": found.statement, "proof": found.proof}
    if kind == "repair":
        return both | {"rival": found.rival, "refutation": found.refutation} if found.rival else {}
    return both | {"instances": list(found.instances)} if len(found.instances) >= _MIN_INSTANCES else {}
