"""Low-rank adapters through PEFT: the base stays as it is, and a small part beside every linear layer learns.

Leaving the adapter out gives the starting policy back, so the KL leash needs no second model. Importable without
torch and without PEFT.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.errors import MissingDependency, UserError


class LoraConfig(BaseModel):
    """A low-rank adapter (arXiv 2106.09685); off while `r` is 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    r: Annotated[int, Field(ge=0, le=1024, description="Rank of the adapter; 0 trains the whole model.")] = 0
    alpha: Annotated[
        int | None, Field(ge=1, description="The adapter's product is scaled by alpha / r; empty: 2 r.")
    ] = None
    targets: Annotated[
        tuple[str, ...],
        Field(description="Endings of the adapted modules' names; empty: every linear layer but the head."),
    ] = ()


def check_lora(config: LoraConfig) -> None:
    """Raises MissingDependency where an adapter is asked for and PEFT is not installed."""
    from importlib.util import find_spec

    if config.r and find_spec("peft") is None:
        raise MissingDependency("model.lora needs the package peft: pip install 'azr-engine[peft]'")


def add_adapter(model: Any, config: LoraConfig, *, quantized: bool = False) -> Any:
    """The model with a new adapter, whose product is zero at first, and everything else frozen.

    Raises:
        UserError: no module's name ends in one of the targets.
    """
    check_lora(config)
    import peft

    if quantized:
        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    # No dropout: the log-probabilities of an update must be those of the policy that wrote the samples.
    settings = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=config.r,
        lora_alpha=config.alpha or 2 * config.r,
        lora_dropout=0.0,
        target_modules=list(config.targets) or "all-linear",
    )
    try:
        return peft.get_peft_model(model, settings)
    except ValueError as error:
        raise UserError(f"model.lora.targets: {str(error).splitlines()[0]}") from None


def without_adapter(model: Any) -> Any:
    """The plain model with the adapter merged into its weights; the model itself where it has none."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def merged_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of the plain model's parameters, an adapter's product added; the model stays as it is."""
    if not hasattr(model, "peft_config"):
        yield from model.named_parameters()
        return
    plain = model.get_base_model()
    adapted = {f"{name}.base_layer.weight": m for name, m in plain.named_modules() if hasattr(m, "get_delta_weight")}
    for name, parameter in plain.named_parameters():
        if ".lora_" in name:
            continue
        value = parameter.detach()
        if name in adapted:
            (adapter,) = adapted[name].active_adapters
            value = value + adapted[name].get_delta_weight(adapter).detach().to(value.dtype)
        yield name.replace(".base_layer.", "."), value
