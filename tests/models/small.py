"""Small real models and samples to train on, the same for every test of trainers and loading."""

from __future__ import annotations

import random
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from azr_engine.trainer.protocol import Sample

VOCABULARY = 64


def small_model(seed: int = 0) -> Any:
    """A Llama of 30 thousand parameters with tied embeddings, whose weights the seed decides."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=128,
            tie_word_embeddings=True,
        )
    ).eval()


def some_samples(n_samples: int, seed: int, vocabulary: int = VOCABULARY) -> list[Sample]:
    """Sequences of random tokens in both roles, of 3 to 40 tokens, sampled a little off the uniform distribution."""
    rng = random.Random(seed)
    samples = []
    for _ in range(n_samples):
        prompt = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(2, 20)))
        ids = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(1, 20)))
        logprobs = tuple(-4.16 + 0.1 * rng.random() for _ in ids)
        samples.append(Sample(prompt, ids, logprobs, rng.uniform(-1, 1), rng.choice(["propose", "solve"])))
    return samples
