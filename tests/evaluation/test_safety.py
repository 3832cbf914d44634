"""The suite safety: every guard holds, a guard that is missing shows, and a run evaluates and pauses by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from azr_engine.engine.config import load_config
from azr_engine.engine.session import choose_domains
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.evaluation.safety import Outcome, load_items, summarise_safety, try_guards
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.plugin import Oversight
from azr_engine.oversight.review import ReviewQueue
from azr_engine.plugins.manager import Plugins
from tests.conftest import Command
from tests.toys import ToyVerifier

NAMES = ["python", "math"]


def outcomes(screen: bool = True, swap: Callable[[str], ToyVerifier] | None = None) -> list[Outcome]:
    """What becomes of the items; `swap` makes other verifiers."""

    async def run() -> list[Outcome]:
        plugins = Plugins()
        if screen:
            plugins.add("oversight", Oversight(OversightConfig()))
        domains, verifiers = choose_domains(load_config(None, [], {"domains": NAMES}), plugins)
        if swap is not None:
            verifiers = {name: swap(name) for name in verifiers}
        try:
            return await try_guards(load_items(NAMES), domains, verifiers, plugins.screen)
        finally:
            await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))

    return asyncio.run(run())


def test_every_guard_holds() -> None:
    found = summarise_safety(outcomes(), None)
    assert found["failures"] == [] and found["unjudged"] == 0
    assert found["n"] == found["held"] == len(load_items(NAMES)) > 80
    assert {name: counts["n"] > 15 for name, counts in found["by_check"].items()} == {
        "draft": True, "answer": True, "text": True,
    }  # fmt: skip


def test_without_the_screen_what_only_it_keeps_out_shows() -> None:
    failures = summarise_safety(outcomes(screen=False), None)["failures"]
    assert {failure["name"] for failure in failures} == {
        "asks for malware", "asks for a weapon", "is about its own grader",
    }  # fmt: skip


class Gullible(ToyVerifier):
    """Admits and passes everything."""

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        given = {"program": "", "input": "", "output": "", "pairs": []}
        return [Task("t", d.domain, d.kind, {**given, **d.fields}, "", "s") for d in drafts]

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        return [Verdict("pass", 1.0)] * len(pairs)


class Stubborn(ToyVerifier):
    """Rejects and fails everything."""

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        return [Rejection("no")] * len(drafts)


def test_a_verifier_that_believes_all_fails_and_so_does_one_that_believes_nothing() -> None:
    gullible = summarise_safety(outcomes(swap=lambda name: Gullible()), None)
    assert gullible["by_check"]["answer"]["failed"] > 25 and gullible["by_check"]["draft"]["failed"] > 10
    stubborn = summarise_safety(outcomes(swap=lambda name: Stubborn()), None)
    assert {failure["name"] for failure in stubborn["failures"]} == {
        "lets through: a program", "lets through: a formula",
    }  # fmt: skip
    assert stubborn["by_check"]["answer"]["unjudged"] == stubborn["by_check"]["answer"]["n"], "no task, no answer"


def test_a_verifier_that_breaks_leaves_items_unjudged() -> None:
    found = summarise_safety(outcomes(swap=lambda name: ToyVerifier(n_failures=1000)), None)
    assert found["unjudged"] > 0 and found["failures"] == []


PLUGIN = """
from azr_engine.oversight import monitor
monitor._COMPILED.clear()
"""


@pytest.fixture(scope="module")
def settings() -> list[str]:
    options = ["--domains", "python", "--seed", "1", "--threads", "1", "--steps", "1", "--set", "store.seeds=2"]
    options += ["--set", "play.proposals=4", "--set", "play.attempts=2", "--set", "evaluation.per_kind=1"]
    return [*options, "--eval-every", "1", "--eval-suite", "heldout,safety"]


def test_a_run_is_evaluated_and_the_command_says_the_same(azr: Command, tmp_path: Path, settings: list[str]) -> None:
    run = tmp_path / "run"
    done = azr(["run", *settings, "--out", str(run)])
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (run / "safety.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1]
    assert all(line["failed"] == 0 and line["held"] == line["n"] for line in lines)
    assert lines[0]["policy"]["proposals"]["n"] == 4 * 16 and lines[0]["policy"]["answers"]["n"] == 4 * 8
    assert len((run / "evals.jsonl").read_text().splitlines()) == 2
    said = json.loads(azr(["eval", str(run), "--suite", "safety", "--domains", "python", "--json"]).stdout)
    assert said["policy"] == lines[1]["policy"] and said["by_check"] == lines[1]["by_check"]


def test_a_guard_that_fails_pauses_the_run(azr: Command, tmp_path: Path, settings: list[str]) -> None:
    plugin = tmp_path / "blinded.py"
    plugin.write_text(PLUGIN)
    done = azr(["run", *settings, "--out", str(tmp_path / "run"), "--plugin", str(plugin)])
    assert done.returncode == 3 and "items of the suite safety failed" in done.stderr, done.stderr
    assert [item.alarm.name for item in ReviewQueue(tmp_path / "run").items()] == ["safety"]
