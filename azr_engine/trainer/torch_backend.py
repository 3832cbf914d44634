"""Plain torch: one process, AdamW, gradients accumulated over length-sorted micro-batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from azr_engine.trainer.checkpoints import (
    Stamp,
    check_stamp,
    load_weights,
    save_weights,
    trained_parameters,
    write_stamp,
)
from azr_engine.trainer.objective import (
    Before,
    completion_tokens,
    make_reference,
    metrics_of,
    micro_batch_loss,
    no_sums,
    split,
)
from azr_engine.trainer.optimiser import adamw, set_step_size
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics
from azr_engine.trainer.rows import can_share_prompts, make_rows

STATE_FILE = "trainer.pt"
STAMP = Stamp("torch")


class TorchTrainer:
    """Updates a model in place; the policy that shares the model sees the new weights at once."""

    def __init__(self, model: nn.Module, config: TrainerConfig) -> None:
        self.model = model
        self.policy_model = model
        self.config = config
        self.weight_version = 0
        self._parameters = [parameter for _, parameter in trained_parameters(model)]
        self._optimizer = adamw(self._parameters, config)
        self._reference = make_reference(model, config)

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics:
        """One update per epoch over all `samples`, each token weighing the same."""
        if not samples:
            raise ValueError("an update needs at least one sample")
        self.model.train()
        set_step_size(self._optimizer, self.config.learning_rate * step_size)
        sums = no_sums()
        rows = make_rows(samples, share=can_share_prompts(self.model))
        batches = split(rows, self.config, int(self.model.config.vocab_size))  # type: ignore[union-attr,arg-type]
        before = [Before() for _ in batches]
        norm, applied = 0.0, 0
        for _ in range(self.config.epochs):
            self._optimizer.zero_grad(set_to_none=True)
            for number, batch in enumerate(batches):
                loss, parts = micro_batch_loss(
                    self.model,
                    batch,
                    self.config,
                    self._reference,
                    clip_high=clip_high,
                    temperature=temperature,
                    device=self._parameters[0].device,
                    before=before[number],
                )
                (loss / completion_tokens(samples)).backward()  # type: ignore[no-untyped-call]
                for key, value in parts.items():
                    sums[key] += value
            norm = float(nn.utils.clip_grad_norm_(self._parameters, self.config.gradient_clip))
            if not math.isfinite(norm):
                break
            self._optimizer.step()
            applied = 1
        self.weight_version += applied
        return metrics_of(sums, rows, self.config.epochs, norm)

    def weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Names and values of the parameters that learn."""
        return ((name, parameter.detach()) for name, parameter in trained_parameters(self.model))

    def save(self, folder: Path) -> None:
        """Write the weights and `trainer.pt`: optimiser and torch's random state."""
        save_weights(self.weights(), folder)
        state: dict[str, Any] = {"optimizer": self._optimizer.state_dict(), "torch_rng": torch.get_rng_state()}
        torch.save(state, folder / STATE_FILE)
        write_stamp(folder, STAMP, self.weight_version)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; the leash stays tied to the weights the run started from."""
        self.weight_version = check_stamp(folder, STAMP)
        load_weights(self.model, folder)
        state = torch.load(folder / STATE_FILE, weights_only=True)
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_rng"])
