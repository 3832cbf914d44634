"""The step size: whole until a run's last part, a tenth at its end, and what the optimiser then does."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.schedule import LEAST, step_size
from azr_engine.trainer.torch_backend import TorchTrainer

parts = st.floats(0, 1)


@given(parts, parts, parts)
def test_it_never_grows_and_stays_within_its_bounds(anneal: float, one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert LEAST <= step_size(late, anneal) <= step_size(early, anneal) <= 1.0
    assert step_size(early * (1.0 - anneal), anneal) == 1.0


@given(st.floats(0.01, 1))
def test_it_ends_at_a_tenth_and_passes_the_middle_halfway(anneal: float) -> None:
    assert step_size(1.0, anneal) == pytest.approx(LEAST)
    assert step_size(1.0 - anneal / 2, anneal) == pytest.approx((1.0 + LEAST) / 2)
    assert step_size(1.01, anneal) == LEAST, "a last step may end after the run's time"


def test_a_run_without_end_keeps_its_step() -> None:
    assert step_size(0.0, 1.0) == step_size(1.0, 0.0) == 1.0


def test_an_update_moves_the_weights_so_much_less_and_the_next_one_as_much_as_ever() -> None:
    model = build_model(Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64), 64)
    sample = Sample((5, 6, 7), (8, 9, 2), (-4.0, -4.0, -4.0), 1.0, "solve")
    config = TrainerConfig(learning_rate=1e-3, kl_propose=0.0, kl_solve=0.0)

    def moved(*sizes: float) -> list[torch.Tensor]:
        trainer = TorchTrainer(copy.deepcopy(model), config)
        for size in sizes:
            trainer.update([sample], clip_high=0.2, temperature=1.0, step_size=size)
        return [
            (after - before).detach()
            for after, before in zip(trainer.model.parameters(), model.parameters(), strict=True)
        ]

    whole, less = moved(1.0), moved(0.25)
    for far, near in zip(whole, less, strict=True):
        assert torch.allclose(near, 0.25 * far, atol=1e-7)
    # A tenth does not stick: a full step after a tiny one goes about as far as a full step alone.
    alone, behind = (sum(float(move.norm()) for move in found) for found in (whole, moved(1e-6, 1.0)))
    assert behind == pytest.approx(alone, rel=0.05)
