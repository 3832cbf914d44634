"""The packages under `plugins/`: they install together into one fresh environment and pass their own tests there."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.plugins.environments import Environment

PACKAGES = sorted(path.parent for path in (Path(__file__).parents[2] / "plugins").glob("*/pyproject.toml"))
OURS = {package.name for package in PACKAGES} | {"azr-engine"}


def project(package: Path) -> dict[str, Any]:
    """What its pyproject.toml says of a package."""
    data: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return data


def missing(package: Path) -> list[str]:
    """What a package needs and this environment lacks, other packages of ours aside."""
    needed = [Requirement(text) for text in project(package)["dependencies"]]
    return [str(one) for one in needed if one.name not in OURS and not _is_here(one)]


def _is_here(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name))
    except PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One for all packages whose needs are met, so that they also show to get along with each other."""
    usable = [package for package in PACKAGES if not missing(package)]
    return Environment(tmp_path_factory.mktemp("packages") / "venv", *usable)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_installs_and_passes_its_tests(package: Path, environment: Environment, tmp_path: Path) -> None:
    if lacks := missing(package):
        pytest.skip(f"{package.name} needs {', '.join(lacks)}, which is not installed")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(package), str(package / "tests")]
    tests = environment.run(*command, cwd=tmp_path)
    assert tests.returncode == 0, tests.stdout + tests.stderr


def test_the_packages_are_listed_and_healthy_together(environment: Environment, tmp_path: Path) -> None:
    listed = environment.azr_engine("plugins", "list", "--json", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    health = {row["name"]: row["health"] for row in json.loads(listed.stdout)["plugins"]}
    for package in PACKAGES:
        names = project(package).get("entry-points", {}).get("azr_engine", {})
        assert missing(package) or [health.get(name) for name in names] == ["ok"] * len(names), package.name
