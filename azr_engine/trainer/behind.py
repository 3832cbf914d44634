"""One step off: a step's update runs while the next step already samples, with the weights from before it.

An update begins when the one before has ended and the policy has taken its weights, so samples are never older than one
update; the objective weighs their tokens accordingly (`trainer.importance_cap`). Nothing depends on how long an update
takes. Before a checkpoint the update under way is waited for, so that a resumed run goes on as the run would have.

Needs a policy that samples from a copy of the weights. Not covered: being more than one step off.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from azr_engine.engine.protocols import Policy
from azr_engine.trainer.protocol import Sample, Trainer, UpdateMetrics

PENDING_FILE = "update.json"


@contextmanager
def one_step_off(trainer: Trainer, policy: Policy) -> Iterator[Trainer]:
    """The trainer, its updates in a thread of their own; an update under way is waited for in the end."""
    with ThreadPoolExecutor(1, "update") as thread:
        yield OneStepOff(trainer, policy, thread)


class OneStepOff:
    """A trainer whose `update` returns at once.

    Args:
        trainer: touched by nobody else from now on.
        policy: told of every new version of the weights while nothing changes them.
    """

    def __init__(self, trainer: Trainer, policy: Policy, thread: ThreadPoolExecutor) -> None:
        self._trainer, self._policy, self._thread = trainer, policy, thread
        self._running: Future[UpdateMetrics | None] | None = None
        self._metrics: UpdateMetrics | None = None
        self.policy_model = trainer.policy_model
        self.weight_version = trainer.weight_version

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics | None:
        """Begin an update. Returns the metrics of the one before, or None, and raises what that raised."""
        self._finish()
        metrics, self._metrics = self._metrics, None
        options = {"clip_high": clip_high, "temperature": temperature, "step_size": step_size}
        self._running = self._thread.submit(self._trainer.update, samples, **options)
        return metrics

    def save(self, folder: Path) -> None:
        """Wait for the update under way and write its metrics beside what the trainer writes."""
        self._finish()
        self._trainer.save(folder)
        pending = None if self._metrics is None else dataclasses.asdict(self._metrics)
        (folder / PENDING_FILE).write_text(json.dumps(pending), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        self._finish()
        self._trainer.load(folder)
        self.weight_version = self._trainer.weight_version
        pending = json.loads((folder / PENDING_FILE).read_text(encoding="utf-8"))
        self._metrics = None if pending is None else UpdateMetrics(**pending)

    def _finish(self) -> None:
        """Wait for the update under way, and have the policy take its weights."""
        if self._running is None:
            return
        running, self._running = self._running, None
        self._metrics = running.result()
        self.weight_version = self._policy.weight_version = self._trainer.weight_version
