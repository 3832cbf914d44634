"""The second kernel run refuses what the first never saw: terms that were changed on their way."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

import pytest

from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Checker, Goal, Limits
from azr_engine.verifiers.lean.link import Server
from azr_engine.verifiers.lean.modules import Refused, compare
from azr_engine.verifiers.lean.olean import Module

LIMITS = Limits(cpu_seconds=20.0)


def module_of(pool: LeanPool, statement: str, proof: str) -> Module:
    def work(checker: Checker, server: Server, goal: Goal) -> Module:
        return checker._compile(server, [goal], LIMITS)[0]

    (module,) = asyncio.run(pool.run(work, [Goal(statement, proof)]))
    return module


def replayed(pool: LeanPool, tables: dict[str, Any]) -> str:
    def work(checker: Checker, server: Server, tables: dict[str, Any]) -> str:
        head = {
            "do": "replay",
            "imports": ["Init"],
            "max_heartbeats": 10**8,
            "cpu_seconds": 10.0,
            "memory_mb": 512,
            "mapped_bytes": 0,
        }
        outcome, _ = server.ask(head, json.dumps(tables).encode(), 100.0)
        return str(outcome["printed"])

    (printed,) = asyncio.run(pool.run(work, [tables]))
    return printed


def tables_of(pool: LeanPool, statement: str, proof: str) -> dict[str, Any]:
    module = module_of(pool, statement, proof)
    return compare(module, module, stated=["goal"], free=[], header={}, axioms_of=lambda name: frozenset())


@pytest.mark.parametrize(
    ("statement", "proof"),
    [
        ("(p q : Prop) : p ∧ q → q ∧ p", "fun ⟨a, b⟩ => ⟨b, a⟩"),
        (": 123456789123456789123456789 + 1 = 123456789123456789123456790", "rfl"),
        (': "aé" = "aé"', "rfl"),
        ("(α : Type) (x : α) : ∃ y, y = x", "⟨x, rfl⟩"),
        ("(n : Nat) : let m := n + 1; m = n + 1", "rfl"),
        ("(h : (3 : Nat) = 3 ∧ True) : (3 : Nat) = 3", "h.1"),
    ],
)
def test_every_kind_of_term_is_told_to_the_kernel(pool: LeanPool, statement: str, proof: str) -> None:
    assert replayed(pool, tables_of(pool, statement, proof)) == "kernel: "


def test_a_changed_number_is_noticed(pool: LeanPool) -> None:
    tables = tables_of(pool, ": 2 + 2 = 4", "rfl")
    assert replayed(pool, tables) == "kernel: "
    for row in tables["expressions"]:
        if row == ["nat", "4"]:
            row[1] = "5"
    assert replayed(pool, tables).startswith("kernel: ") and replayed(pool, tables) != "kernel: "


def test_a_proof_of_something_else_is_noticed(pool: LeanPool) -> None:
    tables = tables_of(pool, "(p q : Prop) : p ∧ q → q ∧ p", "fun h => And.intro h.2 h.1")
    declaration = tables["declarations"][-1]
    swapped = copy.deepcopy(tables)
    swapped["declarations"][-1][4] = declaration[3]
    assert replayed(pool, swapped) not in ("", "kernel: ")


def test_a_theorem_that_takes_an_imported_name_is_refused(pool: LeanPool) -> None:
    tables = tables_of(pool, ": True", "True.intro")
    tables["names"].append([0, "trivial"])
    tables["declarations"][-1][1] = len(tables["names"]) - 1
    assert replayed(pool, tables) == "kernel: already declared"


def test_a_reference_with_another_type_is_refused(pool: LeanPool) -> None:
    stronger, weaker = module_of(pool, "(p q : Prop) : p → q → p ∧ q", "fun a b => ⟨a, b⟩"), None
    weaker = module_of(pool, "(p q : Prop) : p → q → q ∧ p", "fun a b => ⟨b, a⟩")
    with pytest.raises(Refused, match="states something else"):
        compare(stronger, weaker, stated=["goal"], free=[], header={}, axioms_of=lambda name: frozenset())


def test_an_axiom_behind_a_constant_is_refused(pool: LeanPool) -> None:
    module = module_of(pool, "(p : Prop) : p ∨ ¬p", "Classical.em p")
    with pytest.raises(Refused, match="rests on the axiom 'made up'"):
        compare(module, module, stated=["goal"], free=[], header={}, axioms_of=lambda name: frozenset(("made up",)))
