"""Decoding straight through the layers says what the model says: every family, padding, adapters, dropped rows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from azr_engine.bootstrap.tokenizer import build_tokenizer
from azr_engine.engine.policies import decoding
from azr_engine.engine.policies.decoding import ROOM, ModelDecoder, make_decoder
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.policies.lora import LoraConfig, add_adapter
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Completion

PROMPTS = ["@solve@python", "@solve@math@deduction@operation:expand@expression:(x+1)*(x-2)@answer:", "d"]
SIZES: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 64, "head_dim": 16, "max_position_embeddings": 512, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
CONFIGS = {
    "llama": lambda **more: LlamaConfig(**SIZES, **more),
    "llama with long angles": lambda **more: LlamaConfig(**SIZES, **more, rope_parameters=LLAMA3),
    "mistral": lambda **more: MistralConfig(**SIZES, **more, sliding_window=None),
    "qwen2": lambda **more: Qwen2Config(**SIZES, **more),
    "qwen3": lambda **more: Qwen3Config(**SIZES, **more),
}


def build(config: Any) -> Any:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):
                parameter.uniform_(0.5, 1.5)  # an initialisation of all zeros or ones would hide what is left out
    return model.eval()


def policy_of(model: Any) -> TransformersPolicy:
    return TransformersPolicy(LoadedModel(model, build_tokenizer(), STYLES["compact"], {}))


def sampled(policy: TransformersPolicy, n_tokens: int = 16) -> list[Completion]:
    prompts = [policy.encode(prompt) for prompt in PROMPTS]
    groups = policy.generate(prompts, n_samples=4, max_new_tokens=n_tokens, temperature=1.0, seed=3)
    return [completion for group in groups for completion in group]


def both(policy: TransformersPolicy, monkeypatch: pytest.MonkeyPatch, n_tokens: int = 16) -> None:
    direct = sampled(policy, n_tokens)
    monkeypatch.setattr(decoding, "FAMILIES", frozenset())
    plain = sampled(policy, n_tokens)
    assert [one.ids for one in direct] == [one.ids for one in plain]
    for one, other in zip(direct, plain, strict=True):
        assert torch.allclose(torch.tensor(one.logprobs), torch.tensor(other.logprobs), atol=2e-5)


@pytest.mark.parametrize("family", CONFIGS)
def test_it_says_what_the_model_says(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(CONFIGS[family](vocab_size=len(build_tokenizer())))
    assert decoding._known(model)
    both(policy_of(model), monkeypatch)


def test_caches_grow_as_often_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(CONFIGS["llama"](vocab_size=len(build_tokenizer())))
    policy = policy_of(model)
    policy._ends = frozenset({-1})
    both(policy, monkeypatch, n_tokens=2 * ROOM + 5)


def test_an_adapter_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("peft")
    model = add_adapter(build(CONFIGS["llama"](vocab_size=len(build_tokenizer()))), LoraConfig(r=4))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    model.eval()
    policy = policy_of(model)
    with_adapter = [one.logprobs for one in sampled(policy)]
    with model.disable_adapter():
        assert [one.logprobs for one in sampled(policy)] != with_adapter
    both(policy, monkeypatch)


@pytest.mark.parametrize(
    "config",
    [
        MistralConfig(**SIZES, vocab_size=64, sliding_window=8),
        LlamaConfig(**SIZES, vocab_size=64, rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}),
    ],
    ids=["sliding window", "angles that change"],
)
def test_what_it_does_not_know_is_left_to_the_model(config: Any) -> None:
    model = build(config)
    ids = torch.tensor([[5, 6, 7]])
    cache = model(input_ids=ids, use_cache=True).past_key_values
    assert isinstance(make_decoder(model, cache, torch.ones_like(ids), 2), ModelDecoder)
