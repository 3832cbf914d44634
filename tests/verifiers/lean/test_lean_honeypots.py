"""Honeypots of the Lean domain: Lean refutes each of them, and in form they are like other tasks."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from azr_engine.domains.lean import seeds
from azr_engine.domains.lean.domain import LeanDomain
from azr_engine.engine.types import Answer, Task, Verdict
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.tasks import negation
from azr_engine.verifiers.lean.verifier import LeanVerifier
from tests.verifiers.lean.conftest import LIMITS

DOMAIN = LeanDomain()


def pots(kind: str, n: int) -> list[Task]:
    """Different honeypots like tasks of a kind."""
    rng, task = random.Random(5), Task("0", "lean", kind, {}, None, "s")
    made = [pot for _ in range(n) if (pot := DOMAIN.honeypot(task, rng)) is not None]
    return list({pot.id: pot for pot in made}.values())


def shape(text: str) -> str:
    """A statement with its names and numbers taken out."""
    return re.sub(r"\d+", "1", re.sub(r"\b[a-z]+\b", "x", text))


@pytest.mark.parametrize(("kind", "n"), [("prove", 8), ("induct", 3)])
def test_lean_proves_that_a_honeypot_is_impossible(pool: LeanPool, kind: str, n: int) -> None:
    async def refuted(statement: str, refutation: str) -> bool:
        return (await pool.check(negation(statement), refutation, limits=LIMITS)).status == "pass"

    async def one_of_them(statements: list[str], refutation: str) -> bool:
        return any([await refuted(statement, refutation) for statement in statements])

    made = pots(kind, n)
    assert len(made) > n // 2
    for pot in made:
        statements = pot.given["instances"] if kind == "induct" else [pot.given["statement"]]
        assert asyncio.run(one_of_them(statements, pot.gold["refutation"])), pot.given


def test_what_proves_the_neighbour_proves_no_honeypot(pool: LeanPool) -> None:
    async def judge() -> list[Verdict]:
        verifier = LeanVerifier(pool)
        texts = ["by simp", "by decide", "fun a => a"]
        pairs = [(pot, Answer({"answer": text}, text)) for pot in pots("prove", 3) for text in texts]
        for pot in pots("induct", 2):
            text = f"{pot.gold['statement']} := {pot.gold['proof']}"
            pairs.append((pot, Answer({"answer": text}, text)))
        return await verifier.judge(pairs)

    assert {verdict.status for verdict in asyncio.run(judge())} == {"fail"}


@pytest.mark.parametrize("kind", ["prove", "induct"])
def test_a_honeypot_is_like_other_tasks_in_form(kind: str) -> None:
    rng = random.Random(3)
    drafts = [seeds.sample(rng, kind) for _ in range(150)]
    made = pots(kind, 40)
    if kind == "prove":
        ordinary, odd = [d["statement"] for d in drafts], [pot.given["statement"] for pot in made]
    else:
        ordinary = [text for d in drafts for text in d["instances"]]
        odd = [text for pot in made for text in pot.given["instances"]]
        assert {len(pot.given["instances"]) for pot in made} <= {(len(d["instances"]) + 1) // 2 for d in drafts}
    assert {*"".join(map(shape, odd))} <= {*"".join(map(shape, ordinary))}
    assert max(map(len, odd)) <= max(map(len, ordinary))
    assert {text.partition(":")[2].split(")")[0] for text in odd} <= {
        text.partition(":")[2].split(")")[0] for text in ordinary
    }
    for pot in made:
        prompt = DOMAIN.solve_prompt(pot)
        assert prompt.givens and all(pot.gold["refutation"] not in section.text for section in prompt.givens)


def test_there_is_none_where_either_answer_could_be_right() -> None:
    assert pots("repair", 3) == []
