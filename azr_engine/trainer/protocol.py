"""What the loop hands to a trainer and what it gets back. No torch here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

ADAM_BETAS = (0.9, 0.99)
"""AdamW's decay rates of the gradient's first and second moments."""


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
        grad_norm: global L2 norm before clipping; not finite where the gradient was not, and then not applied.
        clip_fraction: share of completion tokens whose ratio was clipped.
        tokens_trained: prompt and completion tokens that went through the backward pass.
        kl_rollout: mean k3 estimate of KL(what sampled || trainer before the update) per sampled token.
    """

    loss: float
    kl_base: float
    entropy: float
    grad_norm: float
    clip_fraction: float
    tokens_trained: int
    kl_rollout: float

    @property
    def applied(self) -> bool:
        """Whether the gradient was finite, so that the weights moved."""
        return math.isfinite(self.grad_norm)


class TrainerConfig(BaseModel):
    """Settings of the update."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Annotated[
        Literal["auto", "torch", "deepspeed"],
        Field(description="Which trainer runs the update; `auto` takes DeepSpeed where it can be imported."),
    ] = "auto"
    learning_rate: Annotated[float, Field(gt=0, le=1, description="AdamW's step size.")] = 1.5e-4
    anneal: Annotated[
        float,
        Field(ge=0, le=1, description="Part of --minutes, at their end, in which the step falls to a tenth."),
    ] = 0.25
    weight_decay: Annotated[float, Field(ge=0, le=1, description="AdamW's decoupled weight decay.")] = 0.0
    gradient_clip: Annotated[float, Field(gt=0, description="Largest global L2 norm of the gradient.")] = 1.0
    clip_low: Annotated[float, Field(gt=0, lt=1, description="Ratios under 1 - clip_low earn nothing more.")] = 0.2
    clip_high: Annotated[
        float | None, Field(gt=0, description="Ratios over 1 + clip_high earn nothing more; empty: the estimator's.")
    ] = None
    importance_cap: Annotated[
        float, Field(ge=1, description="Largest weight of a token that another engine or older weights sampled.")
    ] = 2.0
    epochs: Annotated[int, Field(ge=1, le=16, description="Passes over each step's samples, one update each.")] = 1
    kl_propose: Annotated[float, Field(ge=0, description="Weight of the KL leash on the proposer's tokens.")] = 0.2
    kl_solve: Annotated[float, Field(ge=0, description="Weight of the KL leash on the solver's tokens.")] = 0.01
    micro_batch_tokens: Annotated[
        int, Field(ge=64, description="Padded tokens in one forward pass; gradients accumulate over the step.")
    ] = 8192
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Field(description="Weights the policy runs with; `auto`: bfloat16 on a GPU that has it, else float32."),
    ] = "auto"
    gradient_checkpointing: Annotated[
        bool, Field(description="Compute activations again in the backward pass: slower, much less memory.")
    ] = False
    zero_stage: Annotated[
        int | None,
        Field(ge=0, le=3, description="What DeepSpeed partitions; empty: what its JSON says, else 0, in bfloat16 1."),
    ] = None
    offload_optimizer: Annotated[bool, Field(description="Keep DeepSpeed's optimiser state in CPU memory.")] = False
    offload_parameters: Annotated[bool, Field(description="Keep ZeRO-3's parameters in CPU memory.")] = False
    deepspeed: Annotated[str | None, Field(description="A DeepSpeed JSON of your own.")] = None


class Trainer(Protocol):
    """Updates the policy's weights.

    Where several processes train, each of them calls the same methods in the same order with the same arguments.
    """

    policy_model: Any
    """The model to sample from, with the weights of `weight_version`."""

    @property
    def weight_version(self) -> int:
        """Updates applied so far."""
        ...

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics | None:
        """One step's update. A gradient that is not finite changes nothing; the metrics then are not `applied`.

        None where the metrics come with the next update.

        Args:
            samples: at least one sequence.
            clip_high: upper clipping distance, unless the configuration names one.
            temperature: at which the completions were sampled.
            step_size: factor of the configured learning rate.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write weights, optimiser state and random state into an existing folder."""
        ...

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        ...
