"""Evaluations kept by what they depend on: the weights, the suite's tasks, and how it was tried.

An entry is one JSON file named by a hash of all that. Nothing expires: other weights, tasks, settings or another
version of this package make another name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azr_engine.engine.durable import replace_text, storage_errors
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Task, content_hash
from azr_engine.evaluation.tally import Tally

if TYPE_CHECKING:
    from azr_engine.engine.policies.loading import LoadedModel


def default_folder() -> Path:
    """`azr-engine/evaluations` in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "azr-engine" / "evaluations"


class Cache:
    """Tallies by key, in a folder that is made if need be.

    Raises:
        UserError: the folder cannot be made; better now than after hours of sampling.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {folder}: {error.strerror}; give --cache or --no-cache") from None

    def read(self, key: str) -> list[Tally] | None:
        """What was kept under this key; None where there is nothing, or nothing readable."""
        try:
            entries = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))["tallies"]
            return [Tally(**entry) for entry in entries]
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, key: str, made_by: Mapping[str, Any], tallies: Sequence[Tally]) -> None:
        """Keep tallies, with a note for people on what made them. Raises UserError where that cannot be written."""
        with storage_errors(self._folder):
            text = json.dumps({"made_by": made_by, "tallies": [one.to_json() for one in tallies]})
            replace_text(self._folder / f"{key}.json", text)


def cache_key(weights: str, tasks: Sequence[Task], settings: Mapping[str, Any]) -> str:
    """The name of an evaluation.

    Args:
        weights: `weights_hash` of the model.
        tasks: the suite's, whole: what is asked and what is right both count.
        settings: JSON-able; everything else that the figures depend on.
    """
    return content_hash(weights, [task.to_json() for task in tasks], dict(settings), _version(), n_hex=32)


def weights_hash(loaded: LoadedModel) -> str:
    """SHA-256, in hexadecimal, over every weight's name, type, shape and bytes, and over the tokenizer's vocabulary."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(loaded.model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    vocabulary = sorted(loaded.tokenizer.get_vocab().items(), key=lambda item: item[1])
    digest.update(json.dumps([vocabulary, loaded.tokenizer.chat_template]).encode())
    return digest.hexdigest()


def _version() -> str:
    try:
        return version("azr-engine")
    except PackageNotFoundError:
        return ""
