"""Packing completions behind one prompt changes nothing but the number of tokens that are read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.trainer.objective import make_reference, micro_batch_loss
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.rows import ROW_TOKENS, can_share_prompts, make_rows

MODEL = build_model(Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64), 64).eval()
CONFIG = TrainerConfig(kl_propose=0.3, kl_solve=0.1)

tokens = st.integers(3, 63)
prompts = st.sampled_from([(5,), (5, 6, 7), (8, 9, 10, 11, 12, 13)])
samples = st.builds(
    lambda prompt, ids, advantage, role: Sample(prompt, tuple(ids), tuple([-3.0] * len(ids)), advantage, role),
    prompts,
    st.lists(tokens, min_size=1, max_size=6),
    st.floats(-2, 2),
    st.sampled_from(["propose", "solve"]),
)


def loss_and_gradient(batch: list[Sample], *, share: bool) -> tuple[float, dict[str, float], torch.Tensor]:
    MODEL.zero_grad()
    reference = make_reference(build_model(Recipe(seed=2, hidden=32, layers=2, heads=2, kv_heads=1), 64), CONFIG)
    loss, sums = micro_batch_loss(
        MODEL, make_rows(batch, share=share), CONFIG, reference, clip_high=0.2, temperature=0.8
    )
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item(), sums, torch.cat([p.grad.flatten() for p in MODEL.parameters() if p.grad is not None])


@settings(max_examples=30, deadline=None)
@given(st.lists(samples, min_size=1, max_size=8))
def test_shared_prompts_give_the_same_loss_metrics_and_gradient(batch: list[Sample]) -> None:
    apart, packed = (loss_and_gradient(batch, share=share) for share in (False, True))
    assert packed[0] == pytest.approx(apart[0], abs=2e-4)
    assert packed[1] == pytest.approx(apart[1], abs=2e-4)
    assert torch.allclose(packed[2], apart[2], atol=2e-4)


@given(st.lists(samples, max_size=20))
def test_rows_hold_every_sample_once_and_each_prompt_once(batch: list[Sample]) -> None:
    rows = make_rows(batch, share=True)
    assert sorted(id(s) for row in rows for s in row.samples) == sorted(id(s) for s in batch)
    assert len(rows) == len({s.prompt_ids for s in batch})
    assert all(len({s.prompt_ids for s in row.samples}) == 1 for row in rows)


def test_a_row_takes_no_completion_beyond_its_limit() -> None:
    long = Sample((1,) * 100, (2,) * 400, (-1.0,) * 400, 1.0, "solve")
    endless = Sample((1,) * 100, (2,) * (2 * ROW_TOKENS), (-1.0,) * (2 * ROW_TOKENS), 1.0, "solve")
    rows = make_rows([long, long, long, endless, long], share=True)
    assert [[len(s.ids) for s in row.samples] for row in rows] == [[400, 400], [400], [2 * ROW_TOKENS], [400]]


def test_only_plain_attention_shares_prompts() -> None:
    assert can_share_prompts(MODEL)
    for change in ({"sliding_window": 64}, {"layer_types": ["full_attention", "linear_attention"]}):
        model: Any = build_model(Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64), 64)
        for name, value in change.items():
            setattr(model.config, name, value)
        assert not can_share_prompts(model)
