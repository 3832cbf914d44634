"""`--help` is quick because nothing heavy is imported, and every command explains itself with an example."""

from __future__ import annotations

import subprocess
import sys

import pytest

from azr_engine.cli.app import BUILT_IN
from tests.conftest import Command

HEAVY = ("torch", "sympy", "transformers", "numpy", "pydantic")


@pytest.mark.parametrize("statement", ["import azr_engine", "import sys; sys.argv = ['azr-engine', '--help']; main()"])
def test_neither_import_nor_help_loads_anything_heavy(statement: str) -> None:
    program = (
        "import sys\nfrom azr_engine.cli import main\n"
        f"try:\n    {statement}\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("command", [*BUILT_IN, "plugins list"])
def test_every_command_has_help_with_an_example(azr: Command, command: str) -> None:
    result = azr([*command.split(), "--help"])
    assert result.returncode == 0
    if command != "plugins":
        assert "azr-engine" in result.stdout.split("Options")[0].replace("Usage: azr-engine", "")


def test_dry_run_prints_settings_that_can_be_read_back(azr: Command) -> None:
    import tomllib

    from azr_engine.engine.config import RunConfig

    result = azr(["run", "--dry-run", "--domains", "math", "--seed", "7", "--set", "trainer.learning_rate=0.001"])
    config = RunConfig.model_validate(tomllib.loads(result.stdout))
    assert config.domains == ("math",)
    assert config.seed == 7
    assert config.trainer.learning_rate == 0.001


def test_plugins_list_shows_the_built_in_domains_with_their_hooks(azr: Command) -> None:
    import json

    result = json.loads(azr(["plugins", "list", "--json"]).stdout)
    by_name = {plugin["name"]: plugin for plugin in result["plugins"]}
    assert by_name["python"]["hooks"] == ["azr_domains", "azr_verifiers"]
    natures = {domain["name"]: domain["nature"] for domain in result["domains"]}
    assert natures.pop("lean") in ("deterministic", "missing")
    assert natures == {"python": "deterministic", "math": "deterministic"}
