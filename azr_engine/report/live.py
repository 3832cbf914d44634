"""The live view: a table that redraws in a terminal, one line per step where the output is no terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from azr_engine.engine.config import RunConfig

Metrics = Mapping[str, Any]


class View(Protocol):
    """Shown each step's metrics."""

    def update(self, metrics: Metrics) -> None:
        """A step has finished."""
        ...


@dataclass(slots=True)
class Pace:
    """When a run ends: with its last step or with its minutes, whichever comes first.

    Attributes:
        steps: of the run in all.
        minutes: that the steps of this session may take, if they are limited.
        done: steps of earlier sessions.
        clock: seconds that only ever grow.
    """

    steps: int
    minutes: float | None
    done: int
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _in_steps: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def hear(self, metrics: Metrics) -> tuple[str, int, float]:
        """After a step: the last step as text, with a tilde where it is an estimate, as a number, and seconds left.

        What lies between steps, evaluations above all, takes time but none of the minutes.
        """
        made = max(1, metrics["step"] - self.done)
        self._in_steps += metrics["seconds"]
        last, text = self.steps, str(self.steps)
        if self.minutes is not None:
            left = max(0.0, 60 * self.minutes - self._in_steps)
            in_time = metrics["step"] + math.ceil(left * made / max(1e-9, self._in_steps))
            if in_time < last:
                last, text = in_time, f"~{in_time}" if left else str(in_time)
        return text, last, (last - metrics["step"]) * (self.clock() - self._began) / made


@contextmanager
def view(console: Console, config: RunConfig, done: int) -> Iterator[View]:
    """The view that suits the console; `done` steps were finished before."""
    pace = Pace(config.steps, config.minutes, done)
    if not console.is_terminal:
        yield LineView(console, pace)
        return
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[eta]}"), console=console
    )
    bar = progress.add_task(f"step {done}", total=config.steps, completed=done, eta="")
    with Live(console=console, refresh_per_second=4) as live:
        yield TableView(live, progress, bar, pace)


class LineView:
    """One line per step."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self._console = console
        self._pace = pace

    def update(self, metrics: Metrics) -> None:
        """Print the step's line."""
        end, _, left = self._pace.hear(metrics)
        cells = "  ".join(
            f"{name}: {_taken(d)}, {d['unique_skeletons']} unique, solved {_percent(d['solve_rate'])}"
            for name, d in metrics["domains"].items()
        )
        line = (
            f"step {metrics['step']}/{end}  {cells}  {metrics['seconds']:.1f} s  "
            f"{_tokens_per_second(metrics):.0f} tokens/s  ETA {left / 60:.1f} min"
        )
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)


class TableView:
    """A table of domains, the phases' times and a progress bar, redrawn after each step."""

    def __init__(self, live: Live, progress: Progress, bar: Any, pace: Pace) -> None:
        self._live = live
        self._pace = pace
        self._progress = progress
        self._bar = bar

    def update(self, metrics: Metrics) -> None:
        """Redraw."""
        end, last, left = self._pace.hear(metrics)
        where = f"step {metrics['step']}/{end}"
        eta = f"ETA {left / 60:.1f} min"
        self._progress.update(self._bar, description=where, completed=metrics["step"], total=last, eta=eta)
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
