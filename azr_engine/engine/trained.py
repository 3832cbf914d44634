"""The policy of a run, as its last checkpoint left it, whatever backend trained it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import LoadedModel, load_model
from azr_engine.engine.rundir import RunDirectory
from azr_engine.trainer.checkpoints import load_weights, stored_precision


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run stands: its settings and its newest checkpoint."""

    config: RunConfig
    folder: Path
    step: int


def find_checkpoint(name: str) -> Checkpoint | None:
    """The newest checkpoint of a run directory; None where `name` is no run directory.

    Raises:
        UserError: the run has no checkpoint yet.
    """
    if not (Path(name) / "config.resolved.toml").is_file():
        return None
    run = RunDirectory.open(Path(name))
    folder = run.latest_checkpoint()
    if folder is None:
        raise UserError(f"the run {name} has no checkpoint yet")
    config = RunConfig.model_validate(tomllib.loads(run.config_path.read_text(encoding="utf-8")))
    return Checkpoint(config, folder, int(folder.name.removeprefix("step-")))


def load_trained(name: str, style: str | None = None) -> LoadedModel:
    """A model by its name, or the policy of a run directory; the base of a quantised run comes unquantised.

    Raises:
        UserError: the model cannot be had, or the run has no checkpoint yet.
    """
    checkpoint = find_checkpoint(name)
    if checkpoint is None:
        return load_model(name, style)
    model = checkpoint.config.model
    precision = stored_precision(checkpoint.folder)
    loaded = load_model(model.name, style or model.style, lora=model.lora, precision=precision)
    load_weights(loaded.model, checkpoint.folder)
    return loaded
