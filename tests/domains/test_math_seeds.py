"""Seeds: every operation of the verifier's table turns up, and nearly every draft is admitted."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from azr_engine.domains.math.domain import KINDS, MathDomain
from azr_engine.engine.config import load_config
from azr_engine.verifiers.math.operations import TABLE, OperationError
from azr_engine.verifiers.math.tasks import admit


def test_wide_seeds_cover_the_whole_table_and_small_ones_do_not() -> None:
    wide, small = (
        {draft.fields["operation"] for draft in islice(domain.seeds(random.Random(1)), 2400)}
        for domain in (MathDomain("wide"), MathDomain())
    )
    assert wide == set(TABLE)
    assert small < wide


@pytest.mark.parametrize("kind", KINDS)
def test_most_wide_seeds_are_admitted(kind: str) -> None:
    domain, rng = MathDomain("wide"), random.Random(7)
    outcomes: Counter[str] = Counter()
    for _ in range(25):
        try:
            outcomes[admit(kind, domain.seed(rng, kind).fields)["gold"].get("error", "admitted")] += 1
        except OperationError as error:
            outcomes[error.reason] += 1
    rejected = set(outcomes) & {"trivial", "unsolved", "no_solution", "undefined", "divergent", "bad_arguments"}
    if kind == "error":
        assert len(set(outcomes) - {"trivial"}) >= 3
    else:
        assert sum(outcomes[name] for name in rejected) <= 8, outcomes


def test_the_setting_is_read() -> None:
    assert load_config(None, ["math.seeds=wide"], {}).math.seeds == "wide"
