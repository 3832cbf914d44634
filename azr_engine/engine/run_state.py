"""What a checkpoint holds of a run besides its metrics: the trainer's files, and `loop.json` for everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from azr_engine.engine.protocols import Policy
from azr_engine.trainer.protocol import Trainer

LOOP_STATE = "loop.json"


class Stateful(Protocol):
    """A part whose state is a JSON-able dictionary."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        ...


class RunState:
    """Writes checkpoints, and goes back to them.

    Args:
        parts: by the name that their state has in `loop.json`.
        seed: of the run, for the record.
    """

    def __init__(self, policy: Policy, trainer: Trainer, parts: Mapping[str, Stateful], seed: int) -> None:
        self._policy, self._trainer, self._parts, self._seed = policy, trainer, parts, seed

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        self._trainer.save(folder)
        state = {name: part.state_dict() for name, part in self._parts.items()}
        (folder / LOOP_STATE).write_text(json.dumps({**state, "seed": self._seed}), encoding="utf-8")

    def read(self, folder: Path, *names: str) -> None:
        """Weights, optimiser and the parts of these names become what they were; without names, all parts."""
        self._trainer.load(folder)
        self._policy.weight_version = self._trainer.weight_version
        state = json.loads((folder / LOOP_STATE).read_text(encoding="utf-8"))
        for name in names or self._parts:
            self._parts[name].load_state_dict(state[name])
