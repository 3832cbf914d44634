"""A run's learning curve: evaluations of its policy while it plays, one line each in `evals.jsonl`.

An evaluation samples with seeds of its own, asks the verifiers that know the truth, and trains nothing, so a run goes
on exactly as if it had not been made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.config import EvaluationConfig
from azr_engine.engine.durable import append_line, json_line, replace_text, storage_errors, whole_lines
from azr_engine.engine.loop import SelfPlay
from azr_engine.engine.types import Episode
from azr_engine.evaluation.evaluate import evaluate, load_suite, summarise
from azr_engine.verifiers.judge.building import truth_of

FILE = "evals.jsonl"
SEED = 0


class Curve:
    """Evaluates a loop's policy every so many steps, at its start and at its end.

    Args:
        loop: the run, resumed already; lines of steps after its last one are dropped.

    Raises:
        UserError: the suite is unknown, or has no task of the run's domains.
    """

    def __init__(self, loop: SelfPlay, config: EvaluationConfig) -> None:
        self._loop = loop
        self._config = config
        self._path = loop.parts.run.path / FILE
        self._tasks = load_suite(config.suite, list(loop.parts.domains), config.per_kind)
        truths = {name: truth_of(verifier) for name, verifier in loop.parts.verifiers.items()}
        self._solver = loop.parts.solver.sampling(n_attempts=config.attempts, temperature=1.0).judged_by(truths)
        if self._path.exists():
            kept = [line for line in read_curve(self._path.parent) if line["step"] <= loop.step]
            with storage_errors(self._path):
                replace_text(self._path, "".join(json_line(line) for line in kept))

    async def between(self, step: int) -> None:
        """Evaluate where a step is due and was not evaluated yet."""
        if step % self._config.every == 0:
            await self.measure(step)

    async def measure(self, step: int) -> None:
        """Evaluate now, unless this step was already."""
        if any(line["step"] == step for line in read_curve(self._path.parent)):
            return
        episodes = await evaluate(self._solver, self._tasks, SEED)
        played = [line for line in self._loop.parts.run.read_metrics() if line["step"] <= step]
        line = {
            "step": step,
            "seconds": round(sum(entry["seconds"] for entry in played), 3),
            "tokens": sum(entry["tokens"]["generated"] for entry in played),
            "attempts": self._config.attempts,
            **summarise(self._config.suite, episodes, sorted({1, self._config.attempts})),
            "passes": passes(episodes),
        }
        append_line(self._path, json_line(line))


def passes(episodes: Sequence[Episode]) -> dict[str, list[list[int]]]:
    """For each `domain/kind` and task, in the suite's order: passed tries and tries that were not faults."""
    found: dict[str, list[list[int]]] = {}
    for episode in episodes:
        statuses = [a.verdict.status for a in episode.attempts if a.verdict.status != "fault"]
        name = f"{episode.task.domain}/{episode.task.kind}"
        found.setdefault(name, []).append([statuses.count("pass"), len(statuses)])
    return found


def read_curve(run: Path) -> list[dict[str, Any]]:
    """The evaluations of a run, in order; empty when there are none."""
    path = run / FILE
    return [json.loads(line) for line in whole_lines(path)] if path.is_file() else []
