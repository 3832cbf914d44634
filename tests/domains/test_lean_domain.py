"""Prompts, parsing and seeds of the Lean domain."""

from __future__ import annotations

import asyncio
import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.domains.lean import statements
from azr_engine.domains.lean.domain import KINDS, LeanDomain
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Answer, Draft, Malformed, Task
from azr_engine.verifiers.lean.installation import wheel_problem

DOMAIN = LeanDomain()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", STYLES)
@given(seed=st.integers(0, 10**6))
def test_what_a_proposer_writes_comes_back_as_the_draft(kind: str, style: str, seed: int) -> None:
    draft = DOMAIN.seed(random.Random(seed), kind)
    prompt = DOMAIN.propose_prompt(kind, [])
    text = STYLES[style].render_return(DOMAIN.draft_sections(kind, draft.fields))
    sections = STYLES[style].parse(prompt, text)
    assert not isinstance(sections, Malformed)
    assert DOMAIN.parse_draft(kind, sections) == draft


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("dream", {}),
        ("prove", {"statement": 3}),
        ("prove", {"statement": "p", "proof": "x", "extra": ""}),
        ("prove", {}),
        ("repair", {"statement": "p", "proof": "x"}),
        ("induct", {"statement": "p", "proof": "x", "instances": "p"}),
        ("induct", {"statement": "p", "proof": "x", "instances": [3]}),
    ],
)
def test_wrong_fields_are_malformed(kind: str, fields: dict[str, object]) -> None:
    assert isinstance(DOMAIN.draft(kind, fields), Malformed)


def test_indented_proofs_keep_their_shape() -> None:
    task = Task("", "lean", "prove", {"statement": ": True"}, {}, "")
    text = "by\n  constructor\n"
    answer = DOMAIN.parse_answer(task, {"answer": text})
    assert isinstance(answer, Answer) and answer.fields["answer"] == "by\n  constructor"
    assert isinstance(DOMAIN.parse_answer(task, {"answer": " \n"}), Malformed)


@given(seed=st.integers(0, 10**6))
def test_rivals_have_the_same_binders_and_another_type(seed: int) -> None:
    rng = random.Random(seed)
    for family in (statements.sums, statements.lengths, statements.orders, statements.propositions):
        found = family(rng)
        if found.rival:
            binders, rival_binders = (text.partition(" : ")[0] for text in (found.statement, found.rival))
            assert binders == rival_binders and found.statement != found.rival


@pytest.mark.skipif(bool(wheel_problem()), reason=wheel_problem() or "the wheel is there")
def test_most_seeds_of_every_kind_are_admitted_and_solved_by_their_gold() -> None:
    from azr_engine.verifiers.lean.backends import open_backend
    from azr_engine.verifiers.lean.config import LeanConfig
    from azr_engine.verifiers.lean.verifier import LeanVerifier, gold_text

    async def play() -> None:
        verifier = LeanVerifier(open_backend(LeanConfig()))
        drafts: list[Draft] = list(islice(DOMAIN.seeds(random.Random(11)), 24))
        outcomes = await verifier.admit(drafts)
        tasks = [outcome for outcome in outcomes if isinstance(outcome, Task)]
        refused = {outcome.reason for outcome in outcomes if not isinstance(outcome, Task)}
        assert refused <= {"trivial"}
        for kind in KINDS:
            assert sum(task.kind == kind for task in tasks) >= 4
        answers = [Answer({"answer": gold_text(task)}, "") for task in tasks]
        verdicts = await verifier.judge(list(zip(tasks, answers, strict=True)))
        assert {verdict.status for verdict in verdicts} == {"pass"}
        await verifier.close()

    asyncio.run(play())
