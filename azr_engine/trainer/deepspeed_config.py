"""DeepSpeed's configuration from our settings and, where there is one, a JSON of the user's. No torch here.

The JSON may say anything that we do not: communication, offloading to NVMe, prefetching, logging. What both say must
agree, or stand as "auto" in the JSON. Batch sizes and accumulation steps must be left out, since the number of
micro-batches differs from update to update and the trainer marks the last one itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.trainer.protocol import ADAM_BETAS, TrainerConfig

_ABSENT = object()
_VARIABLE = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")


def deepspeed_config(config: TrainerConfig, *, bfloat16: bool) -> dict[str, Any]:
    """The dictionary for `deepspeed.initialize`.

    Raises:
        UserError: the JSON cannot be read, or contradicts the settings; the message names both.
    """
    file = Path(config.deepspeed) if config.deepspeed is not None else None
    tree = _read(file) if file is not None else {}
    for name in _VARIABLE:
        if tree.pop(name, "auto") != "auto":
            raise UserError(f"{file}: {name} must be left out; micro-batches are cut by trainer.micro_batch_tokens")
    if "scheduler" in tree:
        raise UserError(f"{file}: scheduler must be left out; trainer.learning_rate and trainer.anneal say it")
    _agree(tree, "zero_optimization.stage", _stage(tree, config, bfloat16, file), "trainer.zero_stage", file)
    _agree(tree, "gradient_clipping", config.gradient_clip, "trainer.gradient_clip", file)
    _agree(tree, "bf16.enabled", bfloat16, "trainer.precision", file)
    _agree(tree, "fp16.enabled", False, "trainer.precision", file)
    if "optimizer" in tree:
        for name, value in [("lr", config.learning_rate), ("weight_decay", config.weight_decay)]:
            setting = {"lr": "trainer.learning_rate"}.get(name, f"trainer.{name}")
            _agree(tree, f"optimizer.params.{name}", value, setting, file)
        _agree(tree, "optimizer.params.betas", list(ADAM_BETAS), "AdamW's betas", file)
    for wanted, name in [(config.offload_optimizer, "optimizer"), (config.offload_parameters, "param")]:
        if wanted:
            tree["zero_optimization"].setdefault(f"offload_{name}", {"device": "cpu"})
    stage = tree["zero_optimization"]["stage"]
    if config.offload_parameters and stage != 3:
        raise UserError(f"trainer.offload_parameters needs ZeRO stage 3, not {stage}; set trainer.zero_stage=3")
    if config.offload_optimizer and stage == 0:
        raise UserError("trainer.offload_optimizer needs ZeRO stage 1, 2 or 3; set trainer.zero_stage=2")
    if bfloat16 and stage == 0:
        raise UserError("bfloat16 at ZeRO stage 0 would sum gradients in bfloat16; set trainer.zero_stage=1")
    if bfloat16:
        tree.setdefault("data_types", {}).setdefault("grad_accum_dtype", "fp32")
    # More than one, so that DeepSpeed keeps its buffers for accumulation; the trainer marks the last micro-batch.
    tree |= {"train_micro_batch_size_per_gpu": 1, "gradient_accumulation_steps": 2}
    tree.setdefault("steps_per_print", 10**9)
    tree.setdefault("zero_allow_untested_optimizer", True)
    tree.setdefault("zero_force_ds_cpu_optimizer", False)
    return tree


def _read(file: Path) -> dict[str, Any]:
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the DeepSpeed JSON {file}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{file} is not valid JSON: {error}") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("zero_optimization", {}), dict):
        raise UserError(f"{file} is no DeepSpeed configuration: it must be a JSON object")
    return tree


def _stage(tree: dict[str, Any], config: TrainerConfig, bfloat16: bool, file: Path | None) -> int:
    """The stage that the settings name, else the JSON, else the smallest that is exact."""
    if config.zero_stage is not None:
        return config.zero_stage
    given = tree.get("zero_optimization", {}).get("stage", "auto")
    if given == "auto":
        return 1 if bfloat16 else 0
    if given not in (0, 1, 2, 3):
        raise UserError(f"{file}: zero_optimization.stage is {given!r}; it must be 0, 1, 2 or 3")
    return int(given)


def _agree(tree: dict[str, Any], name: str, value: Any, setting: str, file: Path | None) -> None:
    """Put `value` under the dotted `name`, unless something else stands there already."""
    *path, last = name.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise UserError(f"{file}: {part} must be an object")
    given = tree.get(last, _ABSENT)
    if given is not _ABSENT and given != "auto" and given != value:
        raise UserError(
            f"{file}: {name} is {json.dumps(given)}, but {setting} makes it {json.dumps(value)}; make them equal or "
            'write "auto" there'
        )
    tree[last] = value
