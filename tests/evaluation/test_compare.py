"""Comparing learning curves: what is evidence and what is not, at which budget, on which tasks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from azr_engine.engine.errors import UserError
from azr_engine.evaluation.compare import Arm, compare, read_arm, verdict
from tests.conftest import Command

KINDS = ("python/deduction", "math/error")
N_TASKS, N_TRIES = 100, 8


def line(step: int, rate: float, *, seed: int = 0, tokens: int | None = None, n_tasks: int = N_TASKS) -> dict[str, Any]:
    """An evaluation whose tries pass with the probability `rate`."""
    rng = np.random.default_rng(seed)
    passes = {kind: [[int(c), N_TRIES] for c in rng.binomial(N_TRIES, rate, size=n_tasks)] for kind in KINDS}
    tokens = 1000 * step if tokens is None else tokens
    return {"step": step, "seconds": 2.0 * step, "tokens": tokens, "suite": "dev", "attempts": 8, "passes": passes}


def arm(name: str, *rates: float, seeds: int = 1) -> Arm:
    """Runs whose rate moves through `rates`, one evaluation every ten steps, on tries of their own."""
    curves = [
        tuple(line(10 * i, rate, seed=100 * seed + i + len(name)) for i, rate in enumerate(rates))
        for seed in range(seeds)
    ]
    return Arm(name, tuple(curves))


def test_runs_that_end_within_a_step_of_each_other_are_compared_at_their_ends() -> None:
    first, second = ([line(0, 0.3), line(50, 0.3), line(100, rate, seed=1)] for rate in (0.5, 0.6))
    second[-1]["seconds"] += 1.5
    result = compare([Arm("first", (tuple(first),)), Arm("second", (tuple(second),))], [1], "seconds")
    assert {name: round(found["step"]) for name, found in result["arms"].items()} == {"first": 100, "second": 99}


def test_at_equal_time_a_run_is_read_between_its_evaluations() -> None:
    short = Arm("short", ((line(0, 0.3), line(50, 0.3)),))
    steady = Arm("steady", ((line(0, 0.3), line(40, 0.3, seed=1), line(80, 0.7, seed=2)),))
    found = compare([short, steady], [1], "seconds")["arms"]
    assert {name: (one["step"], one["seconds"], one["tokens"]) for name, one in found.items()} == {
        "short": (50.0, 100.0, 50_000.0),
        "steady": (50.0, 100.0, 50_000.0),
    }
    before, after = (compare([Arm("x", (steady.curves[0][:n],))], [1])["arms"]["x"]["pass_at_k"]["1"] for n in (2, 3))
    value = found["steady"]["pass_at_k"]["1"]["value"]
    assert value == pytest.approx(0.75 * before["value"] + 0.25 * after["value"])
    ends = compare([steady, short], [1])["arms"]
    assert (ends["steady"]["step"], ends["short"]["step"]) == (80.0, 50.0)


def test_a_real_gain_is_better_and_the_same_again_is_no_evidence() -> None:
    result = compare([arm("base", 0.3, 0.3), arm("same", 0.3, 0.3), arm("good", 0.3, 0.5)], [1])
    words = {found["arm"]: found["verdict"] for found in result["differences"]}
    assert words == {"same": "no evidence", "good": "better"}
    gains = {name: one["pass_at_k"]["1"]["gain"]["verdict"] for name, one in result["arms"].items()}
    assert gains == {"base": "no evidence", "same": "no evidence", "good": "better"}
    low, high = next(found["ci95"] for found in result["differences"] if found["arm"] == "good")
    assert low < 0.2 < high


def test_a_loss_is_worse() -> None:
    (found,) = compare([arm("base", 0.5, 0.5), arm("bad", 0.5, 0.2)], [8])["differences"]
    assert found["verdict"] == "worse" and found["k"] == 8


def test_seeds_that_disagree_widen_the_interval() -> None:
    steady = arm("steady", 0.3, 0.45, seeds=3)
    torn = Arm("torn", tuple((line(0, 0.3), line(10, rate, seed=n)) for n, rate in enumerate((0.15, 0.45, 0.75))))
    widths = {}
    for one in (steady, torn):
        low, high = compare([one], [1])["arms"][one.name]["pass_at_k"]["1"]["ci95"]
        widths[one.name] = high - low
    assert widths["torn"] > 3 * widths["steady"]


def test_at_equal_tokens_a_run_is_taken_where_the_shortest_one_ended() -> None:
    slow = Arm("slow", ((line(0, 0.3), line(10, 0.3)),))
    fast = Arm("fast", ((line(0, 0.3), line(10, 0.3), line(20, 0.9, tokens=50_000)),))
    assert compare([slow, fast], [1])["differences"][0]["verdict"] == "better"
    equal = compare([slow, fast], [1], at="tokens")
    assert equal["differences"][0]["verdict"] == "no evidence"
    assert equal["arms"]["fast"]["step"] == 10


def test_every_kind_weighs_the_same_and_faults_leave_the_mean() -> None:
    one = line(0, 0.5)
    one["passes"] = {"a/k": [[8, 8]] * 10, "b/k": [[0, 8], [0, 0]]}
    found = compare([Arm("x", ((one,),))], [1, 8])["arms"]["x"]
    assert found["pass_at_k"]["1"]["value"] == 0.5
    assert found["by_kind"]["b/k"]["8"]["value"] == 0.0


def test_a_task_that_was_not_judged_leaves_the_other_evaluations_alone() -> None:
    lines = [line(0, 0.3), line(10, 0.5, seed=1), line(20, 0.6, seed=2)]
    whole = compare([Arm("x", (tuple(lines),))], [1])["arms"]["x"]["curve"]
    lines[2]["passes"]["math/error"][:50] = [[0, 0]] * 50
    holed = compare([Arm("x", (tuple(lines),))], [1])["arms"]["x"]["curve"]
    assert holed[:2] == whole[:2] and holed[2] != whole[2]
    assert all(0.0 < point["pass_at_k"]["1"]["value"] < 1.0 for point in holed)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="different tasks"):
        compare([Arm("a", ((line(0, 0.5),),)), Arm("b", ((line(0, 0.5, n_tasks=7),),))])
    with pytest.raises(UserError, match="lower --k"):
        compare([arm("a", 0.5)], [64])
    with pytest.raises(UserError, match="--eval-every"):
        read_arm("a", [tmp_path])


@pytest.mark.parametrize(
    ("low", "high", "word"), [(0.01, 0.2, "better"), (-0.2, -0.01, "worse"), (0.0, 0.2, "no evidence")]
)
def test_an_interval_that_touches_zero_is_no_evidence(low: float, high: float, word: str) -> None:
    assert verdict(low, high) == word


def test_the_command_prints_draws_and_says_so_when_there_is_no_evidence(
    azr: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    monkeypatch.delenv("COLUMNS", raising=False)  # parallel test runners set it
    for name, rate in (("one", 0.3), ("two", 0.3), ("three", 0.6)):
        (tmp_path / name).mkdir()
        lines = [line(0, 0.3), line(10, rate, seed=len(name))]
        (tmp_path / name / "evals.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    runs = [str(tmp_path / name) for name in ("one", "two", "three")]
    printed = azr(["compare", *runs, "--plot", str(tmp_path / "curves.svg")])
    assert printed.returncode == 0, printed.stderr
    assert "no evidence that two differs from one in pass@1" in printed.stdout
    assert "…" not in printed.stdout, "a figure was cut to fit"
    assert re.search(r"│ three .*│ \+\d+\.\d \[\+\d+\.\d, \+\d+\.\d\] +│ better", printed.stdout)
    assert "three is better than one in pass@1" in printed.stdout
    assert (tmp_path / "curves.svg").read_text().lstrip().startswith("<?xml")
    found = json.loads(azr(["compare", f"both={runs[0]},{runs[1]}", f"c={runs[2]}", "--json"]).stdout)
    assert found["arms"]["both"]["runs"] == 2
    assert azr(["compare", runs[0], runs[0]]).returncode == 2
    assert azr(["compare", str(tmp_path)]).returncode == 2
