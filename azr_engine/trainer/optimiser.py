"""The optimiser that every backend uses unless a DeepSpeed JSON names another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from azr_engine.trainer.protocol import ADAM_BETAS, TrainerConfig


def adamw(parameters: Iterable[nn.Parameter], config: TrainerConfig) -> torch.optim.Optimizer:
    """AdamW; its step size is set anew before each update."""
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=ADAM_BETAS)


def set_step_size(optimizer: Any, learning_rate: float) -> None:
    """Have the next step of torch's optimiser, or of DeepSpeed's around it, be of this size."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
