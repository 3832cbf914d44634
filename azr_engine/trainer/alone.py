"""An update that has the memory to itself: what samples in the same memory leaves it for that long.

Not covered: samplers elsewhere, which lose nothing by staying as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from azr_engine.trainer.protocol import Sample, Trainer, UpdateMetrics


class Resting(Protocol):
    """A policy that can leave its memory until it is told the weights' version again."""

    def rest(self) -> None:
        """Leave it now."""
        ...


class AloneInMemory:
    """A trainer before whose updates the policy rests; the loop tells the policy the version afterwards."""

    def __init__(self, trainer: Trainer, policy: Resting) -> None:
        self._trainer, self._policy = trainer, policy
        self.policy_model = trainer.policy_model

    @property
    def weight_version(self) -> int:
        """Updates applied so far."""
        return self._trainer.weight_version

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics | None:
        """As the trainer does."""
        self._policy.rest()
        return self._trainer.update(samples, clip_high=clip_high, temperature=temperature, step_size=step_size)

    def save(self, folder: Path) -> None:
        """As the trainer does."""
        self._trainer.save(folder)

    def load(self, folder: Path) -> None:
        """As the trainer does."""
        self._trainer.load(folder)
