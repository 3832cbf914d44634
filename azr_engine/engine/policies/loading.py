"""From a model's name to a model, its tokenizer and its prompt style."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.styles import STYLES, Style

EMBEDDED = "azr-tiny"
EMBEDDED_FOLDER = Path(__file__).parents[2] / "models" / EMBEDDED


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in float32 in evaluation mode, its tokenizer, its prompts' style, and what its azr.json says."""

    model: Any
    tokenizer: Any
    style: Style
    settings: Mapping[str, Any]


def load_model(name: str, style: str | None = None) -> LoadedModel:
    """Load the embedded model, a local folder, or a model of the hub.

    Args:
        name: `azr-tiny`, a path, or a hub id.
        style: `compact` or `chat`; by default what the model's `azr.json` names, else `chat`.

    Raises:
        UserError: the folder lacks a model or a tokenizer, or the hub id cannot be had.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder = EMBEDDED_FOLDER if name == EMBEDDED else Path(name)
    source = str(folder) if folder.is_dir() else name
    if folder.is_dir():
        _check_folder(folder)
    elif name == EMBEDDED:
        raise UserError(f"the embedded model is missing from this installation ({folder}); install the package again")
    elif name.startswith((".", "/")) or name.count("/") > 1:
        raise UserError(f"model folder {name} does not exist")
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype="float32")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot load the model {name!r}: {reason}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    settings = _settings(folder)
    return LoadedModel(model.eval(), tokenizer, STYLES[style or settings["style"]], settings)


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UserError(f"model folder {folder} has no config.json; give a folder written by save_pretrained")
    if not any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        raise UserError(f"model folder {folder} has no tokenizer; save the tokenizer into it as well")


def _settings(folder: Path) -> dict[str, Any]:
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
