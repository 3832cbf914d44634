"""A domain of azr-engine as a taskset: its prompts as the chat style renders them, its verifier as the reward.

eval azr-prime --env.taskset.domain python --env.taskset.n-tasks 100
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import verifiers.v1 as vf
from azr_trl import VerifierReward
from pydantic import Field


class AzrConfig(vf.TasksetConfig):
    """Which domain, and which of its tasks."""

    domain: str = "python"
    n_tasks: int = Field(1000, ge=1)
    seed: int = 0
    plugins: tuple[str, ...] = ()


class AzrData(vf.TaskData):
    """`source` says how to find the verifier again; `azr_task` is the task with its gold, which no prompt shows."""

    source: tuple[str, ...]
    azr_task: str


class AzrTask(vf.Task[AzrData]):
    """A task whose reward is the verdict's score."""

    @vf.reward
    async def verified(self, trace: vf.Trace) -> float:
        """The score in [0, 1]. Raises TaskError where the verifier could not judge: no failure of the reply."""
        worker = _worker(self.data.source)
        future = worker.submit(_judged, self.data.source, self.data.azr_task, trace.last_reply)
        score = await asyncio.wrap_future(future)
        if score is None:
            raise vf.TaskError(f"the verifier of {self.data.source[0]!r} could not judge the reply")
        return score

    async def validate(self, runtime: vf.Runtime) -> None:
        """Every task was admitted by its verifier when it was made; there is nothing more to check."""


class AzrTaskset(vf.Taskset[AzrTask, AzrConfig]):
    """Tasks made from a domain's seeds, the same for the same seed, none twice."""

    def load(self) -> Iterator[AzrTask]:
        config = self.config
        source = (config.domain, *config.plugins)
        for row in _worker(source).submit(_rows, source, config.n_tasks, config.seed).result():
            system, messages = None, row["prompt"]
            if messages[0]["role"] == "system":
                system, messages = messages[0]["content"], messages[1:]
            yield AzrTask(
                AzrData(prompt=messages, system_prompt=system, source=source, azr_task=row["task"]), config.task
            )


@functools.cache
def _worker(source: tuple[str, ...]) -> ThreadPoolExecutor:
    """The one thread in which a domain's verifier and its event loop live, since rewards are asked from any loop."""
    return ThreadPoolExecutor(1, f"azr-{source[0]}")


@functools.cache
def _reward(source: tuple[str, ...]) -> VerifierReward:
    return VerifierReward(source[0], source[1:])


def _rows(source: tuple[str, ...], n_tasks: int, seed: int) -> list[dict[str, Any]]:
    return _reward(source).rows(n_tasks, seed)


def _judged(source: tuple[str, ...], task: str, reply: str) -> float | None:
    (score,) = _reward(source)([None], [reply], task=[task])
    return score
