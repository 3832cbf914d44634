"""Suites by name, from files and from generators; and the command that evaluates, compares and remembers."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Prompt, Task
from azr_engine.evaluation.cache import Cache, cache_key
from azr_engine.evaluation.heldout import load_dev
from azr_engine.evaluation.models import Protocol, evaluate_model
from azr_engine.evaluation.suites import ITEM_SEED, open_suite
from azr_engine.evaluation.tally import Tally
from tests.conftest import Command

DRAFT = {"domain": "python", "kind": "deduction", "draft": {"program": "def f(x): return x + 1", "input": "3"}}


def tasks_of(name: str, per_kind: int | None = None) -> list[Task]:
    async def load() -> list[Task]:
        async with open_suite(name, per_kind=per_kind) as suite:
            assert {suite.domains[task.domain].verifier for task in suite.tasks} <= set(suite.verifiers)
            return list(suite.tasks)

    return asyncio.run(load())


def test_a_file_holds_tasks_and_drafts(tmp_path: Path) -> None:
    known = load_dev()[0]
    file = tmp_path / "own.jsonl"
    file.write_text(f"{json.dumps(DRAFT)}\n\n{json.dumps(known.to_json())}\n")
    first, second = tasks_of(f"file:{file}")
    assert first.gold == "4" and second == known


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is neither"),
        ('{"domain": "python"}', "line 1 is neither a task nor a draft: it lacks 'kind'"),
        (json.dumps({**DRAFT, "domain": "nothing"}), "unknown domain 'nothing'"),
        (json.dumps({**DRAFT, "kind": "nothing"}), "malformed"),
        (json.dumps({**DRAFT, "draft": {"program": "def f(x): return open(x)", "input": "3"}}), "rejected: banned"),
        ("", "is empty"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(UserError, match=message):
        tasks_of(f"file:{file}")


@pytest.mark.parametrize("name", ["nonsense", "file:", "reasoning-gym:", "file:/nowhere/at/all.jsonl"])
def test_an_unknown_suite_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"unknown suite|cannot read the suite"):
        tasks_of(name)


def test_generators_give_the_same_items_each_time() -> None:
    pytest.importorskip("reasoning_gym", reason="the extra `reasoning-gym` is not installed")
    name = "reasoning-gym:basic_arithmetic,leg_counting"
    tasks = tasks_of(name, 3)
    assert [task.domain for task in tasks] == ["rg:basic_arithmetic"] * 3 + ["rg:leg_counting"] * 3
    assert tasks == tasks_of(name, 3)
    assert len({task.id for task in tasks}) == 6 and ITEM_SEED


def test_a_key_depends_on_weights_tasks_and_settings(tmp_path: Path) -> None:
    tasks = load_dev()[:2]
    key = cache_key("w", tasks, {"seed": 0})
    assert key == cache_key("w", tasks, {"seed": 0})
    assert len({key, cache_key("v", tasks, {"seed": 0}), cache_key("w", tasks[:1], {"seed": 0})}) == 3
    assert key != cache_key("w", tasks, {"seed": 1})
    cache = Cache(tmp_path / "new")
    assert cache.read(key) is None
    cache.write(key, {}, [Tally("t", "d", "k", 8, 3)])
    assert cache.read(key) == [Tally("t", "d", "k", 8, 3)]
    (tmp_path / "new" / f"{key}.json").write_text("{torn")
    assert cache.read(key) is None


def test_eval_compares_with_a_base_and_remembers_what_it_measured(
    azr: Command, untrained: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.jsonl"
    long = {"program": "def f(x): return x", "input": str(list(range(500)))}
    drafts = [DRAFT, {**DRAFT, "kind": "error"}, {**DRAFT, "draft": long}]
    file.write_text("".join(json.dumps(draft) + "\n" for draft in drafts))
    cache = tmp_path / "cache"
    call = ["eval", "azr-tiny", "--suite", f"file:{file}", "--base", str(untrained), "--k", "1,16", "--greedy"]
    call += ["--cache", str(cache), "--json"]
    first = azr(call)
    assert first.returncode == 0, first.stderr
    result = json.loads(first.stdout)
    assert result["overall"]["n"] == result["base"]["overall"]["n"] == result["comparison"]["overall"]["n"] == 3
    assert (result["overall"]["too_long"], result["overall"]["unjudged"]) == (1, 0), "beyond the context is a miss"
    assert set(result["comparison"]["by_kind"]) == {"python/deduction", "python/error"}
    assert set(result["comparison"]["overall"]["crossing"]) == {"k", "ci95", "share"}
    assert 1 <= result["overall"]["distinct"] <= 16 and result["overall"]["entropy"] > 0
    assert list(result["greedy"]["overall"]["pass_at_k"]) == ["1"]
    assert len(list(cache.iterdir())) == 4, "two models, each sampled and greedy"
    for entry in cache.iterdir():
        kept = json.loads(entry.read_text())
        kept["tallies"] = [{**one, "passed": one["judged"]} for one in kept["tallies"]]
        entry.write_text(json.dumps(kept))
    again = json.loads(azr(call).stdout)
    assert again["overall"]["accuracy"] == again["greedy"]["overall"]["accuracy"] == 1.0, "read from the cache"
    assert again["comparison"]["overall"]["crossing"]["k"] == 1.0


def test_tasks_shown_in_another_way_are_measured_anew(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, cache = tmp_path / "own.jsonl", Cache(tmp_path / "cache")
    file.write_text(json.dumps(DRAFT) + "\n")

    def n_kept() -> int:
        evaluate_model(str(untrained), Protocol(suite=f"file:{file}", ks=(1,)), cache=cache)
        return len(list((tmp_path / "cache").iterdir()))

    assert [n_kept(), n_kept()] == [1, 1]
    usual = PythonDomain.solve_prompt

    def turned(domain: PythonDomain, task: Task) -> Prompt:
        prompt = usual(domain, task)
        return dataclasses.replace(prompt, givens=prompt.givens[::-1])

    monkeypatch.setattr(PythonDomain, "solve_prompt", turned)
    assert n_kept() == 2
