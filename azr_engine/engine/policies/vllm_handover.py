"""Weights on their way to vLLM: whole, in a file, or a base that is handed over once and after it the adapter alone.

The trainer multiplies by base and adapter apart, and so does vLLM then; merged weights in bfloat16 would be rounded
first.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM can be started for (its `max_lora_rank`)."""


def reserved_rank(rank: int) -> int:
    """The smallest rank that vLLM can be started for and that holds this one. Raises UserError for more than 512."""
    for reserved in _RANKS:
        if rank <= reserved:
            return reserved
    raise UserError(f"vLLM takes adapters of rank {_RANKS[-1]} at most, not {rank}; set model.engine_lora=false")


def base_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of the plain model's parameters, without its adapter."""
    for name, parameter in model.get_base_model().named_parameters():
        if ".lora_" not in name:
            yield name.replace(".base_layer.", "."), parameter


@contextmanager
def weights_file(weights: Iterable[tuple[str, Any]], folder: Path) -> Iterator[Path]:
    """A safetensors file of these names and values, for as long as it is needed."""
    from safetensors.torch import save_file

    file = folder / "weights.safetensors"
    save_file({name: value.detach().cpu().contiguous() for name, value in weights}, file)
    try:
        yield file
    finally:
        file.unlink()


@contextmanager
def adapter_folder(model: Any, folder: Path) -> Iterator[Path]:
    """The model's adapter as PEFT writes it, for as long as it is needed."""
    written = folder / "adapter"
    model.save_pretrained(str(written), save_embedding_layers=False)  # else it asks the hub about the base
    try:
        yield written
    finally:
        shutil.rmtree(written)
