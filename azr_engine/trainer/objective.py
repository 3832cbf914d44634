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

from azr_engine.trainer.batching import micro_batches
from azr_engine.trainer.loss import (
    clipped_objective,
    importance_weights,
    k3_divergence,
    leash_loss,
    token_logprobs,
)
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics
from azr_engine.trainer.rows import Row, make_batch

MAX_LOGITS = 2**27
"""Logits of one micro-batch, at most (512 MiB in float32): a large vocabulary gets smaller micro-batches."""
LEAST_FILL = 0.7
"""Rows shorter than this part of the longest are not padded to it."""

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


def split(rows: Sequence[Row], config: TrainerConfig, vocabulary: int) -> list[list[Row]]:
    """Length-sorted micro-batches within the token budget of the settings and of the vocabulary."""
    budget = min(config.micro_batch_tokens, max(1, MAX_LOGITS // vocabulary))
    return [[rows[i] for i in batch] for batch in micro_batches([row.length for row in rows], budget, LEAST_FILL)]


def no_sums() -> Sums:
    """The sums before the first micro-batch."""
    return dict.fromkeys(("loss", "kl_base", "entropy", "clipped", "kl_rollout"), 0.0)


@dataclass(slots=True)
class Before:
    """What the policy gave a micro-batch's tokens before the update's first step: float[N], set by its first pass."""

    logprobs: torch.Tensor | None = None


def micro_batch_loss(
    model: Callable[..., Any],
    rows: Sequence[Row],
    config: TrainerConfig,
    reference: Reference | None,
    *,
    clip_high: float,
    temperature: float,
    device: torch.device | str = "cpu",
    before: Before | None = None,
) -> tuple[torch.Tensor, Sums]:
    """Loss summed over the completion tokens of one micro-batch (a scalar with gradient), and sums for the metrics.

    Args:
        model: takes what `rows.Batch.inputs` holds, and returns an object with float `logits`.
        reference: needed where a KL leash is configured.
        before: kept from one epoch to the next; left out where there is but one.
    """
    batch = make_batch(rows, device)
    leash = {"propose": config.kl_propose, "solve": config.kl_solve}
    sampled = torch.tensor([logprob for s in batch.samples for logprob in s.logprobs], device=device)

    def score(scorer: Callable[..., Any]) -> tuple[torch.Tensor, torch.Tensor]:
        logits = scorer(**batch.inputs, use_cache=False).logits[:, -batch.inputs["logits_to_keep"] :]
        return token_logprobs(logits.flatten(0, 1)[batch.sources], batch.targets, temperature)

    logprobs, entropy = score(model)
    before = before or Before()
    if before.logprobs is None:
        before.logprobs = logprobs.detach()
    old = before.logprobs
    high = config.clip_high if config.clip_high is not None else clip_high
    advantages = batch.per_token([s.advantage for s in batch.samples])
    losses, clipped = clipped_objective(logprobs, old, advantages, config.clip_low, high)
    losses = losses * importance_weights(old, sampled, config.importance_cap)
    divergence = 0.0
    if reference is not None:
        with torch.no_grad(), reference.frozen():
            base, _ = score(reference.model)
        losses = losses + batch.per_token([leash[s.role] for s in batch.samples]) * leash_loss(logprobs, base)
        divergence = k3_divergence(logprobs.detach(), base).sum().item()
    loss = losses.sum()
    return loss, {
        "loss": loss.item(),
        "kl_base": divergence,
        "entropy": entropy.sum().item(),
        "clipped": float(clipped.sum().item()),
        "kl_rollout": k3_divergence(sampled.double(), old.double()).sum().item(),
    }


def completion_tokens(samples: Sequence[Sample]) -> int:
    """How many tokens the loss is the mean over."""
    return sum(len(sample.ids) for sample in samples)


def metrics_of(sums: Sums, rows: Sequence[Row], epochs: int, grad_norm: float) -> UpdateMetrics:
    """The sums over all epochs and micro-batches of an update, as its metrics."""
    n_completion = sum(completion_tokens(row.samples) for row in rows) * epochs
    return UpdateMetrics(
        loss=sums["loss"] / n_completion,
        kl_base=sums["kl_base"] / n_completion,
        entropy=sums["entropy"] / n_completion,
        grad_norm=grad_norm,
        clip_fraction=sums["clipped"] / n_completion,
        tokens_trained=sum(row.length for row in rows) * epochs,
        kl_rollout=sums["kl_rollout"] / n_completion,
    )
