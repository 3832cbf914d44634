"""The benchmarks by name, and running them: each in a process of its own, so that none sees another's memory."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import azr_engine
from azr_engine.benchmarks import generation, startup, step, training, verifying
from azr_engine.benchmarks.figures import Figure
from azr_engine.engine.errors import UserError

PEERS_SCRIPT = Path(azr_engine.__file__).parents[1] / "benchmarks" / "peers.py"


def trl() -> list[Figure]:
    """The same step of reinforcement learning here and in TRL's GRPOTrainer; see `benchmarks/peers.py`."""
    if find_spec("trl") is None:
        raise UserError("TRL is not installed: pip install trl")
    if not PEERS_SCRIPT.is_file():
        raise UserError("needs a checkout: benchmarks/peers.py is not part of the package")
    result = subprocess.run([sys.executable, str(PEERS_SCRIPT), "--json"], capture_output=True, text=True)
    if result.returncode:
        raise UserError(f"TRL failed: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    sides = json.loads(result.stdout)
    ours, theirs = sides["azr-engine"], sides["trl"]
    memory = Figure("memory", ours["memory_mb"], "MiB", "TRL", theirs["memory_mb"] / ours["memory_mb"])
    rate = ours["steps_per_second"]
    return [Figure("steps", rate, "1/CPU s", "TRL", rate / theirs["steps_per_second"]), memory]


BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "startup": startup.measure,
    "generation": generation.measure,
    "training": training.measure,
    "executor": verifying.executor,
    "math": verifying.math,
    "lean": verifying.lean,
    "step": step.measure,
    "trl": trl,
}


def run(name: str) -> Sequence[Figure] | str:
    """A benchmark's figures, or why it could not run."""
    program = f"from azr_engine.benchmarks.running import main; main({name!r})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if result.returncode:
        return (result.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return [Figure(**values) for values in json.loads(result.stdout.splitlines()[-1])]


def main(name: str) -> None:
    """Measure in this process; the figures as the last line of standard output."""
    try:
        figures = BENCHMARKS[name]()
    except UserError as error:
        sys.exit(str(error))
    print(json.dumps([dataclasses.asdict(figure) for figure in figures]))
