"""The standard experiment's summary: every arm, at equal time and at equal tokens, from result files alone."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.evaluation.test_compare import line

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "learning.py"


@pytest.fixture(scope="module")
def learning() -> ModuleType:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    spec = importlib.util.spec_from_file_location("benchmark_learning", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        spec.loader.exec_module(module)
    return module


def result(arm: str, seed: int, rate: float) -> dict[str, Any]:
    own = {"proposed": 320, "admitted": 200, "unique_skeletons": 150, "effective": 800, "share": 1.0}
    hist = {"never": 50, "hard": 50, "middle": 50, "easy": 25, "always": 25}
    window = {
        "step": 10,
        "domains": {"python": {**own, "solve_rates": hist}},
        "entropy": 1.0,
        "kl_base": 0.0,
        "alarms": [],
    }
    evals = [line(0, 0.3), line(10, rate, seed=seed)]
    return {"arm": arm, "seed": seed, "settings": {}, "windows": [window, {**window, "step": 20}], "evals": evals}


def test_the_summary_tells_a_better_arm_from_one_that_is_not(learning: ModuleType, tmp_path: Path) -> None:
    for arm, rate in (("full", 0.6), ("uniform", 0.6), ("random-reward", 0.3)):
        for seed in (1, 2):
            (tmp_path / f"{arm}-{seed}.json").write_text(json.dumps(result(arm, seed, rate)))
    learning.summarise(tmp_path)
    text = (tmp_path / "summary.md").read_text()
    rows = {cells[1]: cells for row in text.splitlines() if len(cells := [c.strip() for c in row.split("|")]) == 11}
    assert rows["full"][6].endswith("better") and rows["full"][2] == "2"
    assert rows["uniform"][9].endswith("no evidence")
    assert rows["random-reward"][9].endswith("better"), "full minus it"
    assert "At equal tokens" in text and "python/deduction" in text
    assert "| full | python | 20.0 | 75% | 75% | 100% | 25% 25% 25% 12% 12% |" in text
    for name in ("curves", "kinds", "play"):
        drawn = (tmp_path / f"{name}.svg").read_text()
        assert "<svg" in drawn and "full" in drawn and "random-reward" in drawn, name


def test_the_summary_says_what_the_results_do_not_have_in_common(learning: ModuleType) -> None:
    one = {**result("full", 1, 0.5), "settings": {"minutes": 30, "every": 9}, "code": "abc", "machine": "slow"}
    assert learning._mixed([one, one]) == []
    other = {**one, "settings": {"minutes": 20, "every": 9, "processes": 2}}
    assert "differ in minutes, processes.**" in "".join(learning._mixed([one, other]))
    assert "2 versions of the code: abc; unknown.**" in "".join(learning._mixed([one, {**one, "code": "unknown"}]))
    assert "2 machines: fast; slow. At equal seconds" in "".join(learning._mixed([one, {**one, "machine": "fast"}]))


def test_a_result_with_the_same_settings_is_not_played_again(
    learning: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full-1.json").write_text(json.dumps(result("full", 1, 0.5)))
    learning.play("full", (), 1, {}, tmp_path, tmp_path / "nothing")
    assert "is there already" in capsys.readouterr().out
    assert not (tmp_path / "nothing").exists()


def test_the_summary_of_a_noisy_judge_sets_its_verdicts_beside_the_truth(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    for arm, truth, seen in (("oracle", 0.6, 0.6), ("naive", 0.2, 0.9)):
        one = result(arm, 1, truth)
        for window in one["windows"]:
            window["domains"]["python"]["solve_rate"] = seen
        one["windows"][-1]["alarms"] = ["fooled_judge"] if arm == "naive" else ["starvation"]
        (tmp_path / f"{arm}-1.json").write_text(json.dumps({**one, "paused": False}))
    script = SCRIPT.with_name("noisy_verifier.py")
    command = [sys.executable, str(script), "--summary-only", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [[c.strip() for c in row.split("|")[1:-1]] for row in (tmp_path / "summary.md").read_text().splitlines()]
    found = {cells[0]: cells for cells in rows if len(cells) == 9}
    assert found["oracle"][4] == "0.60" and found["oracle"][8] == "-"
    assert found["naive"][4] == "0.90" and found["naive"][8] == "step 20"
    assert float(found["naive"][7]) < float(found["naive"][5]) < float(found["oracle"][7])
    assert (tmp_path / "curves.svg").exists()
