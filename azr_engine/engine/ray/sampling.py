"""Copies of the model on the cluster's nodes that sample for the run, with its weights of the moment.

A batch of prompts is what the run's own policy would decode at once, and draws from a generator seeded by the call's
seed and the batch's place in it. So what is sampled depends neither on the number of samplers, nor on which of them
decodes a batch, nor on whether it was lost and sent again: with the same `sampler_rows`, threads and kind of processor
it is what the run would have sampled by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import load, save

from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import LoadedModel, load_model
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.ray.lifeline import end_with_node
from azr_engine.engine.ray.pool import ActorPool
from azr_engine.engine.types import Completion
from azr_engine.trainer.checkpoints import trained_parameters


class RayPolicy(TransformersPolicy):
    """The run's model as samplers on the cluster use it; prompts are encoded in this process.

    Args:
        loaded: model and tokenizer; the model's weights are those that are handed over, once for each version.
        samplers: a pool of `Sampler`.
        max_rows: sequences that one of them decodes at once.

    Raises:
        UserError: a sampler cannot load the model.
    """

    def __init__(self, loaded: LoadedModel, samplers: ActorPool, max_rows: int) -> None:
        self._version, self._handovers = -1, 0
        self._weights: Any = None
        super().__init__(loaded, max_rows=max_rows)
        self._samplers = samplers
        samplers.wait()

    @property
    def weight_version(self) -> int:
        """The version of the weights that completions are sampled with. Setting another hands the weights over."""
        return self._version

    @weight_version.setter
    def weight_version(self, version: int) -> None:
        if version != self._version:
            import ray

            # A version may come twice, with other weights, where a run goes back to an earlier one; handovers do not.
            self._version, self._handovers = version, self._handovers + 1
            self._weights = ray.put(pack(self.model))

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
        offset: int = 0,
    ) -> list[list[Completion]]:
        """As `TransformersPolicy.generate`, batch by batch on the samplers.

        Raises:
            ActorsLost: no sampler is left.
        """
        order, per_batch = self.schedule(prompts, n_samples, max_new_tokens)
        stamp = self._handovers, self._version
        calls = []
        for start in range(0, len(order), per_batch):
            options = {
                "n_samples": n_samples,
                "max_new_tokens": max_new_tokens,
                "temperature": temperature,
                "seed": seed,
                "offset": offset + start,
            }
            calls.append((stamp, [self._weights], [prompts[i] for i in order[start : start + per_batch]], options))
        groups = [group for batch in self._samplers.run("generate", calls) for group in batch]
        wrong = {c.weight_version for group in groups for c in group} - {self._version}
        if wrong:
            raise RuntimeError(f"a sampler used weights of version {wrong.pop()}, not {self._version}")
        out: list[list[Completion]] = [[] for _ in prompts]
        for index, group in zip(order, groups, strict=True):
            out[index] = group
        return out


class Sampler:
    """The actor: the run's model, loaded from the same name, with the weights that came last."""

    def __init__(self) -> None:
        self._policy: TransformersPolicy | None = None
        self._stamp: tuple[int, int] | None = None

    def start(self, config: str, bfloat16: bool) -> None:
        """Load the model of the run's settings, given as JSON. Raises UserError where this node cannot."""
        end_with_node()
        settings = RunConfig.model_validate_json(config)
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        model = settings.model
        loaded = load_model(
            model.name,
            model.style,
            lora=model.lora,
            quantize=model.quantize,
            precision="bfloat16" if bfloat16 else "float32",
        )
        self._policy = TransformersPolicy(loaded, max_rows=settings.ray.sampler_rows)

    def generate(
        self, stamp: tuple[int, int], weights: Sequence[Any], prompts: Sequence[Sequence[int]], options: dict[str, Any]
    ) -> list[list[Completion]]:
        """`TransformersPolicy.generate` with these weights.

        Args:
            stamp: the number of their handover, and their version.
            weights: one reference to them, followed only where they are new here.
        """
        assert self._policy is not None
        if self._stamp != stamp:
            import ray

            unpack(self._policy.model, ray.get(weights[0]))
            self._stamp, self._policy.weight_version = stamp, stamp[1]
        return self._policy.generate(prompts, **options)

    def close(self) -> None:
        """Nothing outlives the actor."""


def pack(model: torch.nn.Module) -> bytes:
    """The weights that may have changed since the model was loaded, as a safetensors file."""
    # The copy that ZeRO-3 keeps to sample from learns nothing, so everything is handed over there.
    parameters = trained_parameters(model) or list(model.named_parameters())
    packed: bytes = save({name: parameter.detach().cpu().contiguous() for name, parameter in parameters})
    return packed


def unpack(model: torch.nn.Module, weights: bytes) -> None:
    """Put packed weights into a model of the same shape and the same adapter. Raises UserError for others."""
    tensors, parameters = load(weights), dict(model.named_parameters())
    shapes = {name: parameters[name].shape for name in tensors if name in parameters}
    learned = {name for name, _ in trained_parameters(model)}
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes or not learned <= shapes.keys():
        raise UserError("a sampler's model is another than the run's; is the same one on every node?")
    with torch.no_grad():
        for name, tensor in tensors.items():
            parameters[name].copy_(tensor)
