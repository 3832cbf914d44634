"""The optimiser that every backend uses unless a DeepSpeed JSON names another."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from azr_engine.trainer.protocol import ADAM_BETAS, TrainerConfig


def adamw(parameters: Iterable[nn.Parameter], config: TrainerConfig) -> torch.optim.Optimizer:
    """AdamW with a constant step size."""
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=ADAM_BETAS)
