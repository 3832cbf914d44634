"""DeepSpeed: ZeRO 0 to 3 in one process or several, with the same loss and metrics as plain torch.

Every process gets all samples of an update and takes its share of them. The number of micro-batches differs between
updates, so accumulation is not counted by DeepSpeed: `set_gradient_accumulation_boundary` marks the last one. Where
processes have different numbers of micro-batches, the shorter ones repeat a sequence with weight zero, because
gradients and partitioned parameters are exchanged in step.

Not covered: loading a model that does not fit one process's memory before it is partitioned, and continuing a
checkpoint with another number of processes.
"""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from azr_engine.trainer.checkpoints import (
    Stamp,
    check_stamp,
    save_weights,
    trained_parameters,
    write_stamp,
)
from azr_engine.trainer.objective import (
    Before,
    Reference,
    completion_tokens,
    has_adapter,
    make_reference,
    metrics_of,
    micro_batch_loss,
    no_sums,
    split,
)
from azr_engine.trainer.optimiser import adamw, set_step_size
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics
from azr_engine.trainer.rows import Row, can_share_prompts, make_rows

_TAG = "deepspeed"


def import_deepspeed() -> Any:
    """The package, quiet, without its compiled collective (which takes minutes to build and saves nothing here)."""
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    import deepspeed
    import deepspeed.ops
    from deepspeed.utils import logger

    # It calls functions that torch has since renamed, on every exchange.
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    logger.setLevel("ERROR")
    return deepspeed


class DeepSpeedTrainer:
    """One process's part of the update. torch.distributed must have been initialised.

    Args:
        model: trained in place; whole in every process when it arrives.
        settings: what `deepspeed_config` made of `config`.
    """

    def __init__(self, model: nn.Module, config: TrainerConfig, settings: Mapping[str, Any]) -> None:
        self._deepspeed = import_deepspeed()
        self.model = model
        self.config = config
        self.weight_version = 0
        self.zero_stage = int(settings["zero_optimization"]["stage"])
        self._rank, self._size = dist.get_rank(), dist.get_world_size()
        self._stamp = Stamp("deepspeed", self.zero_stage, self._size)
        self._vocabulary = int(model.config.vocab_size)  # type: ignore[union-attr,arg-type]
        if settings["bf16"]["enabled"]:
            model.to(torch.bfloat16)
        # Partitioned parameters cannot be sampled from: every process keeps a whole copy for that.
        self.policy_model = copy.deepcopy(model).requires_grad_(False) if self.zero_stage == 3 else model
        self._policy_parameters = dict(self.policy_model.named_parameters())
        self._reference = self._make_reference(settings)
        self._deepspeed.init_distributed(dist_backend=dist.get_backend(), verbose=False)
        parameters = [parameter for _, parameter in trained_parameters(model)]
        self._engine: Any = self._deepspeed.initialize(
            model=model,
            model_parameters=parameters,
            optimizer=None if "optimizer" in settings else adamw(parameters, config),
            config=dict(settings),
        )[0]
        self._device = self._engine.device
        self._publish()

    def _make_reference(self, settings: Mapping[str, Any]) -> Reference | None:
        """As for plain torch, but a copy is partitioned like the model it was made from."""
        reference = make_reference(self.model, self.config)
        if reference is None or has_adapter(self.model) or self.zero_stage < 3:
            return reference
        inference = {key: value for key, value in settings.items() if key not in ("optimizer", "gradient_clipping")}
        model: Any = reference.model
        return Reference(self._deepspeed.initialize(model=model, config=inference)[0])

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics:
        """One update per epoch over all `samples`, each token weighing the same, whatever process has it."""
        if not samples:
            raise ValueError("an update needs at least one sample")
        engine = self._engine
        engine.train()
        set_step_size(engine.optimizer, self.config.learning_rate * step_size)
        sums = no_sums()
        rows = make_rows(samples, share=can_share_prompts(self.model))
        batches = self._share(rows)
        # DeepSpeed averages over processes; the loss is a sum.
        scale = self._size / completion_tokens(samples)
        before = [Before() for _ in batches]
        norm, applied = 0.0, 0
        for _ in range(self.config.epochs):
            for number, (batch, weight) in enumerate(batches, 1):
                engine.set_gradient_accumulation_boundary(number == len(batches))
                loss, parts = micro_batch_loss(
                    engine,
                    batch,
                    self.config,
                    self._reference,
                    clip_high=clip_high,
                    temperature=temperature,
                    device=self._device,
                    before=before[number - 1],
                )
                engine.backward(loss * (scale * weight), scale_wrt_gas=False)
                for key, value in parts.items():
                    sums[key] += value * weight
            norm = self._step()
            if not math.isfinite(norm):
                break
            applied = 1
        sums = self._total(sums)
        self.weight_version += applied
        self._publish()
        return metrics_of(sums, rows, self.config.epochs, norm)

    def _share(self, rows: Sequence[Row]) -> list[tuple[list[Row], float]]:
        """This process's micro-batches with their weights: as many as any other process has."""
        order = sorted(range(len(rows)), key=lambda i: (-rows[i].length, i))
        shares = [
            split([rows[i] for i in order[rank :: self._size]], self.config, self._vocabulary)
            for rank in range(self._size)
        ]
        own = [(batch, 1.0) for batch in shares[self._rank]]
        filler = [rows[order[-1]]]
        return own + [(filler, 0.0)] * (max(map(len, shares)) - len(own))

    def _step(self) -> float:
        """Apply the accumulated gradient and return its global L2 norm before clipping; not finite: nothing changed."""
        engine = self._engine
        if self.zero_stage == 0:
            # Without ZeRO in float32, DeepSpeed reports no norm and takes a step whatever it is.
            gradients = [p.grad for _, p in trained_parameters(self.model) if p.grad is not None]
            norm = float(nn.utils.get_total_norm(gradients))
            if math.isfinite(norm):
                engine.step()
            else:
                engine.optimizer.zero_grad(set_to_none=True)
            return norm
        engine.step()
        return float(engine.get_global_grad_norm()) if engine.was_step_applied() else float("nan")

    def _total(self, sums: dict[str, float]) -> dict[str, float]:
        """The sums over all processes."""
        if self._size == 1:
            return sums
        values = torch.tensor(list(sums.values()), dtype=torch.float64, device=self._device)
        dist.all_reduce(values)
        return dict(zip(sums, values.tolist(), strict=True))

    def weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Names and whole values of the parameters that learn; in every process at once."""
        for name, parameter in trained_parameters(self.model):
            with self._deepspeed.zero.GatheredParameters([parameter], enabled=self.zero_stage == 3):
                yield name, parameter.detach()

    def _publish(self) -> None:
        """Bring the copy to sample from up to date."""
        if self.policy_model is not self.model:
            with torch.no_grad():
                for name, value in self.weights():
                    self._policy_parameters[name].copy_(value)

    def save(self, folder: Path) -> None:
        """Write the weights, DeepSpeed's own checkpoint in `deepspeed/`, and each process's random state."""
        if self._rank == 0:
            save_weights(self.weights(), folder)
            write_stamp(folder, self._stamp, self.weight_version)
        else:
            for _ in self.weights():
                pass
        torch.save(torch.get_rng_state(), folder / f"torch_rng-{self._rank}.pt")
        self._engine.save_checkpoint(str(folder), tag=_TAG, save_latest=False, exclude_frozen_parameters=True)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; the leash stays tied to the weights the run started from."""
        self.weight_version = check_stamp(folder, self._stamp)
        self._engine.load_checkpoint(str(folder), tag=_TAG, load_module_strict=False)
        self._publish()
        torch.set_rng_state(torch.load(folder / f"torch_rng-{self._rank}.pt", weights_only=True))
