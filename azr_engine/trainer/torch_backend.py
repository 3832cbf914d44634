"""Plain torch: one process, AdamW, gradients accumulated over length-sorted micro-batches."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from azr_engine.trainer.batching import micro_batches, pad_right, pad_right_float
from azr_engine.trainer.loss import clipped_objective, k3_divergence, token_logprobs
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics

STATE_FILE = "trainer.pt"


class TorchTrainer:
    """Updates a model in place; the policy that shares the model sees the new weights at once."""

    def __init__(self, model: nn.Module, config: TrainerConfig) -> None:
        self.model = model
        self.config = config
        self.weight_version = 0
        self._optimizer = torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99)
        )
        self._base: nn.Module | None = None
        if config.kl_propose or config.kl_solve:
            self._base = copy.deepcopy(model).eval().requires_grad_(False)

    def update(self, samples: Sequence[Sample], *, clip_high: float, temperature: float) -> UpdateMetrics:
        """One update per epoch over all `samples`, each token weighing the same."""
        if not samples:
            raise ValueError("an update needs at least one sample")
        self.model.train()
        sums = dict.fromkeys(("loss", "kl_base", "entropy", "clipped"), 0.0)
        n_completion = sum(len(s.ids) for s in samples)
        lengths = [len(s.prompt_ids) + len(s.ids) for s in samples]
        norm = 0.0
        for _ in range(self.config.epochs):
            self._optimizer.zero_grad(set_to_none=True)
            for indices in micro_batches(lengths, self.config.micro_batch_tokens):
                loss, parts = self._forward([samples[i] for i in indices], clip_high, temperature)
                (loss / n_completion).backward()  # type: ignore[no-untyped-call]
                for key, value in parts.items():
                    sums[key] += value
            norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip))
            if not math.isfinite(norm):
                raise FloatingPointError(f"gradient norm is {norm}; the update was not applied")
            self._optimizer.step()
        self.weight_version += 1
        scale = n_completion * self.config.epochs
        return UpdateMetrics(
            loss=sums["loss"] / scale,
            kl_base=sums["kl_base"] / scale,
            entropy=sums["entropy"] / scale,
            grad_norm=norm,
            clip_fraction=sums["clipped"] / scale,
            tokens_trained=sum(lengths) * self.config.epochs,
        )

    def _forward(
        self, samples: Sequence[Sample], clip_high: float, temperature: float
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Summed loss over the completion tokens of one micro-batch, and sums for the metrics."""
        ids = pad_right([[*s.prompt_ids, *s.ids] for s in samples])
        old = pad_right_float([[*([0.0] * (len(s.prompt_ids) - 1)), *s.logprobs] for s in samples])
        mask = pad_right_float([[*([0.0] * (len(s.prompt_ids) - 1)), *([1.0] * len(s.ids))] for s in samples])
        leash = {"propose": self.config.kl_propose, "solve": self.config.kl_solve}
        weights = torch.tensor([[leash[s.role]] for s in samples])
        advantages = torch.tensor([[s.advantage] for s in samples], dtype=torch.float32)

        targets = ids[:, 1:]
        logprobs, entropy = token_logprobs(self.model(input_ids=ids).logits[:, :-1], targets, temperature)
        high = self.config.clip_high if self.config.clip_high is not None else clip_high
        losses, clipped = clipped_objective(logprobs, old, advantages, self.config.clip_low, high)
        divergence = torch.zeros_like(losses)
        if self._base is not None:
            with torch.no_grad():
                base, _ = token_logprobs(self._base(input_ids=ids).logits[:, :-1], targets, temperature)
            divergence = k3_divergence(logprobs, base)
        loss = ((losses + weights * divergence) * mask).sum()
        return loss, {
            "loss": loss.item(),
            "kl_base": (divergence.detach() * mask).sum().item(),
            "entropy": (entropy * mask).sum().item(),
            "clipped": (clipped * mask).sum().item(),
        }

    def save(self, folder: Path) -> None:
        """Write `trainer.pt`: weights, optimiser, versions and torch's random state."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "weight_version": self.weight_version,
            "torch_rng": torch.get_rng_state(),
        }
        torch.save(state, folder / STATE_FILE)

    def load(self, folder: Path) -> None:
        """Read `trainer.pt`; the leash stays tied to the weights the run started from."""
        state = torch.load(folder / STATE_FILE, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.weight_version = int(state["weight_version"])
        torch.set_rng_state(state["torch_rng"])

    def save_pretrained(self, folder: Path) -> None:
        """Write the weights as a Transformers folder."""
        self.model.save_pretrained(folder)  # type: ignore[operator]
