"""Good proofs pass, bad ones fail in Lean's words, and cheats fail with and without the lint."""

from __future__ import annotations

import asyncio

import pytest

from azr_engine.engine.types import Verdict
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Goal
from tests.verifiers.lean.corpus_bad import BAD
from tests.verifiers.lean.corpus_cheats import ACCELERATED, ALONE, BEFORE_OURS
from tests.verifiers.lean.corpus_good import GOOD


def verdicts(pool: LeanPool, files: list[list[Goal]]) -> list[Verdict]:
    return asyncio.run(pool.check_files(files))


def test_good_proofs_pass(pool: LeanPool) -> None:
    assert len(GOOD) >= 60
    found = verdicts(pool, [[Goal(statement, proof)] for _, statement, proof in GOOD])
    assert [(case[0], v.reason) for case, v in zip(GOOD, found, strict=True) if v.status != "pass"] == []


def test_bad_proofs_fail_in_leans_words(pool: LeanPool) -> None:
    assert len(BAD) >= 60
    found = verdicts(pool, [[Goal(statement, proof)] for statement, proof, _ in BAD])
    assert [case for case, v in zip(BAD, found, strict=True) if v.status != "fail"] == []
    assert [(case, v.reason) for case, v in zip(BAD, found, strict=True) if case[2] not in v.reason] == []


@pytest.mark.parametrize("which", ["pool", "unlinted"])
def test_cheats_against_a_statement_fail(which: str, request: pytest.FixtureRequest) -> None:
    files = [[Goal(statement, proof)] for _, statement, proof in ALONE]
    found = verdicts(request.getfixturevalue(which), files)
    assert [case[0] for case, v in zip(ALONE, found, strict=True) if v.status != "fail"] == []


@pytest.mark.parametrize("which", ["pool", "unlinted"])
def test_cheats_in_a_lemma_before_ours_fail(which: str, request: pytest.FixtureRequest) -> None:
    assert len(ALONE) + len(BEFORE_OURS) >= 30
    files = [
        [Goal(": True", before, free=True), Goal(statement, proof, "instance_1")]
        for _, before, statement, proof in BEFORE_OURS
    ]
    found = verdicts(request.getfixturevalue(which), files)
    assert [case[0] for case, v in zip(BEFORE_OURS, found, strict=True) if v.status != "fail"] == []
    if which == "unlinted":
        stopped = {case[0]: v.reason for case, v in zip(BEFORE_OURS, found, strict=True)}
        by_the_module = {name for name, reason in stopped.items() if reason.startswith("module: ")}
        by_the_kernel = {name for name, reason in stopped.items() if reason.startswith("kernel: ")}
        assert {
            "an axiom", "an axiom under our name", "an instance that changes what + means", "a macro for =",
            "an instance that changes what ≤ means", "an extra hypothesis", "ours renamed by a namespace",
            "end of input",
        } <= by_the_module  # fmt: skip
        assert {"kernel switched off", "kernel switched off for a helper"} <= by_the_kernel


@pytest.mark.parametrize("name", ACCELERATED)
def test_what_the_kernel_computes_with_cannot_be_defined_anew(unlinted: LeanPool, name: str) -> None:
    text = f"trivial\nset_option bootstrap.genMatcherCode false\nopaque {name} : {ACCELERATED[name]}"
    (verdict,) = verdicts(unlinted, [[Goal(": True", text)]])
    assert verdict.status == "fail"
    assert verdict.reason == f"`{name}` has already been declared"


def test_a_module_proved_by_sorry_rests_on_its_axiom(unlinted: LeanPool) -> None:
    """Where Lean does not count the word: behind `set_option warn.sorry`, the axiom is still there."""
    file = [Goal(": 1 = 2", "by\n  set_option warn.sorry false in\n  exact @sorryAx (1 = 2) false")]
    (verdict,) = verdicts(unlinted, [file])
    assert verdict.status == "fail"
    assert "sorry" in verdict.reason
