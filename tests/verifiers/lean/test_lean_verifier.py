"""Admission and judgement of the three kinds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.tasks import negation
from azr_engine.verifiers.lean.verifier import LeanVerifier, gold_text

SWAP = {"statement": "(p q : Prop) : p ∧ q → q ∧ p", "proof": "fun h => ⟨h.2, h.1⟩"}
REPAIR = {
    "statement": "(a b : Nat) : a + b = b + a",
    "proof": "Nat.add_comm a b",
    "rival": "(a b : Nat) : a + b = b + b",
    "refutation": "fun h => absurd (h 1 0) (by decide)",
}
INDUCT = {
    "statement": "(a b : Nat) : a + b = b + a",
    "proof": "Nat.add_comm a b",
    "instances": [
        "(x : Nat) : x + 3 = 3 + x",
        "(x y : Nat) : x * y + y = y + x * y",
        "(x y : Nat) : x + 2 * y = 2 * y + x",
        "(x : Nat) : 7 + x * x = x * x + 7",
    ],
}


@pytest.fixture
def verifier(pool: LeanPool) -> LeanVerifier:
    return LeanVerifier(pool)


def admitted(verifier: LeanVerifier, kind: str, fields: dict[str, Any]) -> Task | Rejection:
    (outcome,) = asyncio.run(verifier.admit([Draft("lean", kind, fields)]))
    return outcome


def task_of(verifier: LeanVerifier, kind: str, fields: dict[str, Any]) -> Task:
    outcome = admitted(verifier, kind, fields)
    assert isinstance(outcome, Task), outcome
    return outcome


def judged(verifier: LeanVerifier, task: Task, *texts: str) -> list[Verdict]:
    return asyncio.run(verifier.judge([(task, Answer({"answer": text}, text)) for text in texts]))


def test_prove(verifier: LeanVerifier) -> None:
    task = task_of(verifier, "prove", SWAP)
    assert task.given == {"statement": SWAP["statement"]}
    assert task.gold == {"proof": SWAP["proof"]}
    right = [gold_text(task), "fun ⟨a, b⟩ => ⟨b, a⟩", "by\n  intro h\n  exact ⟨h.2, h.1⟩", "And.symm"]
    assert [v.status for v in judged(verifier, task, *right)] == ["pass"] * len(right)
    wrong = ["fun h => h", "sorry", "by simp_all [undefined]", "", "trivial", "¬"]
    assert [v.status for v in judged(verifier, task, *wrong)] == ["fail"] * len(wrong)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"statement": "(p : Prop) : p", "proof": "trivial"}, "unproved"),
        ({"statement": "(p : Prop) : p → p", "proof": "fun a => a"}, "trivial"),
        ({"statement": ": 2 + 2 = 4", "proof": "rfl"}, "trivial"),
        ({"statement": "(n : Nat) : n + 0 = n", "proof": "Nat.add_zero n"}, "trivial"),
        ({"statement": "(p : Prop) : q", "proof": "trivial"}, "statement"),
        ({"statement": ": Nat", "proof": "3"}, "statement"),
        ({"statement": ": True := trivial\naxiom x : False\ntheorem y : False", "proof": "x"}, "statement"),
        ({"statement": "p → p", "proof": "fun a => a"}, "statement"),
        ({"statement": ": 1 = 2", "proof": "sorry"}, "unproved"),
        ({"statement": "(p q : Prop) : p ∧ q → q ∧ p"}, "malformed"),
    ],
)
def test_drafts_to_prove_that_are_not_admitted(verifier: LeanVerifier, fields: dict[str, str], reason: str) -> None:
    outcome = admitted(verifier, "prove", fields)
    assert isinstance(outcome, Rejection)
    assert (outcome.reason, outcome.fault) == (reason, False)


def test_equal_up_to_names_have_one_signature_and_alike_one_skeleton(verifier: LeanVerifier) -> None:
    proof = "fun h => ⟨h.2, h.1⟩"
    one, renamed, other, unlike = (
        task_of(verifier, "prove", {"statement": text, "proof": proof})
        for text in (
            "(p q : Prop) : p ∧ q → q ∧ p",
            "(s t : Prop) : s ∧ t → t ∧ s",
            "(p q : Prop) : q ∧ p → p ∧ q",
            "(p q : Prop) : ¬p ∧ q → q ∧ ¬p",
        )
    )
    assert one.signature == renamed.signature != other.signature
    assert one.skeleton == renamed.skeleton == other.skeleton != unlike.skeleton
    assert one.id != renamed.id


def test_repair(verifier: LeanVerifier) -> None:
    task = task_of(verifier, "repair", REPAIR)
    assert set(task.given) == {"first", "second"}
    assert {task.given["first"], task.given["second"]} == {REPAIR["statement"], REPAIR["rival"]}
    holds, other = task.gold["holds"], 3 - task.gold["holds"]
    right = [gold_text(task), f"not {other} {REPAIR['refutation']}", f"{holds}: by\n  exact Nat.add_comm a b"]
    assert [v.status for v in judged(verifier, task, *right)] == ["pass"] * len(right)
    wrong = [f"{other} Nat.add_comm a b", f"not {holds} fun h => absurd (h 1 0) (by decide)", REPAIR["proof"], "3 rfl"]
    assert [v.status for v in judged(verifier, task, *wrong)] == ["fail"] * len(wrong)


def test_which_statement_comes_first_says_nothing(verifier: LeanVerifier) -> None:
    swapped = REPAIR | {
        "statement": REPAIR["rival"],
        "proof": "sorry",
        "rival": REPAIR["statement"],
        "refutation": "sorry",
    }
    assert admitted(verifier, "repair", swapped) == Rejection(
        "unproved", "lint: the word 'sorry' has no place in a term"
    )
    order = set()
    for name in "acde":
        fields = {key: text.replace("a b", f"{name}1 b").replace("a +", f"{name}1 +").replace("+ a", f"+ {name}1")
                  for key, text in REPAIR.items()}  # fmt: skip
        order.add(task_of(verifier, "repair", fields | {"refutation": REPAIR["refutation"]}).gold["holds"])
    assert order == {1, 2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rival": "(a b : Nat) : a + b = b + a + 0", "refutation": "fun h => h"}, "unrefuted"),
        ({"rival": "(a c : Nat) : a + c = c + c"}, "not_neighbours"),
        ({"rival": "(a b : Nat) : False"}, "not_neighbours"),
        ({"refutation": "fun h => absurd (h 0 0) (by decide)"}, "unrefuted"),
    ],
)
def test_repairs_that_are_not_admitted(verifier: LeanVerifier, change: dict[str, str], reason: str) -> None:
    outcome = admitted(verifier, "repair", REPAIR | change)
    assert isinstance(outcome, Rejection) and outcome.reason == reason


def test_induct(verifier: LeanVerifier) -> None:
    task = task_of(verifier, "induct", INDUCT)
    assert task.given == {"instances": INDUCT["instances"][:2]}
    assert task.gold["instances"] == INDUCT["instances"][2:]
    right = [gold_text(task), "(x y : Nat) : x + y = y + x := by\n  rw [Nat.add_comm]"]
    assert [v.status for v in judged(verifier, task, *right)] == ["pass"] * len(right)
    wrong = [
        "(x : Nat) : x + 3 = 3 + x := Nat.add_comm x 3",
        "(x : Nat) : x + 3 = 3 + x ∧ x * x = x * x := ⟨Nat.add_comm x 3, rfl⟩",
        "(x : Nat) : x = x := rfl",
        "(p : Prop) (h : p) : p := h",
        "(p : Prop) (h : p := by simp [Nat.add_comm]) : p := h",
        "(a b : Nat) : a + b = b + a := sorry",
        "(a b : Nat) : a + b = b + a",
        ": True := trivial\naxiom cheat : False",
    ]
    assert [v.status for v in judged(verifier, task, *wrong)] == ["fail"] * len(wrong)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instances": INDUCT["instances"][:3]}, "malformed"),
        ({"instances": [*INDUCT["instances"][:3], INDUCT["instances"][0]]}, "not_instances"),
        ({"instances": [*INDUCT["instances"][:3], "(x : Nat) : x * 3 = 3 * x"]}, "not_instances"),
        ({"instances": [*INDUCT["instances"][:3], ": 2 + 5 = 5 + 2"]}, "trivial"),
        ({"proof": "Nat.mul_comm a b"}, "unproved"),
    ],
)
def test_inductions_that_are_not_admitted(verifier: LeanVerifier, change: dict[str, Any], reason: str) -> None:
    outcome = admitted(verifier, "induct", INDUCT | change)
    assert isinstance(outcome, Rejection) and outcome.reason == reason


def test_posing_needs_no_proof_and_admission_does(verifier: LeanVerifier) -> None:
    draft = Draft("lean", "prove", {"statement": SWAP["statement"]})
    (posed,) = asyncio.run(verifier.pose([draft]))
    assert isinstance(posed, Task)
    assert judged(verifier, posed, SWAP["proof"])[0].status == "pass"
    (refused,) = asyncio.run(verifier.admit([draft]))
    assert isinstance(refused, Rejection) and refused.reason == "malformed"


def test_an_unknown_kind_is_rejected_and_order_is_kept(verifier: LeanVerifier) -> None:
    drafts = [Draft("lean", "dream", {}), Draft("lean", "prove", SWAP), Draft("lean", "dream", {})]
    kinds = [type(outcome).__name__ for outcome in asyncio.run(verifier.admit(drafts))]
    assert kinds == ["Rejection", "Task", "Rejection"]


def test_negations_close_over_the_binders() -> None:
    assert negation("(a : Nat) : a = 0") == ": ¬ (∀ (a : Nat), a = 0)"
    assert negation(": 1 = 2") == ": ¬ (1 = 2)"
