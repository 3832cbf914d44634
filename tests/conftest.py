"""Shared fixtures: an untrained model folder, and the command line as a user would call it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no deadline: nothing here is a matter of speed.
settings.register_profile("reproducible", deadline=None, derandomize=True)
settings.load_profile("reproducible")

Command = Callable[..., "subprocess.CompletedProcess[str]"]

PATIENCE_SECONDS = 1200.0
"""How long a process may take that is only to end some time: beside busy ones it may get a hundredth of a core."""


@pytest.fixture(scope="session")
def azr() -> Command:
    """Run `azr-engine` with arguments in a process of its own; standard input from `stdin`."""

    def call(
        arguments: Sequence[str], stdin: str = "", timeout: float = PATIENCE_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from azr_engine.cli import main; main()", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return call


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a very small random model in the embedded model's format."""
    from azr_engine.bootstrap.pretrain import Recipe, build_model, save_model
    from azr_engine.bootstrap.tokenizer import build_tokenizer

    folder = tmp_path_factory.mktemp("models") / "untrained"
    recipe = Recipe(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=64)
    save_model(build_model(recipe, len(build_tokenizer())), folder, [recipe], {})
    return folder
