"""The first look at texts: what it lets through, what it refuses, and that it never raises anything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.lean.lint import (
    LintError,
    check_proof,
    check_statement,
    split_definition,
    split_statement,
)
from tests.verifiers.lean.corpus_good import GOOD


def test_good_texts_pass() -> None:
    for _, statement, proof in GOOD:
        check_statement(statement)
        check_proof(proof)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("-- nothing", "empty"),
        ("trivial)", "unmatched"),
        ("(trivial", "not closed"),
        ("⟨a, b)", "unmatched"),
        ("trivial /- x", "comment is not closed"),
        ("trivial /- /- x -/", "comment is not closed"),
        ('"abc', "string is not closed"),
        ("trivial\taxiom", "control"),
        ("trivial\n#exit", "commands"),
        ("trivial\n@[simp] x", "attributes"),
        ("`(x)", "quotations"),
        ('s!"{sorry}"', "interpolated"),
        ("Lean.ofReduceBool a b c", "not allowed"),
        ("by exact @sorryAx _ true", "not allowed"),
        ("x" * 30_000, "longer"),
        ("(" * 300 + ")" * 300, "nested"),
    ],
)
def test_bad_texts_are_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(LintError, match=reason):
        check_proof(text)


@pytest.mark.parametrize(
    "text", ["fun sorry' => sorry'", "h.endpoint", "/- theorem -/ trivial", '"axiom"', "«end of».x", "'a'"]
)
def test_banned_words_inside_other_things_are_no_words(text: str) -> None:
    check_proof(text)


def test_statements_are_split_at_the_outer_colon() -> None:
    assert split_statement("(a b : Nat) {h : a = b} : b = a") == ("(a b : Nat) {h : a = b}", "b = a")
    assert split_statement(": ∀ x : Nat, x = x") == ("", "∀ x : Nat, x = x")
    assert split_definition("(a : Nat) : (let b := a; b) = a := rfl") == ("(a : Nat) : (let b := a; b) = a", "rfl")
    for text in ("", "(a : Nat)", "p → q", "(a : Nat) :"):
        with pytest.raises(LintError):
            check_statement(text)
    with pytest.raises(LintError, match=":="):
        check_statement(": True := trivial")


@given(st.text(alphabet="ab(){}⟨⟩[]:=-/\"'«»#@` \nsorry.", max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for check in (check_proof, check_statement):
        with contextlib.suppress(LintError):
            check(text)
