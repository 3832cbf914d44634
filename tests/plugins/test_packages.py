"""The packages under `plugins/`: each installs into a fresh environment and passes its own tests there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.environments import Environment

PACKAGES = sorted(path.parent for path in (Path(__file__).parents[2] / "plugins").glob("*/pyproject.toml"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_installs_and_passes_its_tests(package: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv", package)
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(package), str(package / "tests")]
    tests = environment.run(*command, cwd=tmp_path)
    assert tests.returncode == 0, tests.stdout + tests.stderr
