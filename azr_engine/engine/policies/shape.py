"""A model's sizes from its configuration alone: no weight is read or allocated.

Covered: decoder models whose Transformers configuration has the usual names. Not covered: mixtures of experts, whose
activations depend on the routing; their parameters are counted right, their activations too low.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import model_settings, model_source, quiet_libraries
from azr_engine.engine.policies.lora import LoraConfig


@dataclass(frozen=True, slots=True)
class Shape:
    """What memory depends on.

    Attributes:
        parameters: all of them, tied ones once, the adapter's included.
        trained: those that learn.
        linear: those of the linear layers but the head, which 4-bit quantisation shrinks.
        layers: decoder layers.
        hidden, intermediate: widths of the residual stream and inside an MLP.
        query, key_value: heads times head size.
        vocabulary: logits of a token.
        context: most tokens of a sequence.
        settings: what the model's azr.json says.
    """

    parameters: int
    trained: int
    linear: int
    layers: int
    hidden: int
    intermediate: int
    query: int
    key_value: int
    vocabulary: int
    context: int
    settings: Mapping[str, Any]


def read_shape(name: str, lora: LoraConfig) -> Shape:
    """The shape of a model with its adapter, if it gets one.

    Raises:
        UserError: the configuration cannot be had.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    quiet_libraries()
    source, options = model_source(name)
    try:
        config = AutoConfig.from_pretrained(source, **options)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"cannot read the configuration of the model {name!r}: {reason}") from error
    base = sum(parameter.numel() for parameter in model.parameters())
    head = model.get_output_embeddings()
    linear = [(n, m) for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head]
    adapter = sum(
        lora.r * (module.in_features + module.out_features)
        for path, module in linear
        if not lora.targets or path.endswith(lora.targets)
    )
    text = config.get_text_config()
    heads = text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // heads
    return Shape(
        parameters=base + adapter,
        trained=adapter if lora.r else base,
        linear=sum(module.weight.numel() for _, module in linear),
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        query=heads * size,
        key_value=(getattr(text, "num_key_value_heads", None) or heads) * size,
        vocabulary=text.vocab_size,
        context=getattr(text, "max_position_embeddings", None) or 2**20,
        settings=model_settings(Path(source)),
    )
