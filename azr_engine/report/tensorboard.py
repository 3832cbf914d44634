"""Each step's metrics as TensorBoard curves, in the run's folder `tensorboard/`.

An observer: it reads the run's own records and changes nothing, and does nothing where TensorBoard is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.types import Event
from azr_engine.plugins import hookimpl
from azr_engine.report.curves import numbers
from azr_engine.report.record import last_metrics

_open: dict[str, Any] = {}
"""The run under way and its writer: a process plays one run at a time."""


@hookimpl
def azr_observe(event: Event) -> None:
    """Start with a run; write after each step; close at its end."""
    if event.name == "run":
        close()
        run = RunDirectory.open(Path(event.data["folder"]))
        writer = _writer(run.tensorboard, event.step)
        if writer is not None:
            _open.update(run=run, writer=writer)
    elif event.name == "step" and _open:
        for path, value in numbers(last_metrics(_open["run"])):
            _open["writer"].add_scalar(path, value, event.step)
        _open["writer"].flush()
    elif event.name == "run_end":
        close()


def close() -> None:
    """Close the writer, if a run is under way."""
    if _open:
        _open.pop("writer").close()
        _open.clear()


def _writer(folder: Path, step: int) -> Any:
    """A writer whose earlier points after `step` are taken back; None where TensorBoard is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None  # nobody asked for curves: the extra is how one does
    return SummaryWriter(str(folder), purge_step=step + 1)
