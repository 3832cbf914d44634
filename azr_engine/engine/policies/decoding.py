"""One more token for every row, after a prefill: by the model itself, or on CPUs straight through its layers.

A small model's step is mostly what surrounds its products: masks and angles computed again, caches copied to make room
for one token, key heads copied for each query head that shares them. `DirectDecoder` does none of this; `ModelDecoder`
is for every model that it does not know.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch.nn import functional

FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Models of the same plan: RMS norms, rotary positions, grouped heads, a gated feed-forward part."""

FIXED_ANGLES = frozenset({"default", "linear", "llama3", "yarn"})
"""Rotary positions whose angles do not depend on how long the sequence has become."""

ROOM = 64
"""Tokens by which the caches grow."""


class Decoder(Protocol):
    """Rows being written."""

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with int64[R'] of the rows only, in that order."""
        ...

    def step(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """float[R, V] logits that follow int64[R] tokens at int64[R] positions."""
        ...


def make_decoder(model: Any, cache: Any, mask: torch.Tensor, n_samples: int) -> Decoder:
    """A decoder that goes on from a prefill of B prompts, each `n_samples` times in a row.

    Args:
        cache: what the model returned as `past_key_values`.
        mask: int64[B, P], 0 where a prompt is padded on the left.
    """
    causal = model.get_base_model() if hasattr(model, "peft_config") else model
    return (
        DirectDecoder(causal, cache, mask, n_samples) if _known(causal) else ModelDecoder(model, cache, mask, n_samples)
    )


def _known(causal: Any) -> bool:
    config = causal.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return (
        getattr(config, "model_type", "") in FAMILIES
        and kinds == {"full_attention"}
        and getattr(config, "sliding_window", None) is None
        and causal.model.rotary_emb.rope_type in FIXED_ANGLES
        and causal.dtype == torch.float32
        and torch.device(causal.device).type == "cpu"
    )


class ModelDecoder:
    """Whatever the model does when it is called."""

    def __init__(self, model: Any, cache: Any, mask: torch.Tensor, n_samples: int) -> None:
        if n_samples > 1:
            cache.batch_repeat_interleave(n_samples)
        self._model, self._cache = model, cache
        self._padded = bool((mask == 0).any())
        self._mask = mask.repeat_interleave(n_samples, 0)

    def keep(self, rows: torch.Tensor) -> None:
        """As in `Decoder`."""
        self._cache.batch_select_indices(rows)
        self._mask = self._mask[rows]

    def step(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """As in `Decoder`."""
        self._mask = functional.pad(self._mask, (0, 1), value=1)
        output = self._model(
            input_ids=tokens[:, None],
            attention_mask=self._mask if self._padded else None,
            position_ids=positions[:, None],
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = output.past_key_values
        logits: torch.Tensor = output.logits[:, -1]
        return logits


class DirectDecoder:
    """The layers of one of `FAMILIES` in float32, with caches that have room for the tokens to come.

    Projections are called as modules, so that adapters count.
    """

    def __init__(self, causal: Any, cache: Any, mask: torch.Tensor, n_samples: int) -> None:
        self._causal, self._inner = causal, causal.model
        self._at = self._n_prompt = mask.shape[1]
        self._hidden = (mask == 0).repeat_interleave(n_samples, 0)[:, None, None] if bool((mask == 0).any()) else None
        # float32[2, R, K, T, D] for each layer: keys and values.
        self._caches = [
            torch.stack([layer.keys, layer.values]).repeat_interleave(n_samples, 1) for layer in cache.layers
        ]
        self._make_room()

    def keep(self, rows: torch.Tensor) -> None:
        """As in `Decoder`."""
        self._caches = [cache[:, rows] for cache in self._caches]
        self._hidden = None if self._hidden is None else self._hidden[rows]

    def step(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """As in `Decoder`."""
        if self._at == self._caches[0].shape[3]:
            self._make_room()
        angles = self._cos[positions, None], self._sin[positions, None]
        state = self._inner.embed_tokens(tokens)
        for layer, cache in zip(self._inner.layers, self._caches, strict=True):
            state = state + self._attend(layer.self_attn, _norm(layer.input_layernorm, state), cache, angles)
            state = state + layer.mlp(_norm(layer.post_attention_layernorm, state))
        self._at += 1
        logits: torch.Tensor = self._causal.lm_head(_norm(self._inner.norm, state))
        return logits

    def _make_room(self) -> None:
        self._caches = [functional.pad(cache, (0, 0, 0, ROOM)) for cache in self._caches]
        positions = torch.arange(self._caches[0].shape[3])[None]
        cos, sin = (table[0] for table in self._inner.rotary_emb(self._caches[0], positions))
        half = sin.shape[1] // 2
        self._cos, self._sin = cos, torch.cat([-sin[:, :half], sin[:, half:]], 1)

    def _attend(
        self, attention: Any, state: torch.Tensor, cache: torch.Tensor, angles: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """float32[R, hidden] from float32[R, hidden]; the new key and value are written into the cache."""
        _, n_rows, n_shared, _, width = cache.shape
        heads = (n_rows, -1, width)
        query, key = attention.q_proj(state).view(heads), attention.k_proj(state).view(heads)
        if hasattr(attention, "q_norm"):
            query, key = _norm(attention.q_norm, query), _norm(attention.k_norm, key)
        # Query and key heads are turned together; a rotated half's sign is in the table of sines.
        cos, sin = angles
        both = torch.cat([query, key], 1)
        both = torch.addcmul(both * cos, both.roll(width // 2, -1), sin)
        cache[0, :, :, self._at] = both[:, -n_shared:]
        cache[1, :, :, self._at] = attention.v_proj(state).view(heads)
        keys, values = cache[:, :, :, : self._at + 1]
        # The query heads that share a key head are one small matrix.
        grouped = both[:, :-n_shared].reshape(n_rows, n_shared, -1, width)
        scores = torch.matmul(grouped, keys.transpose(2, 3)).mul_(attention.scaling)
        if self._hidden is not None:
            scores[..., : self._n_prompt].masked_fill_(self._hidden, float("-inf"))
        attended: torch.Tensor = attention.o_proj(torch.matmul(scores.softmax(-1), values).view(n_rows, -1))
        return attended


def _norm(norm: Any, state: torch.Tensor) -> torch.Tensor:
    """What the family's RMS norm gives, in one call."""
    return functional.rms_norm(state, norm.weight.shape, norm.weight, norm.variance_epsilon)
