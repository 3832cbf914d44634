"""Secrets planted in the environment and in a file stay unseen by a program, in any tier, even past the policy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from azr_engine.verifiers.python.executor import Outcome, Request, choose_executor, probe_tier
from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.policy import Program

CANARY = "canary-5d41402abc4b"
REACH = "OS = [c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__\n"
PROGRAMS = {
    "environment": "def f(x): return repr(dict(OS['environ'])) + repr(dict(OS['environb']))",
    "kernel's environment": "def f(x): return OS['read'](OS['open']('/proc/self/environ', 0), 65536).hex()",
    "parent's environment": "def f(x): return OS['read'](OS['open']('/proc/1/environ', 0), 65536).hex()",
    "arguments": "def f(x): return repr(OS['sys'].argv) + repr(OS['sys'].orig_argv) + repr(OS['sys'].path)",
    "file": "def f(x): return OS['read'](OS['open'](x, 0), 65536).hex()",
    "folder": "def f(x): return repr(OS['listdir'](x.rpartition('/')[0]))",
}
TIERS = [
    pytest.param(name, marks=[pytest.mark.docker, pytest.mark.slow] if name in ("docker", "gvisor") else [])
    for name in ("namespaces", "process", "docker", "gvisor")
]


@pytest.mark.parametrize("tier", TIERS)
def test_a_program_sees_no_planted_secret(
    tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if tier in ("docker", "gvisor"):
        request.getfixturevalue("docker_daemon")
    health = probe_tier(tier)
    if not health.works:
        pytest.skip(f"{tier}: {health.why}")
    monkeypatch.setenv("AZR_CANARY", CANARY)
    file = tmp_path / CANARY
    file.write_text(CANARY)
    for folder in (file, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o777)
    for name, outcome in asyncio.run(outcomes(tier, str(file))).items():
        told = outcome.text if isinstance(outcome.text, str) else repr(outcome.text)
        assert CANARY not in told and CANARY.encode().hex() not in told, name
        assert (outcome.status == "ok") == (name in ("environment", "arguments")), f"{name}: {outcome}"


async def outcomes(tier: str, file: str) -> dict[str, Outcome]:
    executor = choose_executor(tier, workers=1, i_know_this_is_not_a_sandbox=True)
    arguments = (read_arguments(repr(file)),)
    requests = [Request(Program(REACH + p, "f", b"", False, True), arguments) for p in PROGRAMS.values()]
    try:
        found = await executor.run(requests)
    finally:
        await executor.close()
    return {name: outcome[0] for name, outcome in zip(PROGRAMS, found, strict=True)}
