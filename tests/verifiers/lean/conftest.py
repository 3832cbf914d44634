"""One pool of Lean servers for all tests of the folder, or the reason why there is none."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Limits
from azr_engine.verifiers.lean.installation import Installation, embedded, wheel_problem

LIMITS = Limits(cpu_seconds=20.0)
LEAN = """#!/bin/sh
case "$1" in
  --print-prefix) echo {home} ;;
  --version) echo "Lean (version 4.35.0, x86_64-unknown-linux-gnu, commit 0, Release)" ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The embedded Lean."""
    if problem := wheel_problem():
        pytest.skip(problem)
    return embedded()


@pytest.fixture(scope="session")
def pool(installation: Installation) -> Iterator[LeanPool]:
    """Checks as a run makes them."""
    pool = LeanPool("embedded", lambda: installation, limits=LIMITS)
    yield pool
    asyncio.run(pool.close())


@pytest.fixture(scope="session")
def unlinted(installation: Installation) -> Iterator[LeanPool]:
    """Checks without the first look: what the module check and the second kernel run stop by themselves."""
    pool = LeanPool("embedded", lambda: installation, limits=LIMITS, lint=False)
    yield pool
    asyncio.run(pool.close())


@pytest.fixture(scope="session")
def home(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like a toolchain: its `lean` answers the few questions that are asked of it."""
    home = tmp_path_factory.mktemp("toolchain")
    own = home / "lib" / "lean"
    shutil.copytree(installation.search_path[0], own)
    (own / "libleanshared.so").symlink_to(installation.library)
    (home / "bin").mkdir()
    lean = home / "bin" / "lean"
    lean.write_text(LEAN.format(home=home))
    lean.chmod(0o755)
    return home
