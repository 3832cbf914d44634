"""The live view: a table that redraws in a terminal, one line per step where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from azr_engine.engine.config import RunConfig

Metrics = Mapping[str, Any]


class View(Protocol):
    """Shown each step's metrics."""

    def update(self, metrics: Metrics) -> None:
        """A step has finished."""
        ...


@contextmanager
def view(console: Console, config: RunConfig, done: int) -> Iterator[View]:
    """The view that suits the console; `done` steps were finished before."""
    if not console.is_terminal:
        yield LineView(console, config.steps, done)
        return
    progress = Progress(
        TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("ETA"), TimeRemainingColumn(), console=console
    )
    bar = progress.add_task("step", total=config.steps, completed=done)
    with Live(console=console, refresh_per_second=4) as live:
        yield TableView(live, progress, bar)


class LineView:
    """One line per step."""

    def __init__(self, console: Console, steps: int, done: int) -> None:
        self._console = console
        self._steps = steps
        self._done = done
        self._started = time.monotonic()

    def update(self, metrics: Metrics) -> None:
        """Print the step's line."""
        finished = metrics["step"] - self._done
        left = (self._steps - metrics["step"]) * (time.monotonic() - self._started) / max(1, finished)
        cells = "  ".join(
            f"{name}: {_taken(d)}, {d['unique_skeletons']} unique, solved {_percent(d['solve_rate'])}"
            for name, d in metrics["domains"].items()
        )
        line = (
            f"step {metrics['step']}/{self._steps}  {cells}  {metrics['seconds']:.1f} s  "
            f"{_tokens_per_second(metrics):.0f} tokens/s  ETA {left / 60:.1f} min"
        )
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)


class TableView:
    """A table of domains, the phases' times and a progress bar, redrawn after each step."""

    def __init__(self, live: Live, progress: Progress, bar: Any) -> None:
        self._live = live
        self._progress = progress
        self._bar = bar

    def update(self, metrics: Metrics) -> None:
        """Redraw."""
        self._progress.update(self._bar, completed=metrics["step"])
        table = Table("domain", "proposed", "well formed", "admitted", "unique", "solve rate", "learnability", "share")
        for name, d in metrics["domains"].items():
            table.add_row(
                name,
                *(str(d[key]) for key in ("proposed", "well_formed", "admitted", "unique_skeletons")),
                _percent(d["solve_rate"]),
                "-" if d["learnability"] is None else f"{d['learnability']:.3f}",
                _percent(d["share"]),
            )
        phases = "  ".join(f"{name} {seconds:.1f} s" for name, seconds in metrics["phase_seconds"].items())
        policy = metrics["policy"]
        state = (
            f"{_tokens_per_second(metrics):.0f} tokens/s   entropy {policy['entropy']:.2f}   "
            f"KL to start {policy['kl_base']:.3f}   faults {metrics['faults']}   {metrics['memory_mb']:.0f} MiB"
        )
        self._live.update(Group(table, phases, state, self._progress))


def _taken(domain: Mapping[str, Any]) -> str:
    """How many tasks the step had: of those proposed, or drawn where the domain is solved only."""
    proposed, admitted = domain["proposed"], domain["admitted"]
    return f"{admitted}/{proposed} admitted" if proposed or not admitted else f"{admitted} drawn"


def _tokens_per_second(metrics: Metrics) -> float:
    tokens = metrics["tokens"]
    return float(tokens["generated"] + tokens["trained"]) / max(1e-9, float(metrics["seconds"]))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"
