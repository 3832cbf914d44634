"""What every backend's checkpoint has in common: the trained weights, readable without the backend, and a stamp.

`weights.safetensors` holds the parameters that are trained (all of them, or an adapter's alone), whole and in the
precision the policy samples with; `trainer.json` says who wrote the checkpoint. Optimiser state is each backend's own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from azr_engine.engine.errors import UserError

WEIGHTS_FILE = "weights.safetensors"
STAMP_FILE = "trainer.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """Who wrote a checkpoint: the backend, its ZeRO stage, and how many processes."""

    backend: str
    zero_stage: int = 0
    processes: int = 1

    def __str__(self) -> str:
        stage = f" at ZeRO stage {self.zero_stage}" if self.zero_stage else ""
        return f"{self.backend}{stage} in {self.processes} process{'es' if self.processes > 1 else ''}"


def trained_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Names and parameters that learn, tied ones once."""
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]


def save_weights(weights: Iterable[tuple[str, torch.Tensor]], folder: Path) -> None:
    """Write the trained weights into an existing folder."""
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights}
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def load_weights(model: nn.Module, folder: Path) -> None:
    """Put a checkpoint's weights into a model of the same shape and the same adapter.

    Raises:
        UserError: the folder holds none, or those of another model.
    """
    file = folder / WEIGHTS_FILE
    if not file.is_file():
        raise UserError(f"the checkpoint {folder} has no {WEIGHTS_FILE}; it was not written by this version")
    tensors = load_file(file)
    parameters = dict(trained_parameters(model))
    shapes = {name: parameter.shape for name, parameter in parameters.items()}
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
        raise UserError(f"the checkpoint {folder} belongs to another model, or to another adapter of it")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])


def stored_precision(folder: Path) -> Literal["float32", "bfloat16"]:
    """What the policy of a checkpoint samples with."""
    with safe_open(folder / WEIGHTS_FILE, framework="pt") as file:
        types = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    return "bfloat16" if types == {"BF16"} else "float32"


def write_stamp(folder: Path, stamp: Stamp, weight_version: int) -> None:
    """Write `trainer.json`."""
    text = json.dumps({**dataclasses.asdict(stamp), "weight_version": weight_version})
    (folder / STAMP_FILE).write_text(text, encoding="utf-8")


def check_stamp(folder: Path, stamp: Stamp) -> int:
    """The checkpoint's weight version. Raises UserError where its optimiser state is another backend's."""
    saved = json.loads((folder / STAMP_FILE).read_text(encoding="utf-8"))
    version = int(saved.pop("weight_version"))
    if (writer := Stamp(**saved)) != stamp:
        raise UserError(
            f"the checkpoint {folder} was written by {writer}; this run is {stamp}: resume as it was written"
        )
    return version
