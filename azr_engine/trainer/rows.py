"""Rows: the completions of one prompt behind one copy of it, so that the prompt is read once, not once for each.

A completion in a row sees the prompt and itself: its positions go on where the prompt's end, and a mask hides the
completions beside it. Log-probabilities are those of the completion alone; what a step pays for prompts falls by the
size of its groups. Models whose layers do not look back through an attention mask get one completion in a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from azr_engine.trainer.batching import pad_right
from azr_engine.trainer.protocol import Sample

ROW_TOKENS = 1024
"""A row takes no further completion beyond this: attention's cost grows with the square of its length."""


@dataclass(frozen=True, slots=True)
class Row:
    """Completions of one prompt; at least one."""

    samples: tuple[Sample, ...]

    @property
    def length(self) -> int:
        """Tokens of the prompt and of every completion."""
        return len(self.samples[0].prompt_ids) + sum(len(sample.ids) for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Batch:
    """One micro-batch of B rows, T tokens long with padding, that hold N completion tokens.

    Attributes:
        inputs: what the model is called with, besides its own switches. The logits it returns begin at the position
            that predicts the first completion token of any row; there are K of them per row.
        sources: int64[N], where among the B * K logits each completion token is predicted.
        targets: int64[N], the completion tokens.
        sample_of: int64[N], which of `samples` each belongs to.
        samples: those of all rows, in order.
    """

    inputs: Mapping[str, Any]
    sources: torch.Tensor
    targets: torch.Tensor
    sample_of: torch.Tensor
    samples: tuple[Sample, ...]

    def per_token(self, values: Sequence[float]) -> torch.Tensor:
        """float32[N] from one value per sample."""
        return torch.tensor(values, dtype=torch.float32, device=self.targets.device)[self.sample_of]


def can_share_prompts(model: Any) -> bool:
    """Whether every layer of the model is full attention that takes a boolean mask (torch's own attention does)."""
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    full = kinds == {"full_attention"} and getattr(config, "sliding_window", None) is None
    return full and getattr(config, "_attn_implementation", None) == "sdpa"


def make_rows(samples: Sequence[Sample], *, share: bool) -> list[Row]:
    """Rows of the samples in order of first appearance; with `share`, those of equal prompts together."""
    if not share:
        return [Row((sample,)) for sample in samples]
    groups: dict[tuple[int, ...], list[list[Sample]]] = {}
    room: dict[tuple[int, ...], int] = {}
    for sample in samples:
        prompt, need = sample.prompt_ids, len(sample.ids)
        if room.get(prompt, 0) < need:
            groups.setdefault(prompt, []).append([])
            room[prompt] = max(ROW_TOKENS - len(prompt), need)
        groups[prompt][-1].append(sample)
        room[prompt] -= need
    return [Row(tuple(row)) for rows in groups.values() for row in rows]


def make_batch(rows: Sequence[Row], device: torch.device | str) -> Batch:
    """The tensors of one micro-batch."""
    ids = pad_right([[*r.samples[0].prompt_ids, *(token for s in r.samples for token in s.ids)] for r in rows])
    first = min(len(row.samples[0].prompt_ids) for row in rows) - 1
    kept = ids.shape[1] - first
    sources: list[int] = []
    sample_of: list[int] = []
    samples: list[Sample] = []
    for number, row in enumerate(rows):
        at = n_prompt = len(row.samples[0].prompt_ids)
        for sample in row.samples:
            own = [n_prompt - 1, *range(at, at + len(sample.ids) - 1)]
            sources += [number * kept + position - first for position in own]
            sample_of += [len(samples)] * len(own)
            samples.append(sample)
            at += len(sample.ids)
    inputs: dict[str, Any] = {"input_ids": ids.to(device), "logits_to_keep": kept}
    if any(len(row.samples) > 1 for row in rows):
        positions, mask = _positions_and_mask(rows, ids.shape[1])
        inputs |= {"position_ids": positions.to(device), "attention_mask": mask.to(device)}
    return Batch(
        inputs,
        torch.tensor(sources, device=device),
        torch.tensor([token for sample in samples for token in sample.ids], device=device),
        torch.tensor(sample_of, device=device),
        tuple(samples),
    )


def _positions_and_mask(rows: Sequence[Row], width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """int64[B, T] positions, and bool[B, 1, T, T]: where each token (second to last axis) may look."""
    positions = torch.zeros(len(rows), width, dtype=torch.int64)
    segments = torch.full((len(rows), width), -1)
    for number, row in enumerate(rows):
        at = n_prompt = len(row.samples[0].prompt_ids)
        positions[number, :at] = torch.arange(at)
        segments[number, :at] = 0
        for segment, sample in enumerate(row.samples, 1):
            end = at + len(sample.ids)
            positions[number, at:end] = torch.arange(n_prompt, n_prompt + len(sample.ids))
            segments[number, at:end] = segment
            at = end
    same = segments[:, :, None] == segments[:, None, :]
    prompt = (segments == 0)[:, None, :] & (segments > 0)[:, :, None]
    seen = (same | prompt) & torch.ones(width, width, dtype=torch.bool).tril()
    return positions, seen[:, None]
