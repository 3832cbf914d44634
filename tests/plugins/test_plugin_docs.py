"""The pages on plugins: every command in them runs, in order, in a fresh environment; everything is listed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from azr_engine.plugins import hookspecs
from azr_engine.plugins.conformance import CHECKS
from tests.plugins.environments import Environment

DOCS = Path(__file__).parents[2] / "docs"


class Block(NamedTuple):
    """A fenced block: its language, the file that it is, and its text."""

    language: str
    title: str
    text: str


def blocks(page: str) -> list[Block]:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    return [Block(*parts) for parts in found]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `azr-engine` and `pip` of a fresh environment; `pytest` comes with a package's extra `test`."""
    environment = Environment(tmp_path_factory.mktemp("docs") / "venv")
    folder = environment.python.parent
    for name, code in {
        "azr-engine": '-c "from azr_engine.cli import main; main()" "$@"',
        "brought-pytest": '-m pytest "$@"',
        "pip": f'-m pip "$@" && case "$*" in *"[test]"*) cp "{folder}/brought-pytest" "{folder}/pytest";; esac',
    }.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\n"{environment.python}" {code}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.parametrize("page", ["tutorial-first-verifier.md", "plugins.md"])
def test_every_command_on_the_page_runs(page: str, tools: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        # Without the environment that the tests run in: what the page needs, the page must bring.
        "PATH": f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "OMP_NUM_THREADS": "1",
        # Packages come from the environment around this one; nothing is downloaded.
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    if not page.startswith("tutorial"):
        shutil.copy(tools / "brought-pytest", tools / "pytest")  # such pages speak to readers who have it
    printed = ""
    for block in blocks(page):
        if block.title:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", block.text],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
            printed += done.stdout
    if page.startswith("tutorial"):
        statuses = re.findall(r'"status": "(\w+)"', printed)
        assert statuses == ["pass", "fail", "pass"]
        assert "22 passed, 0 failed, 0 skipped" in printed
        assert (tmp_path / "runs" / "keys-grammar" / "report.html").is_file()


def test_every_hook_and_check_is_on_the_page() -> None:
    text = (DOCS / "plugins.md").read_text(encoding="utf-8")
    names = [check.__name__ for check in CHECKS] + [name for name in vars(hookspecs) if name.startswith("azr_")]
    assert [name for name in names if f"`{name}" not in text] == []
