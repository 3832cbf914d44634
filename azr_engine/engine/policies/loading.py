"""From a model's name to a model, its tokenizer and its prompt style.

A name is the embedded model's, a folder written by `save_pretrained`, a GGUF file, or an id of the hub. Quantised
weights of a GGUF file are expanded, so that they can be trained and saved.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.policies.lora import LoraConfig, add_adapter
from azr_engine.engine.styles import STYLES, Style

EMBEDDED = "azr-tiny"
EMBEDDED_FOLDER = Path(__file__).parents[2] / "models" / EMBEDDED

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in evaluation mode on its device, its tokenizer, its prompts' style, and what its azr.json says."""

    model: Any
    tokenizer: Any
    style: Style
    settings: Mapping[str, Any]


def quiet_libraries() -> None:
    """Keep Transformers and DeepSpeed from writing progress bars and warnings among the results."""
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if not torch.cuda.is_available():
        # Transformers imports DeepSpeed where it is installed, and that complains of the missing GPU.
        os.environ.setdefault("DS_ACCELERATOR", "cpu")


def load_model(
    name: str,
    style: str | None = None,
    *,
    lora: LoraConfig | None = None,
    quantize: Literal["none", "nf4"] = "none",
    precision: Precision = "float32",
) -> LoadedModel:
    """Load the embedded model, a local folder, a GGUF file, or a model of the hub, onto the GPU where there is one.

    Args:
        name: `azr-tiny`, a path, or a hub id.
        style: `compact` or `chat`; by default what the model's `azr.json` names, else `chat`.
        lora: an adapter to add; the rest of the model is frozen then.
        quantize: keep the frozen base in 4 bits (QLoRA, arXiv 2305.14314).
        precision: of the weights.

    Raises:
        UserError: the folder lacks a model or a tokenizer, or the hub id cannot be had.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from azr_engine.engine.policies.allocation import keep_freed_memory
    from azr_engine.engine.policies.linear import use_wide_vectors

    quiet_libraries()
    keep_freed_memory()
    source, options = model_source(name)
    quantized = _quantization(quantize, lora)
    # Expanding a GGUF file draws a progress bar that no setting turns off; what goes wrong is raised.
    hidden = contextlib.redirect_stderr(io.StringIO()) if options else contextlib.nullcontext()
    try:
        with hidden:
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            model = AutoModelForCausalLM.from_pretrained(source, dtype=precision, **options, **quantized)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"cannot load the model {name!r}: {reason}") from error
    if options:
        model = _expanded(model)
    _remember_no_words(tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if lora is not None and lora.r:
        model = add_adapter(model, lora, quantized=bool(quantized))
    if not quantized:
        model = model.to(device())
    use_wide_vectors(model)
    settings = model_settings(Path(source))
    return LoadedModel(model.eval(), tokenizer, STYLES[style or settings["style"]], settings)


def _remember_no_words(tokenizer: Any) -> None:
    """Turn off a cache of encoded words that can never help, as the embedded model's: nothing in it is ever merged.

    Tokenizers keeps the first 10,000 words that it meets. Without merges there is nothing to save, but words are whole
    stretches of text there, nearly all of them new: several KiB more memory with every step.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None and json.loads(backend.to_str())["model"].get("merges") == []:
        backend.model._resize_cache(0)


def device() -> str:
    """Where models live: this process's GPU, else the CPU."""
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def model_source(name: str) -> tuple[str, dict[str, str]]:
    """What Transformers is to load, and the name of the GGUF file in it, if it is one."""
    path = EMBEDDED_FOLDER if name == EMBEDDED else Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UserError(f"model file {name} does not exist")
        _require_gguf()
        return str(path.parent), {"gguf_file": path.name}
    if path.is_dir():
        _check_folder(path)
        return str(path), {}
    if name == EMBEDDED:
        raise UserError(f"the embedded model is missing from this installation ({path}); install the package again")
    if name.startswith((".", "/")) or name.count("/") > 1:
        raise UserError(f"model folder {name} does not exist")
    return name, {}


def _require_gguf() -> None:
    from importlib.util import find_spec

    if find_spec("gguf") is None:
        raise MissingDependency("GGUF files need the package gguf: pip install 'azr-engine[gguf]'")


def _quantization(quantize: str, lora: LoraConfig | None) -> dict[str, Any]:
    """Options of `from_pretrained` for a frozen base in 4 bits; none where it stays as it is."""
    if quantize == "none":
        return {}
    import torch

    check_quantization(quantize, lora)
    from transformers import BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantize,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32,
    )
    return {"quantization_config": settings, "device_map": {"": device()}}


def check_quantization(quantize: str, lora: LoraConfig | None) -> None:
    """Raises UserError where a base in 4 bits is asked for and cannot be had."""
    from importlib.util import find_spec

    if quantize == "none":
        return
    if lora is None or not lora.r:
        raise UserError("model.quantize freezes the base: set model.lora.r (or --lora r=16) as well")
    if find_spec("bitsandbytes") is None:
        raise MissingDependency("model.quantize needs the package bitsandbytes: pip install 'azr-engine[qlora]'")
    import torch

    if not torch.cuda.is_available():
        raise UserError("model.quantize needs a GPU, and torch sees none here; set model.quantize=none")


def _expanded(model: Any) -> Any:
    """The same weights in a model that knows nothing of a quantised file, and can therefore be saved."""
    config = type(model.config)(**{k: v for k, v in model.config.to_dict().items() if k != "quantization_config"})
    plain = type(model)(config).to(model.dtype)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    return plain


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UserError(f"model folder {folder} has no config.json; give a folder written by save_pretrained")
    if not any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        raise UserError(f"model folder {folder} has no tokenizer; save the tokenizer into it as well")


def model_settings(folder: Path) -> dict[str, Any]:
    """What the model's azr.json says; without one, a model that reads words."""
    file = folder / "azr.json"
    if not file.is_file():
        return {"style": "chat"}
    try:
        settings = {"style": "chat", **json.loads(file.read_text(encoding="utf-8"))}
    except (ValueError, TypeError) as error:
        raise UserError(f"{file} is not a JSON object: {error}") from None
    if settings["style"] not in STYLES:
        raise UserError(f"{file} names the style {settings['style']!r}; known styles are {', '.join(STYLES)}")
    return settings
