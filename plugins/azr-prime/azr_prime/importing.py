"""A taskset as a domain: its prompts for the solver, its rewards as verdicts.

Taken are tasks that one reply answers and whose rewards read that reply alone. Not taken, and refused at start: tools,
containers, rewards that look into a runtime, and judges. An environment with a `run` of its own, such as a game, is
more than its taskset and cannot be seen from here.

Rewards run in this process, with your rights, on whatever a model wrote.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import islice
from typing import Any

import verifiers.v1 as vf
from azr_trl import RewardVerifier, RowsDomain

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Nature


class TasksetDomain(RowsDomain):
    """The first tasks of a taskset, for the solver alone; kind `question`.

    Args:
        name: of the domain and of its verifier.
        most: tasks to read; a taskset may be endless.
        answer: the field of the tasks' data with a right answer, if there is one; the conformance kit asks for it.

    Raises:
        UserError: the taskset is empty, or a task needs what a single reply cannot give.
    """

    def __init__(
        self, name: str, taskset: vf.Taskset[Any, Any], *, most: int = 1000, answer: str | None = None
    ) -> None:
        if type(taskset).toolsets(taskset.config):
            raise UserError(f"the taskset of the domain {name!r} has tools, which a single reply cannot use")
        self.tasks: Sequence[vf.Task[Any, Any, Any]] = list(islice(taskset, most))
        for task in self.tasks:
            if why := _unfit(task):
                raise UserError(f"task {task.data.idx} of the domain {name!r} {why}")
        rows = [{"prompt": _prompt(task.data), "number": i} for i, task in enumerate(self.tasks)]
        if answer is not None:
            rows = [{**row, "answer": getattr(t.data, answer)} for row, t in zip(rows, self.tasks, strict=True)]
        super().__init__(name, rows, answer=None if answer is None else "answer")


class TasksetVerifier(RewardVerifier):
    """Passes what the task's rewards, weighted and added, amount to enough for.

    Args:
        passing: the smallest sum that passes.
        nature: `deterministic` unless a reward draws, or asks a model.
    """

    def __init__(self, domain: TasksetDomain, *, passing: float = 1.0, nature: Nature = "deterministic") -> None:
        async def reward(completions: list[str], number: list[int], **others: Any) -> list[float]:
            return [await _score(domain.tasks[i], text) for i, text in zip(number, completions, strict=True)]

        super().__init__(domain, reward, passing=passing, nature=nature)


def _unfit(task: vf.Task[Any, Any, Any]) -> str:
    """Why a single reply does not do; empty where it does."""
    if task.NEEDS_CONTAINER:
        return "needs a container"
    if type(task).toolsets(task.config):
        return "has tools, which a single reply cannot use"
    if task.plugged_judges():
        return "is judged by a language model; see docs/judges.md for that"
    rewards = task.hooks("reward")
    if not rewards:
        return "has no reward"
    for reward in rewards:
        runtime = inspect.signature(reward).parameters.get("runtime")
        if runtime is not None and runtime.default is inspect.Parameter.empty:
            return f"has the reward {reward.__name__!r}, which looks into a runtime"
    if not _prompt(task.data).strip():
        return "has no prompt"
    return ""


def _prompt(data: vf.TaskData) -> str:
    return "\n\n".join(part for part in (data.system_prompt, data.prompt_text) if part)


async def _score(task: vf.Task[Any, Any, Any], text: str) -> float:
    """What the task's rewards make of one reply. Raises `verifiers`' TaskError where one of them does."""
    asked = vf.MessageNode(message=vf.UserMessage(content=task.data.prompt_text))
    replied = vf.MessageNode(parent=0, message=vf.AssistantMessage(content=text), sampled=True)
    trace: vf.Trace[Any, Any, Any] = vf.Trace(
        task=vf.TraceTask(type=type(task).__name__, data=task.data),
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        nodes=[asked, replied],
    )
    await task.score(trace)
    return float(trace.reward)
