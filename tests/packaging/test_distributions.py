"""What is built is complete and works from an empty folder, without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = "run --domains python --steps 1 --out first --threads 1 --json --set trainer.backend=torch"
SETTINGS += " --set play.proposals=4 --set play.attempts=2 --set play.replay=0 --set play.anchors=2 --set store.seeds=2"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed, its dependencies left to the environment of the tests."""
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-compile", "--target", str(target), str(wheel)], check=True)
    return target


def package_files() -> set[str]:
    files = (path for path in (ROOT / "azr_engine").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_whole_package(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == package_files()
    assert {"azr_engine/py.typed", "azr_engine/models/azr-tiny/model.safetensors"} <= names
    assert {"azr_engine/verifiers/lean/core/Init.lean", "azr_engine/evaluation/data/heldout.jsonl"} <= names
    assert wheel.stat().st_size < 10e6


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert package_files() <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "tests/conftest.py", "docs/index.md"} <= names
    assert not any("__pycache__" in name or name.startswith(("runs/", ".venv/")) for name in names)


def test_a_run_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    program = (
        "import azr_engine, sys; print(azr_engine.__file__, file=sys.stderr); from azr_engine.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *SETTINGS.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(str(installed))
    assert json.loads(result.stdout)["steps"] == 1
    assert (tmp_path / "first" / "metrics.jsonl").is_file()
