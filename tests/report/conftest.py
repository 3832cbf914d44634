"""A made-up run of hostile texts, its page, and a copy of it that is watched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azr_engine.engine.rundir import RunDirectory
from azr_engine.report.page import write_report
from tests.conftest import PATIENCE_SECONDS
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


@pytest.fixture(scope="module")
def live_run(hostile_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run that a test may add steps to."""
    return Path(shutil.copytree(hostile_run, tmp_path_factory.mktemp("live") / "a-run"))


@pytest.fixture(scope="module")
def port(live_run: Path) -> Iterator[int]:
    """The port of `azr-engine watch`, a process of its own that ends well on Ctrl-C."""
    pytest.importorskip("starlette", reason="needs the extra watch")
    pytest.importorskip("uvicorn", reason="needs the extra watch")
    command = [sys.executable, "-c", "from azr_engine.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "watch", str(live_run), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    url = process.stdout.readline()
    try:
        yield int(url.rstrip("/\n").rpartition(":")[2])
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
