"""`azr-engine bench`: figures beside a floor, as a table, as JSON and in a file; what cannot run says why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from azr_engine.benchmarks.figures import Figure, table, times, write
from tests.conftest import Command


def test_a_benchmark_prints_its_figures_beside_a_floor(azr: Command) -> None:
    result = azr(["bench", "startup", "--json"])
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)["results"]["startup"]
    named = {figure["name"]: figure for figure in figures}
    assert named["azr-engine --help"]["beside"] == "empty program"
    assert named["azr-engine --help"]["ratio"] < 1
    assert all(figure["value"] > 0 for figure in figures)


def test_an_unknown_benchmark_names_the_known_ones(azr: Command) -> None:
    result = azr(["bench", "speed"])
    assert result.returncode == 2
    assert "'speed'" in result.stderr and "generation" in result.stderr


def test_what_could_not_be_measured_stays_in_table_and_file(tmp_path: Path) -> None:
    results: dict[str, Sequence[Figure] | str] = {
        "math": [times("answers", 30.0, "1/s", "a floor", 10.0, 2.0)],
        "trl": "TRL is not installed",
    }
    assert "3.00  a floor (aim: at least 2)" in table(results)
    assert "not measured: TRL is not installed" in table(results)
    write(results, tmp_path / "new" / "latest.json")
    found = json.loads((tmp_path / "new" / "latest.json").read_text())["results"]
    assert Figure(**found["math"][0]) == results["math"][0]
    assert found["trl"] == {"not_measured": "TRL is not installed"}
