"""Attention of one new token per row over a cache, for CPUs: query heads that share a key head are one small matrix.

Transformers' own path copies the cache once for each of those query heads whenever there is padding, and torch's fused
kernel is made for many queries, not for one. Everything but a single query per row is left to that path.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

NAME = "azr_grouped"

FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Models whose layers look their attention up in the registry and hand it nothing unusual."""


@contextmanager
def grouped_attention(model: Any) -> Iterator[None]:
    """Let the model decode this way inside, where it can: one of `FAMILIES`, on a CPU, with torch's own attention."""
    config = model.config
    fits = getattr(config, "model_type", "") in FAMILIES and getattr(config, "_attn_implementation", "") == "sdpa"
    if not fits or torch.device(model.device).type != "cpu":
        yield
        return
    _register()
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = "sdpa"


def _register() -> None:
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if NAME not in ALL_ATTENTION_FUNCTIONS.valid_keys():
        ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
        ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """float[B, 1, H, D] from queries [B, H, 1, D], keys and values [B, K, T, D], and a bool mask [B, 1, 1, T]."""
    n_rows, n_heads, n_queries, width = query.shape
    if n_queries != 1 or (attention_mask is not None and attention_mask.dtype != torch.bool):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        attended: torch.Tensor = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )[0]
        return attended, None
    n_shared = key.shape[1]
    grouped = query.reshape(n_rows, n_shared, n_heads // n_shared, width)
    scores = torch.matmul(grouped, key.transpose(2, 3)) * (width**-0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, float("-inf"))
    return torch.matmul(scores.softmax(-1), value).view(n_rows, 1, n_heads, width), None
