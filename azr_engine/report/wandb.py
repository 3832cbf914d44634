"""Each step's metrics to Weights & Biases, with `--wandb`. An observer, as `tensorboard.py` is.

The run's name is its folder's; a resumed run goes on under the same id. Set WANDB_MODE=offline to keep everything here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import MissingDependency
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.types import Event, content_hash
from azr_engine.plugins import hookimpl
from azr_engine.report.curves import numbers
from azr_engine.report.record import last_metrics, read_record

_open: dict[str, Any] = {}


def require() -> None:
    """Raises MissingDependency where the package wandb is not installed."""
    if find_spec("wandb") is None:
        raise MissingDependency("--wandb needs the package wandb; pip install 'azr-engine[wandb]'")


@hookimpl
def azr_observe(event: Event) -> None:
    """Start with a run; log after each step; finish at its end."""
    if event.name == "run":
        import wandb

        run = RunDirectory.open(Path(event.data["folder"]))
        name = content_hash(str(run.path))
        config = read_record(run).config
        session = wandb.init(
            project="azr-engine", name=run.path.name, id=name, resume="allow", dir=run.path, config=config
        )
        _open.update(run=run, session=session)
    elif event.name == "step" and _open:
        _open["session"].log(dict(numbers(last_metrics(_open["run"]))), step=event.step, commit=True)
    elif event.name == "run_end" and _open:
        _open.pop("session").finish()
        _open.clear()
