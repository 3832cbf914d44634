"""Micro-batches of token sequences: length-sorted, bounded by padded tokens, padded on the right.

With padding on the right and causal attention no real token ever sees a pad, so no attention mask is needed and
the fastest attention kernel applies.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def micro_batches(lengths: Sequence[int], token_budget: int, least_fill: float = 0.0) -> list[list[int]]:
    """Indices grouped so that count times longest stays within `token_budget`, longest sequences first.

    A sequence longer than the budget gets a batch of its own. The order is a function of the lengths alone.

    Args:
        least_fill: a sequence shorter than this part of its batch's longest begins a new one, which bounds the padding.
    """
    batches: list[list[int]] = []
    current: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        longest = lengths[current[0]] if current else 0
        if current and ((len(current) + 1) * longest > token_budget or lengths[index] < least_fill * longest):
            batches.append(current)
            current = []
        current.append(index)
    return [*batches, current] if current else batches


def pad_right(rows: Sequence[Sequence[int]], fill: int = 0) -> torch.Tensor:
    """int64[n_rows, longest] with `fill` after each row's end."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *([fill] * (longest - len(row)))] for row in rows], dtype=torch.int64)
