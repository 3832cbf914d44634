"""Decoding with grouped attention: the answers of torch's own attention, which is back in place afterwards."""

from __future__ import annotations

import pytest
import torch

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.bootstrap.tokenizer import build_tokenizer
from azr_engine.engine.policies import grouped_attention
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Completion

PROMPTS = ["@solve@python", "@solve@math@deduction@operation:expand@expression:(x+1)*(x-2)@answer:", "d"]


def sampled(policy: TransformersPolicy) -> list[Completion]:
    prompts = [policy.encode(prompt) for prompt in PROMPTS]
    groups = policy.generate(prompts, n_samples=4, max_new_tokens=16, temperature=1.0, seed=3)
    return [completion for group in groups for completion in group]


def test_it_says_what_torchs_own_attention_says(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = build_tokenizer()
    model = build_model(Recipe(hidden=32, layers=2, heads=4, kv_heads=2, intermediate=64), len(tokenizer))
    policy = TransformersPolicy(LoadedModel(model.eval(), tokenizer, STYLES["compact"], {}))
    grouped = sampled(policy)
    monkeypatch.setattr(grouped_attention, "FAMILIES", frozenset())
    plain = sampled(policy)
    assert [one.ids for one in grouped] == [one.ids for one in plain]
    for one, other in zip(grouped, plain, strict=True):
        assert torch.allclose(torch.tensor(one.logprobs), torch.tensor(other.logprobs), atol=2e-5)


def test_the_models_own_attention_is_back_even_after_an_error() -> None:
    model = build_model(Recipe(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=64), len(build_tokenizer()))
    with pytest.raises(KeyError), grouped_attention.grouped_attention(model):
        assert model.config._attn_implementation == grouped_attention.NAME
        raise KeyError
    assert model.config._attn_implementation == "sdpa"
