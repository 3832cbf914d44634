"""A run's own records, read for people: metrics, evaluations, events, settings. Nothing is written.

Files of other versions are read as far as they go: a missing file is empty, a missing or new field stays as it is.
"""

from __future__ import annotations

import json
import platform
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.engine.durable import whole_lines
from azr_engine.engine.rundir import RunDirectory
from azr_engine.oversight.review import ReviewQueue

SAFETY_FILE = "safety.jsonl"
MAX_EVENTS = 2000
"""The newest events that are shown; the file has them all."""
MAX_EVENT_CHARACTERS = 4000
_TAIL_BYTES = 1_000_000

_VERSIONS = ("azr-engine", "torch", "transformers", "deepspeed", "vllm", "sympy", "numpy", "pluggy", "pydantic")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the files of a run say.

    Attributes:
        folder: the run directory.
        metrics: the lines of `metrics.jsonl`.
        evals: the lines of `evals.jsonl`, without the single tasks' passes.
        events: the newest lines of `events.jsonl` but for those that only say that a step was made.
        safety: the lines of `safety.jsonl`.
        review: the alarms of `review.jsonl` as they stand now.
        config: `config.resolved.toml`; empty where it is missing or cannot be read.
    """

    folder: Path
    metrics: list[dict[str, Any]]
    evals: list[dict[str, Any]]
    events: list[dict[str, Any]]
    safety: list[dict[str, Any]]
    review: list[dict[str, Any]]
    config: dict[str, Any]

    @property
    def domains(self) -> list[str]:
        """Names of the domains, in the run's order."""
        named = list(self.config.get("domains", ()))
        return list(dict.fromkeys([*named, *(name for line in self.metrics[-1:] for name in line.get("domains", {}))]))

    @property
    def n_steps(self) -> int:
        """The last step made; 0 before the first."""
        return int(self.metrics[-1].get("step", 0)) if self.metrics else 0


def read_record(run: RunDirectory) -> RunRecord:
    """Everything but the task store. Raises UserError for a review queue that cannot be read."""
    evals = [json.loads(line) for line in whole_lines(run.path / "evals.jsonl")]
    events = [json.loads(line) for line in whole_lines(run.events_path)]
    told = [event for event in events if event.get("name") != "step"]
    return RunRecord(
        folder=run.path,
        metrics=run.read_metrics(),
        evals=[{key: value for key, value in line.items() if key != "passes"} for line in evals],
        events=[_cut(event) for event in told[-MAX_EVENTS:]],
        safety=[json.loads(line) for line in whole_lines(run.path / SAFETY_FILE)],
        review=[item.to_json() for item in ReviewQueue(run.path).items()],
        config=_read_config(run.config_path),
    )


def last_metrics(run: RunDirectory) -> dict[str, Any]:
    """The last whole line of `metrics.jsonl`, without reading the rest; empty where there is none."""
    if not run.metrics_path.is_file():
        return {}
    with run.metrics_path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().split(b"\n")[:-1]
    return dict(json.loads(lines[-1])) if lines else {}


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _cut(event: dict[str, Any]) -> dict[str, Any]:
    data = {
        key: value if len(text := value if isinstance(value, str) else json.dumps(value)) <= MAX_EVENT_CHARACTERS
        # The end of a traceback says more than its beginning.
        else "… " + text[-MAX_EVENT_CHARACTERS:]
        for key, value in event.get("data", {}).items()
    }  # fmt: skip
    return {**event, "data": data}


def settings_table(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every setting of the run: `name`, `value`, `default` and `about`, the last two where this version knows it."""
    from azr_engine.engine.config import RunConfig, settings

    known = dict(settings())
    defaults = dict(_flat(RunConfig().model_dump(mode="json")))
    rows = []
    for name, value in _flat(config):
        field = known.get(name)
        row = {"name": name, "value": value, "about": field.description if field is not None else None}
        rows.append({**row, "default": defaults.get(name), "changed": field is None or defaults.get(name) != value})
    return rows


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def versions() -> dict[str, str]:
    """Versions of what is installed here, now."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
