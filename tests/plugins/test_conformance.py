"""The conformance kit: it finds nothing wrong with an honest plugin, and every planted defect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azr_engine.curriculum import CURRICULA
from azr_engine.engine.errors import UserError
from azr_engine.plugins.conformance import CHECKS, Kit, check_plugin
from azr_engine.plugins.conformance.checking import open_kit, run_check
from azr_engine.plugins.conformance.finding import subjects
from tests.plugins.defects import DEFECTS, Defect

HEAD = """
import asyncio, dataclasses, random, subprocess, sys, time
from azr_engine.engine.types import Answer, Draft, Rejection, Section, Verdict, task_id
from azr_engine.plugins import hookimpl
from tests.plugins.honest import HonestDomain, HonestVerifier

class D(HonestDomain):
{domain}

class V(HonestVerifier):
{verifier}

@hookimpl
def azr_domains(config):
    return [D()]

@hookimpl
def azr_verifiers(config):
    return [V()]
"""


def plugin(folder: Path, domain: str = "pass", verifier: str = "pass") -> str:
    file = folder / "planted.py"
    file.write_text(
        HEAD.format(
            domain=textwrap.indent(domain.strip(), "    "),
            verifier=textwrap.indent(verifier.strip(), "    "),
        )
    )
    return str(file)


@pytest.fixture
def opened() -> Iterator[list[Kit]]:
    kits: list[Kit] = []
    yield kits
    for kit in kits:
        left: Any = getattr(kit.verifier, "left", None)
        if isinstance(left, subprocess.Popen):
            left.kill()
            left.communicate()
        kit.close()


def test_nothing_is_wrong_with_an_honest_plugin(tmp_path: Path) -> None:
    report = check_plugin(plugin(tmp_path))
    (domain,) = report.domains
    assert [(check.name, check.detail) for check in domain.checks if check.status != "pass"] == []
    assert [check.name for check in domain.checks] == [check.__name__ for check in CHECKS]
    assert report.passed
    assert not report.hung


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, tmp_path: Path, opened: list[Kit]) -> None:
    defect: Defect = DEFECTS[name]
    (source,) = subjects(plugin(tmp_path, defect.domain, defect.verifier))[2]
    kit = open_kit(source, seconds=2.0)
    opened.append(kit)
    (check,) = [check for check in CHECKS if check.__name__ == defect.check]
    if defect.check == "close":
        assert kit.right  # something must have been judged
    result = run_check(check, kit)
    assert result.status == "fail"
    assert defect.says in result.detail


def test_after_a_hang_the_other_checks_are_skipped(tmp_path: Path) -> None:
    defect = DEFECTS["a long answer hangs it"]
    report = check_plugin(plugin(tmp_path, defect.domain, defect.verifier), seconds=2.0)
    assert report.hung
    statuses = {check.name: check.status for check in report.domains[0].checks}
    assert statuses["hostile_answers"] == "fail"
    assert {statuses[name] for name in ("odd_answers", "restart", "close")} == {"skip"}


def test_a_sampled_verifier_may_change_its_mind(tmp_path: Path) -> None:
    verifier = """
nature = "sampled"
def judge_one(self, task, answer):
    verdict = super().judge_one(task, answer)
    flip = random.random() < 0.1
    return Verdict("fail", 0.0) if flip and verdict.status == "pass" else verdict
"""
    statuses = {c.name: c.status for c in check_plugin(plugin(tmp_path, verifier=verifier)).domains[0].checks}
    assert statuses["repetition"] == statuses["restart"] == "skip"
    assert statuses["full_fail"] == statuses["exploits"] == statuses["batch_of_one"] == "pass"


def test_known_answers_of_the_domain_come_first(tmp_path: Path, opened: list[Kit]) -> None:
    domain = """
def known_answers(self, task):
    number = int(task.given["number"])
    return [(str(3 * number + 1), True), (str(3 * number), False)]
"""
    (source,) = subjects(plugin(tmp_path, domain))[2]
    kit = open_kit(source, seconds=5.0)
    opened.append(kit)
    assert [int(text) for _, text in kit.right] == [int(text) + 1 for _, text in kit.wrong]


def curriculum(method: str) -> str:
    """The body of a plugin with the default curriculum but for one method."""
    return (
        "def azr_curricula(): return {'mine': Mine}\n"
        "from itertools import count\n"
        "from azr_engine.curriculum import BalancedCurriculum\n"
        "TURN = count()\n"
        f"class Mine(BalancedCurriculum):\n    def {method}\n"
    )


@pytest.mark.parametrize(
    ("body", "hook", "says"),
    [
        ("def azr_screen_draft(draft): return 'no'", "azr_screen_draft", "answers a str"),
        ("def azr_gate_group(episode): return True", "azr_gate_group", "answers a bool"),
        ("def azr_bonus(attempt): return 2", "azr_bonus", "answers 2"),
        ("def azr_bonus(attempt, seen=[]): seen.append(1); return 1 / len(seen)", "azr_bonus", "otherwise"),
        ("def azr_observe(event): event.data['seconds'] = 0", "azr_observe", "changes the event"),
        ("def azr_on_alarm(alarm): return 'stop'", "azr_on_alarm", "'stop'"),
        ("def azr_curricula(): return {'mine': object}", "azr_curricula", "state_dict"),
        (curriculum("plan(self, cells, budget, rng): return dict.fromkeys(cells, 1)"), "azr_curricula", "4 of 64"),
        (curriculum("plan(self, cells, budget, rng): return {cells[0]: budget / 1}"), "azr_curricula", "whole"),
        (curriculum("plan_replay(self, cells, budget, rng): return {}"), "azr_curricula", "plan_replay"),
        (
            curriculum("plan(self, cells, budget, rng): return {cells[next(TURN) % 4]: budget}"),
            "azr_curricula",
            "same",
        ),
        (curriculum("state_dict(self): return {'cells': []}"), "azr_curricula", "splits otherwise"),
    ],
)
def test_hooks_that_answer_wrongly_are_found(body: str, hook: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(f"from azr_engine.plugins import hookimpl\n@hookimpl\n{body}\n")
    report = check_plugin(str(file))
    (check,) = report.hooks
    assert (check.name, check.status) == (hook, "fail")
    assert says in check.detail
    assert not report.passed


def test_every_curriculum_of_the_engine_is_one_that_a_plugin_may_bring(tmp_path: Path) -> None:
    file = tmp_path / "curricula.py"
    file.write_text(
        "from azr_engine.plugins import hookimpl\nfrom azr_engine.curriculum import CURRICULA\n"
        "@hookimpl\ndef azr_curricula(): return CURRICULA\n"
    )
    (check,) = check_plugin(str(file)).hooks
    assert (check.status, check.detail) == ("pass", ", ".join(CURRICULA))


def test_a_plugin_without_anything_to_check_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "empty.py"
    file.write_text("")
    with pytest.raises(UserError, match="brings no domain"):
        check_plugin(str(file))
    with pytest.raises(UserError, match="neither a file nor an importable module"):
        check_plugin("no-such-plugin")


def test_the_pytest_plugin_runs_every_check_as_an_item(tmp_path: Path) -> None:
    verifier = DEFECTS["an odd answer is a fault"].verifier
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", "--noconftest", "-c", os.devnull]
    command += [str(tmp_path), "--azr-plugin", plugin(tmp_path, verifier=verifier)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{len(CHECKS) - 1} passed" in done.stdout
    assert "honest::hostile_answers FAILED" in done.stdout
    assert "masked instead of scored" in done.stdout
    wrong = subprocess.run([*command[:-1], "nobody"], capture_output=True, text=True, timeout=120)
    assert wrong.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--azr-plugin nobody" in wrong.stdout + wrong.stderr


def test_the_command_prints_a_report_and_says_by_its_exit_code_whether_it_passed(azr: Any, tmp_path: Path) -> None:
    done = azr(["plugins", "check", plugin(tmp_path), "--json"])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"]
    assert {check["name"] for check in report["domains"][0]["checks"]} == {check.__name__ for check in CHECKS}
    verifier = DEFECTS["a long answer hangs it"].verifier
    done = azr(["plugins", "check", plugin(tmp_path, verifier=verifier), "--seconds", "1"])
    assert done.returncode == 1
    assert "fail hostile_answers" in done.stdout
    assert "asks: Whatever a solver writes" in done.stdout
    assert azr(["plugins", "check", "nobody"]).returncode == 2
