"""The LeanDojo adapter against shapes recorded from lean-dojo 4.20; a real Dojo needs a toolchain."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.types import Verdict
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.leandojo import TacticWalk, TracedRepository, draft_fields, read_step, recheck

SWAP = "(p q : Prop) : p ∧ q → q ∧ p"


@dataclass
class TacticState:
    pp: str
    id: int
    message: str | None = None


@dataclass
class ProofFinished:
    tactic_state_id: int
    message: str | None = None


@dataclass
class LeanError:
    error: str


@dataclass
class ProofGivenUp:
    pass


class Recorded:
    """Answers as a Dojo gave them, by (state, tactic)."""

    answers: dict[tuple[int, str], Any] = {
        (0, "intro h"): TacticState("p q : Prop\nh : p ∧ q\n⊢ q ∧ p", 1),
        (1, "exact h"): LeanError("type mismatch"),
        (1, "sorry"): ProofGivenUp(),
        (1, "exact ⟨h.2, h.1⟩"): ProofFinished(2),
        (1, "exact ⟨h.1, h.2⟩"): ProofFinished(2),
        (1, "exact (sorry : _)"): ProofFinished(2, "declaration uses `sorry`"),
    }

    def run_tac(self, state: TacticState, tactic: str) -> Any:
        return self.answers[state.id, tactic]


def walk(*tactics: str) -> TacticWalk:
    one = TacticWalk(Recorded(), TacticState("⊢ p ∧ q → q ∧ p", 0))
    for tactic in tactics:
        one.run(tactic)
    return one


def test_results_are_read_by_their_shape() -> None:
    assert read_step(TacticState("⊢ p", 3, "note")).goals == "⊢ p"
    assert read_step(ProofFinished(3)).standing == "finished"
    assert read_step(ProofGivenUp()).standing == "given_up"
    assert read_step(LeanError("no")).message == "no"
    assert read_step(object()).standing == "failed"


def test_a_walk_collects_what_worked_and_can_go_back() -> None:
    one = walk("intro h", "exact h", "sorry")
    assert one.tactics == ["intro h"]
    assert "h : p ∧ q" in one.goals
    assert one.run("exact ⟨h.2, h.1⟩").standing == "finished"
    assert one.run("intro h").standing == "failed"
    assert one.proof() == "by\n  intro h\n  exact ⟨h.2, h.1⟩"
    one.back()
    assert one.tactics == ["intro h"]


def rechecked(pool: LeanPool, one: TacticWalk) -> Verdict:
    return asyncio.run(recheck(one, SWAP, pool))


def test_what_a_dojo_calls_finished_is_checked_again(pool: LeanPool) -> None:
    assert rechecked(pool, walk("intro h", "exact ⟨h.2, h.1⟩")).status == "pass"
    assert rechecked(pool, walk("intro h", "exact ⟨h.1, h.2⟩")).status == "fail"
    assert rechecked(pool, walk("intro h", "exact (sorry : _)")).status == "fail"
    assert rechecked(pool, walk("intro h")).reason == "the proof is not finished"


class Theorem:
    """What `TracedTheorem` offers."""

    def __init__(self, statement: str, proof: str | None, *, is_private: bool = False) -> None:
        self._statement, self._proof, self.is_private = statement, proof, is_private

    def has_tactic_proof(self) -> bool:
        return self._proof is not None

    def get_theorem_statement(self) -> str:
        return self._statement

    def get_tactic_proof(self) -> str | None:
        return self._proof


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("theorem foo (p : Prop) : p → p :=", "(p : Prop) : p → p"),
        ("@[simp] protected theorem Nat.foo' (n : Nat) : n = n :=", "(n : Nat) : n = n"),
        ("lemma bar : True :=", ": True"),
        ("theorem foo {α : Type u}\n    (x : α) : x = x :=", "{α : Type u}\n    (x : α) : x = x"),
    ],
)
def test_traced_theorems_become_drafts(text: str, statement: str) -> None:
    assert draft_fields(Theorem(text, "by rfl")) == {"statement": statement, "proof": "by rfl"}


def test_what_cannot_be_had_as_text_is_left_out() -> None:
    assert draft_fields(Theorem("theorem foo : True :=", None)) is None
    assert draft_fields(Theorem("theorem foo : True :=", "by trivial", is_private=True)) is None
    assert draft_fields(Theorem("instance : Inhabited Nat :=", "by exact ⟨0⟩")) is None


def test_a_folder_that_is_no_repository_or_a_missing_package_is_one_clear_line(tmp_path: Path) -> None:
    wanted = (
        (UserError, "no git repository") if importlib.util.find_spec("lean_dojo") else (MissingDependency, "leandojo")
    )
    with pytest.raises(wanted[0], match=wanted[1]):
        TracedRepository(tmp_path)


@pytest.mark.skipif(
    importlib.util.find_spec("lean_dojo") is None or shutil.which("lake") is None,
    reason="a real Dojo needs the extra leandojo and a Lean toolchain with lake",
)
def test_a_real_dojo_can_be_had() -> None:
    assert importlib.import_module("lean_dojo").Dojo is not None
