"""What the loop hands to a trainer and what it gets back. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Sample:
    """One sequence to learn from.

    Attributes:
        prompt_ids, ids: token ids of the prompt and of the completion.
        logprobs: log-probability of each completion token when it was sampled (natural log).
        advantage: one number for the whole sequence.
        role: `propose` or `solve`; the KL leash differs between them.
    """

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    advantage: float
    role: Literal["propose", "solve"]


@dataclass(frozen=True, slots=True)
class UpdateMetrics:
    """What one update did; the `policy` object of `metrics.jsonl` plus the tokens it trained on.

    Attributes:
        loss: mean objective per completion token, leash included.
        kl_base: mean k3 estimate of KL(policy || starting policy) per completion token; 0 without a leash.
        entropy: mean entropy of the policy per completion token, in nats.
        grad_norm: global L2 norm before clipping.
        clip_fraction: share of completion tokens whose ratio was clipped.
        tokens_trained: prompt and completion tokens that went through the backward pass.
    """

    loss: float
    kl_base: float
    entropy: float
    grad_norm: float
    clip_fraction: float
    tokens_trained: int


class TrainerConfig(BaseModel):
    """Settings of the update."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Annotated[Literal["torch"], Field(description="Which trainer runs the update.")] = "torch"
    learning_rate: Annotated[float, Field(gt=0, le=1, description="AdamW's constant step size.")] = 1.5e-4
    weight_decay: Annotated[float, Field(ge=0, le=1, description="AdamW's decoupled weight decay.")] = 0.0
    gradient_clip: Annotated[float, Field(gt=0, description="Largest global L2 norm of the gradient.")] = 1.0
    clip_low: Annotated[float, Field(gt=0, lt=1, description="Ratios under 1 - clip_low earn nothing more.")] = 0.2
    clip_high: Annotated[
        float | None, Field(gt=0, description="Ratios over 1 + clip_high earn nothing more; empty: the estimator's.")
    ] = None
    epochs: Annotated[int, Field(ge=1, le=16, description="Passes over each step's samples, one update each.")] = 1
    kl_propose: Annotated[float, Field(ge=0, description="Weight of the KL leash on the proposer's tokens.")] = 0.05
    kl_solve: Annotated[float, Field(ge=0, description="Weight of the KL leash on the solver's tokens.")] = 0.0
    micro_batch_tokens: Annotated[
        int, Field(ge=64, description="Padded tokens in one forward pass; gradients accumulate over the step.")
    ] = 8192


class Trainer(Protocol):
    """Updates the policy's weights."""

    weight_version: int

    def update(self, samples: Sequence[Sample], *, clip_high: float, temperature: float) -> UpdateMetrics:
        """One step's update.

        Args:
            samples: at least one sequence.
            clip_high: upper clipping distance, unless the configuration names one.
            temperature: at which the completions were sampled.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write weights, optimiser state and random state into an existing folder."""
        ...

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        ...

    def save_pretrained(self, folder: Path) -> None:
        """Write the weights alone as a Transformers folder."""
        ...
