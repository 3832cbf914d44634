"""Hostile programs and answers, on every tier that works here; each ends in its ideal verdict and leaves nothing.

`hostile.json` holds the cases. `admit` and `judge` go through the verifier; `raw` skips the policy, so that only the
isolation stands between the program and the machine. `expect` lists the words that are right.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.types import Answer, Draft, Rejection, Task
from azr_engine.verifiers.python.containers import LABEL
from azr_engine.verifiers.python.executor import Executor, Limits, Outcome, Request, choose_executor, probe_tier
from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.policy import Program
from azr_engine.verifiers.python.verifier import PythonVerifier
from azr_engine.verifiers.sandbox.cgroup import find_home, remove_abandoned
from azr_engine.verifiers.sandbox.namespaces import NOBODY
from tests.conftest import PATIENCE_SECONDS

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("hostile.json").read_text())
LIMITS = Limits(cpu_seconds=0.5, probe_cpu_seconds=0.05, wall_seconds=8.0, memory_mb=128)
pytestmark = pytest.mark.slow
TIERS = [
    pytest.param(name, marks=[pytest.mark.docker] if name in ("docker", "gvisor") else [])
    for name in ("namespaces", "process", "docker", "gvisor")
]


def chosen(how: str) -> list[dict[str, Any]]:
    cases = [case for case in CASES if case["how"] == how]
    if platform.machine() != "x86_64":
        cases = [case for case in cases if not case["name"].startswith("system call")]
    return cases


def draft(case: dict[str, Any]) -> Draft:
    fields = {"program": case["program"], "input": case["input"]}
    if case["kind"] == "induction":
        fields = {"program": case["program"], "inputs": case["inputs"], "message": "double it"}
    return Draft("python", case["kind"], fields)


def descendants() -> set[int]:
    """Every process below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {os.getpid()}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found - {os.getpid()}


def memory_in_use() -> int:
    """Bytes of shared memory and tmpfs on the machine: what a leaked memfd or mount would add to."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Shmem:"))


def files_of_nobody() -> set[Path]:
    """What programs could have written where everybody may write; the workers of a test run by root are nobody."""
    folders = [Path(name) for name in ("/tmp", "/var/tmp", "/dev/shm") if Path(name).is_dir()]
    found = set()
    for entry in (entry for folder in folders for entry in folder.iterdir()):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == NOBODY:
                found.add(entry)
    return found


def groups() -> set[Path]:
    """Control groups of this process's workers."""
    try:
        home = find_home(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
    except OSError:
        return set()
    remove_abandoned(home.folder)
    return set(home.folder.glob(f"azr-{os.getpid()}-*"))


def groups_that_stay(before: set[Path]) -> set[Path]:
    """New ones, however long their last processes are given to end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := groups() - before) and time.monotonic() < deadline:
        pass
    return found


def containers() -> list[Any]:
    client = pytest.importorskip("docker").from_env()
    found: list[Any] = client.containers.list(all=True, filters={"label": LABEL})
    return found


class Results:
    """What one tier made of the whole corpus, in one event loop, with the ordinary tasks last."""

    def __init__(self, tier: str) -> None:
        self.verdicts: dict[str, str] = {}
        self.details: dict[str, str] = {}
        self.ordinary: list[Task | Rejection] = []
        asyncio.run(self._run(tier))

    async def _run(self, tier: str) -> None:
        executor = choose_executor(tier, workers=2, limits=LIMITS, i_know_this_is_not_a_sandbox=True)
        verifier = PythonVerifier(executor)
        try:
            await self._admit(verifier)
            await self._judge(verifier)
            if tier != "process":
                await self._raw(executor)
            self.ordinary = await verifier.admit(
                [
                    Draft("python", "deduction", {"program": f"def f(x): return x * {n}", "input": str(n)})
                    for n in range(100)
                ]
            )
        finally:
            await verifier.close()

    async def _admit(self, verifier: PythonVerifier) -> None:
        cases = chosen("admit")
        for case, result in zip(cases, await verifier.admit([draft(case) for case in cases]), strict=True):
            self.verdicts[case["name"]] = result.reason if isinstance(result, Rejection) else "admitted"
            self.details[case["name"]] = str(result)

    async def _judge(self, verifier: PythonVerifier) -> None:
        cases = chosen("judge")
        tasks = await verifier.admit([draft(case) for case in cases])
        pairs = []
        for case, task in zip(cases, tasks, strict=True):
            assert isinstance(task, Task), f"{case['name']}: {task}"
            pairs.append((task, Answer({"answer": case["answer"]}, case["answer"])))
        for case, verdict in zip(cases, await verifier.judge(pairs), strict=True):
            self.verdicts[case["name"]] = verdict.status
            self.details[case["name"]] = str(verdict)

    async def _raw(self, executor: Executor) -> None:
        """On both kinds of worker, with the modules that programs import and without."""
        pairs = [(case, imports) for case in chosen("raw") for imports in (True, False)]
        requests = [
            Request(Program(case["program"], "f", b"", False, imports), (read_arguments(case["input"]),))
            for case, imports in pairs
        ]
        for (case, _), outcomes in zip(pairs, await executor.run(requests), strict=True):
            found = self.verdicts.get(case["name"], "")
            if found in ("", case["expect"]):
                self.verdicts[case["name"]] = word(outcomes[0])
                self.details[case["name"]] = str(outcomes[0])


def word(outcome: Outcome) -> str:
    return f"ok {outcome.text}" if outcome.status == "ok" else outcome.status


@pytest.fixture(scope="module", params=TIERS)
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    tier = request.param
    if tier in ("docker", "gvisor"):
        request.getfixturevalue("docker_daemon")
    health = probe_tier(tier)
    if not health.works:
        pytest.skip(f"{tier}: {health.why}")
    processes, memory, files, groups_before = descendants(), memory_in_use(), files_of_nobody(), groups()
    mounts = Path("/proc/self/mounts").read_text()
    yield Results(tier)
    assert descendants() <= processes, "a process was left behind"
    assert memory_in_use() <= memory + (8 << 20), "memory was left behind"
    assert files_of_nobody() <= files, "a file was left behind"
    if tier in ("docker", "gvisor"):
        assert containers() == [], "a container was left behind"
    else:
        assert Path("/proc/self/mounts").read_text() == mounts, "a mount was left behind"
        assert not groups_that_stay(groups_before), "a control group was left behind"


@pytest.mark.parametrize("how", ["admit", "judge", "raw"])
def test_every_hostile_case_gets_its_ideal_verdict(results: Results, how: str) -> None:
    wrong = []
    for case in chosen(how):
        name = case["name"]
        if name not in results.verdicts:
            continue
        expected = [case["expect"]] if how == "raw" else case["expect"].split()
        if results.verdicts[name] not in expected:
            wrong.append(f"{name}: wanted {case['expect']}, got {results.details[name]}")
    assert not wrong, "\n".join(wrong)


def test_ordinary_tasks_are_right_after_the_corpus(results: Results) -> None:
    golds = [task.gold if isinstance(task, Task) else str(task) for task in results.ordinary]
    assert golds == [str(n * n) for n in range(100)]


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
