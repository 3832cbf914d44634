"""`plugins new`: each nature's package installs into a fresh environment and passes its own tests there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.plugins.scaffold import NATURES, write_package
from tests.plugins.environments import Environment


@pytest.mark.parametrize("nature", NATURES)
def test_a_new_package_installs_and_passes_its_own_tests(nature: str, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    write_package("my_own", folder, nature)
    environment = Environment(tmp_path / "venv", folder)
    tests = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    listed = environment.azr_engine("plugins", "list", "--json", cwd=tmp_path)
    (row,) = [row for row in json.loads(listed.stdout)["plugins"] if row["name"] == "my_own"]
    assert (row["version"], row["nature"], row["health"]) == ("0.1.0", [nature], "ok")


@pytest.mark.parametrize(
    ("name", "nature", "says"),
    [
        ("My-Own", "deterministic", "cannot name a domain"),
        ("class", "deterministic", "cannot name a domain"),
        ("python", "deterministic", "installed already"),
        ("mine", "oracular", "unknown nature 'oracular'"),
    ],
)
def test_bad_names_and_natures_are_refused(name: str, nature: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        write_package(name, tmp_path / "package", nature)
    assert not (tmp_path / "package").exists()


def test_nothing_is_written_over(azr: Any, tmp_path: Path) -> None:
    assert azr(["plugins", "new", "mine", "--out", str(tmp_path / "new"), "--json"]).returncode == 0
    done = azr(["plugins", "new", "mine", "--out", str(tmp_path / "new")])
    assert done.returncode == 2
    assert "exists already" in done.stderr


def test_a_plugin_in_poor_health_says_what_is_wrong(azr: Any, tmp_path: Path) -> None:
    file = tmp_path / "sick.py"
    file.write_text(
        "from azr_engine.plugins import hookimpl\n"
        "from tests.plugins.honest import HonestDomain\n"
        "@hookimpl\ndef azr_domains(config):\n    return [HonestDomain()]\n"
    )
    done = azr(["plugins", "list", "--plugin", str(file), "--json"])
    rows = {row["name"]: row["health"] for row in json.loads(done.stdout)["plugins"]}
    assert rows[str(file)] == "honest: no verifier 'honest'"
    assert rows["python"] == "ok"
