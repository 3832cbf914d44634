"""When a run is said to end: with its steps or with its minutes, whichever comes first."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from azr_engine.engine.config import RunConfig
from azr_engine.report.live import Pace, view
from tests.report.synthetic import synthetic_run


def ticking(*times: float) -> Iterator[float]:
    yield from times


def test_without_minutes_the_steps_end_it() -> None:
    times = ticking(0.0, 30.0)
    pace = Pace(steps=20, minutes=None, done=10, clock=lambda: next(times))
    assert pace.hear({"step": 11, "seconds": 3.0}) == ("20", 20, 9 * 30.0)


def test_minutes_that_end_first_give_an_estimate() -> None:
    # Half of the time goes into evaluations, which no minute counts: 2 of 4 seconds a step, 58 seconds left.
    times = ticking(0.0, 4.0)
    pace = Pace(steps=1_000_000, minutes=1.0, done=0, clock=lambda: next(times))
    assert pace.hear({"step": 1, "seconds": 2.0}) == ("~30", 30, 29 * 4.0)


@given(
    steps=st.integers(2, 500),
    minutes=st.none() | st.floats(0.01, 60.0),
    seconds=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=20),
)
def test_the_end_never_lies_behind_nor_after_the_steps(steps: int, minutes: float | None, seconds: list[float]) -> None:
    times = ticking(0.0, *(float(10 * i) for i in range(1, 30)))
    pace = Pace(steps=steps, minutes=minutes, done=0, clock=lambda: next(times))
    for step, spent in enumerate(seconds[:steps], start=1):
        text, last, left = pace.hear({"step": step, "seconds": spent})
        assert step <= last <= steps
        assert left >= 0.0
        assert text.removeprefix("~") == str(last)


@pytest.mark.parametrize("terminal", [False, True])
def test_both_views_say_when_it_ends(tmp_path: Path, terminal: bool) -> None:
    line = (synthetic_run(tmp_path / "run", n_steps=1, n_tasks=2) / "metrics.jsonl").read_text()
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=200)
    config = RunConfig(steps=1_000_000, minutes=1.0)
    with view(console, config, done=0) as shown:
        shown.update(json.loads(line) | {"seconds": 10.0})
    assert "step 1/~6" in written.getvalue()
    assert "1000000" not in written.getvalue()
