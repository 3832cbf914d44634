"""A made-up run of hostile texts, and its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from azr_engine.engine.rundir import RunDirectory
from azr_engine.report.page import write_report
from tests.report.synthetic import synthetic_run


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 steps of 10 tasks, 4 tries each, every text hostile."""
    return synthetic_run(tmp_path_factory.mktemp("report") / "a-run", 24, 10, 4, hostile=True)


@pytest.fixture(scope="session")
def hostile_page(hostile_run: Path) -> Path:
    """Its report."""
    out = hostile_run.parent / "page.html"
    write_report(RunDirectory.open(hostile_run), out)
    return out
