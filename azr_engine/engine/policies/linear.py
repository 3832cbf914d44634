"""Linear layers whose products oneDNN computes, where torch's first choice leaves half of the processor idle.

On processors of other makers, Intel's MKL keeps to vectors of 256 bits even where there are 512, which oneDNN uses.
oneDNN compiles a kernel for every shape that it meets and keeps it (half a megabyte each), and a step's batches have a
new number of rows each time: so rows go to it in blocks of one size, and what is left over goes to MKL.

Covered: float32 on such a CPU, from one block on. Everything else is computed as ever.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

BLOCK = 256
"""Rows that are multiplied at once: fewer gain less than handing them over costs, more no longer fit into the cache."""


def use_wide_vectors(model: nn.Module) -> None:
    """Have the model's plain linear layers compute this way from now on, if this processor gains by it."""
    if not held_back():
        return
    for layer in model.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = WideLinear  # parameters, hooks and names stay what they are


@functools.cache
def held_back() -> bool:
    """Whether MKL uses shorter vectors than this processor has."""
    backends: Any = torch.backends
    both = backends.mkl.is_available() and backends.mkldnn.is_available()
    if not both or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return False
    return "vendor_id" in processor and "GenuineIntel" not in processor


class WideLinear(nn.Linear):
    """A linear layer by oneDNN, block by block."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """float[..., out_features] from float[..., in_features]."""
        weight = self.weight
        if not _covered(input, weight):
            return functional.linear(input, weight, self.bias)
        rows = input.reshape(-1, self.in_features)
        if torch.is_grad_enabled():
            out: torch.Tensor = _Product.apply(rows, weight)  # type: ignore[no-untyped-call]
        else:
            out = product(rows, weight)
        if self.bias is not None:
            out = out + self.bias
        return out.view(*input.shape[:-1], self.out_features)


def _covered(input: torch.Tensor, weight: torch.Tensor) -> bool:
    if input.numel() < BLOCK * weight.shape[1] or torch.is_autocast_enabled("cpu"):
        return False
    # DeepSpeed's ZeRO-3 takes weights away between the passes, and brings them back for torch's own products alone.
    return input.dtype == weight.dtype == torch.float32 and not input.is_cuda and not hasattr(weight, "ds_id")


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(rows, weight)
        return product(rows, weight)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        rows, weight = ctx.saved_tensors
        of_rows = product(gradient, weight.t()) if ctx.needs_input_grad[0] else None
        of_weight = outer_products(gradient, rows) if ctx.needs_input_grad[1] else None
        return of_rows, of_weight


def product(rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """float32[M, N]: float32[M, K] rows times the transpose of float32[N, K]."""
    whole = _whole(rows)
    out = rows.new_empty(len(rows), len(weight))
    for at in range(0, whole, BLOCK):
        out[at : at + BLOCK] = _onednn(rows[at : at + BLOCK], weight)
    torch.mm(rows[whole:], weight.t(), out=out[whole:])
    return out


def outer_products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """float32[N, K]: the sum over M of the outer products of float32[M, N] and float32[M, K], a weight's gradient."""
    whole = _whole(left)
    out = torch.mm(left[whole:].t(), right[whole:])
    for at in range(0, whole, BLOCK):
        out += _onednn(left[at : at + BLOCK].t(), right[at : at + BLOCK].t())
    return out


def _whole(rows: torch.Tensor) -> int:
    """Rows that fill blocks."""
    return len(rows) - len(rows) % BLOCK


def _onednn(rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, None, "none", [], "")
    return out
