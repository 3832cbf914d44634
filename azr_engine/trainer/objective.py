"""The objective of one micro-batch: tensors from samples, one forward pass, the loss and the sums for the metrics.

Every backend computes its loss here, so that they differ in nothing but in how gradients are gathered and applied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from azr_engine.trainer.batching import micro_batches, pad_right, pad_right_float
from azr_engine.trainer.loss import clipped_objective, k3_divergence, token_logprobs
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics

MAX_LOGITS = 2**27
"""Logits of one micro-batch, at most (512 MiB in float32): a large vocabulary gets smaller micro-batches."""

Sums = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reference:
    """The policy as it was when the run began, for the KL leash.

    Attributes:
        model: called as the policy is.
        frozen: entered around the call; makes a model with an adapter forget it for as long.
    """

    model: Callable[..., Any]
    frozen: Callable[[], AbstractContextManager[Any]] = nullcontext


def has_adapter(model: nn.Module) -> bool:
    """Whether PEFT put an adapter on the model."""
    return hasattr(model, "disable_adapter") and hasattr(model, "peft_config")


def make_reference(model: nn.Module, config: TrainerConfig) -> Reference | None:
    """The model itself without its adapter, else a frozen copy of it as it is now; None without a leash."""
    if not (config.kl_propose or config.kl_solve):
        return None
    if has_adapter(model):
        adapted: Any = model
        return Reference(adapted, frozen=adapted.disable_adapter)
    return Reference(copy.deepcopy(model).eval().requires_grad_(False))


def length(sample: Sample) -> int:
    """Tokens of prompt and completion."""
    return len(sample.prompt_ids) + len(sample.ids)


def split(samples: Sequence[Sample], config: TrainerConfig, vocabulary: int) -> list[list[Sample]]:
    """Length-sorted micro-batches within the token budget of the settings and of the vocabulary."""
    budget = min(config.micro_batch_tokens, max(1, MAX_LOGITS // vocabulary))
    return [[samples[i] for i in batch] for batch in micro_batches([length(s) for s in samples], budget)]


def no_sums() -> Sums:
    """The sums before the first micro-batch."""
    return dict.fromkeys(("loss", "kl_base", "entropy", "clipped"), 0.0)


def micro_batch_loss(
    model: Callable[..., Any],
    samples: Sequence[Sample],
    config: TrainerConfig,
    reference: Reference | None,
    *,
    clip_high: float,
    temperature: float,
    device: torch.device | str = "cpu",
) -> tuple[torch.Tensor, Sums]:
    """Loss summed over the completion tokens of one micro-batch (a scalar with gradient), and sums for the metrics.

    Args:
        model: takes `input_ids` int64[B, T] and `logits_to_keep`, and returns an object with float `logits`.
        reference: needed where a KL leash is configured.
    """
    # Only the logits that predict a completion token are wanted; prompts of one micro-batch differ in length.
    start = min(len(s.prompt_ids) for s in samples) - 1
    ids = pad_right([[*s.prompt_ids, *s.ids] for s in samples]).to(device)
    old = pad_right_float([[*([0.0] * (len(s.prompt_ids) - 1)), *s.logprobs] for s in samples])[:, start:].to(device)
    mask = pad_right_float([[*([0.0] * (len(s.prompt_ids) - 1)), *([1.0] * len(s.ids))] for s in samples])
    mask = mask[:, start:].to(device)
    leash = {"propose": config.kl_propose, "solve": config.kl_solve}
    weights = torch.tensor([[leash[s.role]] for s in samples], device=device)
    advantages = torch.tensor([[s.advantage] for s in samples], dtype=torch.float32, device=device)

    targets = ids[:, start + 1 :]
    kept = targets.shape[1] + 1

    def score(scorer: Callable[..., Any]) -> tuple[torch.Tensor, torch.Tensor]:
        logits = scorer(input_ids=ids, use_cache=False, logits_to_keep=kept).logits
        return token_logprobs(logits[:, -kept:-1], targets, temperature)

    logprobs, entropy = score(model)
    high = config.clip_high if config.clip_high is not None else clip_high
    losses, clipped = clipped_objective(logprobs, old, advantages, config.clip_low, high)
    divergence = torch.zeros_like(losses)
    if reference is not None:
        with torch.no_grad(), reference.frozen():
            base, _ = score(reference.model)
        divergence = k3_divergence(logprobs, base)
    loss = ((losses + weights * divergence) * mask).sum()
    return loss, {
        "loss": loss.item(),
        "kl_base": (divergence.detach() * mask).sum().item(),
        "entropy": (entropy * mask).sum().item(),
        "clipped": (clipped * mask).sum().item(),
    }


def metrics_of(sums: Sums, samples: Sequence[Sample], epochs: int, grad_norm: float) -> UpdateMetrics:
    """The sums over all epochs and micro-batches of an update, as its metrics."""
    n_completion = sum(len(s.ids) for s in samples) * epochs
    return UpdateMetrics(
        loss=sums["loss"] / n_completion,
        kl_base=sums["kl_base"] / n_completion,
        entropy=sums["entropy"] / n_completion,
        grad_norm=grad_norm,
        clip_fraction=sums["clipped"] / n_completion,
        tokens_trained=sum(length(s) for s in samples) * epochs,
    )


def require_finite(norm: float) -> None:
    """Refuse an update whose gradient is infinite or not a number. Raises FloatingPointError."""
    if not norm < float("inf"):
        raise FloatingPointError(f"gradient norm is {norm}; the update was not applied")
