"""The objective against hand-computed cases and its known properties."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.trainer.loss import clipped_objective, k3_divergence, leash_loss, token_logprobs

logs = st.floats(-5, 0)


def test_on_policy_loss_is_minus_the_advantage() -> None:
    logprobs = torch.tensor([[-1.0, -2.0]])
    losses, clipped = clipped_objective(logprobs, logprobs, torch.tensor([[0.7]]), 0.2, 0.2)
    assert torch.allclose(losses, torch.tensor([[-0.7, -0.7]]))
    assert not clipped.any()


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "is_clipped"),
    [(1.5, 1.0, -1.2, True), (1.5, -1.0, 1.5, False), (0.5, 1.0, -0.5, False), (0.5, -1.0, 0.8, True)],
)
def test_clipping_takes_away_only_what_would_be_gained(
    ratio: float, advantage: float, expected: float, is_clipped: bool
) -> None:
    new = torch.tensor([[math.log(ratio)]])
    losses, clipped = clipped_objective(new, torch.zeros(1, 1), torch.tensor([[advantage]]), 0.2, 0.2)
    assert losses.item() == pytest.approx(expected, rel=1e-5)
    assert clipped.item() is is_clipped


def test_the_upper_clip_can_differ_from_the_lower() -> None:
    new = torch.tensor([[math.log(1.25)]])
    losses, _ = clipped_objective(new, torch.zeros(1, 1), torch.ones(1, 1), 0.2, 0.28)
    assert losses.item() == pytest.approx(-1.25, rel=1e-5)


@given(logs, logs)
def test_k3_is_never_negative_and_zero_only_at_equality(a: float, b: float) -> None:
    value = k3_divergence(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)).item()
    assert value >= -1e-12
    if abs(a - b) > 1e-3:
        assert value > 0


def test_k3_is_unbiased_for_the_kl_divergence() -> None:
    p, q = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64), torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    expected = (p * (p / q).log()).sum()
    assert torch.allclose((p * k3_divergence(p.log(), q.log())).sum(), expected)


@given(st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=2, max_size=8))
def test_the_leash_pulls_along_the_gradient_of_the_kl_divergence(pairs: list[tuple[float, float]]) -> None:
    logits = torch.tensor([own for own, _ in pairs], dtype=torch.float64, requires_grad=True)
    base = torch.tensor([other for _, other in pairs], dtype=torch.float64).log_softmax(-1)
    logprobs = logits.log_softmax(-1)
    exact = torch.autograd.grad((logprobs.exp() * (logprobs - base)).sum(), logits, retain_graph=True)[0]
    sampled = torch.autograd.grad((logprobs.detach().exp() * leash_loss(logprobs, base)).sum(), logits)[0]
    assert torch.allclose(sampled, exact, atol=1e-9)


def test_a_token_that_the_policy_all_but_gave_up_does_not_own_the_gradient() -> None:
    logprobs = torch.tensor([-12.0, -1.0], requires_grad=True)
    base = torch.tensor([-2.0, -2.0])
    pull = torch.autograd.grad(leash_loss(logprobs, base).sum(), logprobs)[0]
    assert pull.tolist() == [-10.0, 1.0]
    assert torch.autograd.grad(k3_divergence(logprobs, base).sum(), logprobs)[0][0] < -20_000


def test_temperature_scales_the_logits_of_logprobs_and_entropy() -> None:
    logits = torch.tensor([[[0.0, math.log(4.0)]]])
    chosen, entropy = token_logprobs(logits, torch.tensor([[1]]), 2.0)
    assert chosen.item() == pytest.approx(math.log(2 / 3), rel=1e-5)
    assert entropy.item() == pytest.approx(-(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3), rel=1e-5)
