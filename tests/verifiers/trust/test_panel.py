"""A panel recovers planted error rates, flags a judge who copies another, and can be told to be pessimistic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.trust.panel import Votes, dependent_pairs, fit_panel, pessimistic

PLANTED = [(0.2, 0.1), (0.1, 0.3), (0.35, 0.2), (0.05, 0.05)]


def votes_of(rng: np.random.Generator, n: int, missing: float = 0.0) -> tuple[Votes, Votes]:
    """Votes of the planted judges on `n` items, 40% of them right, and the truth."""
    truth = (rng.random(n) < 0.4).astype(np.int8)
    columns = [np.where(truth == 1, rng.random(n) > r1, rng.random(n) < r0).astype(np.int8) for r0, r1 in PLANTED]
    votes = np.stack(columns, axis=1)
    votes[rng.random(votes.shape) < missing] = -1
    return votes, truth


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_planted_confusion_matrices_are_recovered(missing: float) -> None:
    votes, truth = votes_of(np.random.default_rng(5), 4000, missing)
    fit = fit_panel(votes)
    for found, (r0, r1) in zip(fit.rates, PLANTED, strict=True):
        assert found.false_accept == pytest.approx(r0, abs=0.035)
        assert found.false_reject == pytest.approx(r1, abs=0.035)
    assert fit.prevalence == pytest.approx(0.4, abs=0.03)
    majority = np.where(votes >= 0, votes, 0).sum(1) * 2 > (votes >= 0).sum(1)
    assert ((fit.p_right > 0.5) == truth).mean() >= (majority == truth).mean()


def test_audits_anchor_a_panel_that_is_mostly_wrong() -> None:
    """Three judges who accept everything wrong mislead the votes; some known items set them right."""
    rng = np.random.default_rng(8)
    truth = (rng.random(1000) < 0.5).astype(np.int8)
    liars = [np.where(rng.random(1000) < 0.9, 1 - truth, truth).astype(np.int8) for _ in range(3)]
    votes = np.stack(liars, axis=1)
    known = np.where(np.arange(1000) < 60, truth, -1).astype(np.int8)
    blind, anchored = fit_panel(votes), fit_panel(votes, known)
    assert ((blind.p_right > 0.5) == truth)[60:].mean() < 0.1
    assert ((anchored.p_right > 0.5) == truth)[60:].mean() > 0.9


def test_a_copied_judge_is_flagged_and_independent_ones_are_not() -> None:
    alarms = 0
    for seed in range(60):
        votes, truth = votes_of(np.random.default_rng(seed), 300)
        alarms += bool(dependent_pairs(votes, truth))
        copy = np.column_stack([votes, votes[:, 2]])
        assert (2, 4) in [(i, j) for i, j, _ in dependent_pairs(copy, truth)]
    assert alarms <= 4


def test_two_judges_without_audits_cannot_be_fitted() -> None:
    votes, truth = votes_of(np.random.default_rng(0), 50)
    with pytest.raises(ValueError, match="at least 3 judges"):
        fit_panel(votes[:, :2])
    assert fit_panel(votes[:, :2], truth).p_right.shape == (50,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 5))
def test_pessimism_lies_between_the_worst_score_and_the_mean(scores: list[float], caution: float) -> None:
    value = pessimistic(scores, caution)
    assert min(scores) - 1e-12 <= value <= sum(scores) / len(scores) + 1e-12
    assert pessimistic(scores, float("inf")) == min(scores)
