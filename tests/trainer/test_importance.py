"""What another engine sampled teaches what the trainer's own samples would have, up to the cap."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.trainer.loss import importance_weights, token_logprobs
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.torch_backend import TorchTrainer

MODEL = build_model(Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64), 64).eval()

masses = st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4)


def normalised(values: list[float]) -> torch.Tensor:
    tensor = torch.tensor(values, dtype=torch.float64)
    return tensor / tensor.sum()


@given(masses, masses, masses, st.floats(1.0, 4.0))
def test_weights_take_another_distribution_out_of_a_mean_but_for_the_cap(
    p: list[float], q: list[float], values: list[float], cap: float
) -> None:
    own, other, of = normalised(p), normalised(q), torch.tensor(values, dtype=torch.float64)
    weights = importance_weights(own.log(), other.log(), cap)
    assert ((weights > 0) & (weights <= cap)).all()
    cut_off = (own - cap * other).clamp(min=0)
    assert torch.allclose((other * weights * of).sum(), ((own - cut_off) * of).sum())


@given(st.floats(-20, 0), st.floats(1.0, 4.0))
def test_the_trainers_own_samples_weigh_one(logprob: float, cap: float) -> None:
    value = torch.tensor([logprob], requires_grad=True)
    weights = importance_weights(value, value, cap)
    assert weights.tolist() == [1.0]
    assert not weights.requires_grad


def sample(advantage: float, distance: float) -> Sample:
    """A completion whose log-probabilities were recorded `distance` below the model's own."""
    prompt, ids = (5, 6), (7, 8, 9)
    with torch.no_grad():
        logits = MODEL(input_ids=torch.tensor([[*prompt, *ids]])).logits[0, 1:-1]
    own, _ = token_logprobs(logits, torch.tensor(ids), 1.0)
    return Sample(prompt, ids, tuple((own - distance).tolist()), advantage, "solve")


@pytest.mark.parametrize("distance", [-0.7, 0.0, 0.3, 5.0])
def test_a_constant_distance_scales_the_advantage_in_every_epoch(distance: float) -> None:
    config = TrainerConfig(epochs=3, kl_propose=0.0, kl_solve=0.0, learning_rate=0.01)
    weight = min(math.exp(distance), config.importance_cap)
    found = []
    for one in (sample(0.5, distance), sample(0.5 * weight, 0.0)):
        trainer = TorchTrainer(copy.deepcopy(MODEL), config)
        found.append(trainer.update([one], clip_high=0.2, temperature=1.0))
    # Of three epochs' sums: the second and third see weights that the ones before have moved.
    assert found[0].loss == pytest.approx(found[1].loss, rel=1e-3)
    assert found[0].grad_norm == pytest.approx(found[1].grad_norm, rel=1e-2)
    assert found[0].clip_fraction == found[1].clip_fraction > 0
    assert found[0].kl_rollout == pytest.approx(math.exp(distance) - distance - 1, rel=1e-4, abs=1e-10)
    assert found[1].kl_rollout == pytest.approx(0.0, abs=1e-10)
