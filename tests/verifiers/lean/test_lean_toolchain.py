"""The toolchain backend on a folder that is laid out like a toolchain: the same kernel, found another way.

Its `lean` and `lake` answer the few questions that are asked of them; what checks the proofs is Lean's own library.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.verifiers.lean import installation as installations
from azr_engine.verifiers.lean.backends import LeanPool, open_backend
from azr_engine.verifiers.lean.checking import Goal
from azr_engine.verifiers.lean.config import LeanConfig
from azr_engine.verifiers.lean.installation import Installation, compile_modules, toolchain
from tests.verifiers.lean.corpus_cheats import BEFORE_OURS
from tests.verifiers.lean.corpus_good import LOGIC


@pytest.fixture(scope="module")
def project(installation: Installation, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    (project / "lakefile.toml").write_text('name = "extra"\n')
    built = project / ".lake" / "build" / "lib" / "lean"
    built.mkdir(parents=True)
    (project / "Extra.lean").write_text("theorem extra (n : Nat) : n * 0 + n = n := Nat.zero_add n\n")
    for name in ("Init", "Init.olean"):
        (built / name).symlink_to(home / "lib" / "lean" / name)
    compile_modules(installation.library, project, built, ["Extra"])
    for name in ("Init", "Init.olean"):
        (built / name).unlink()
    lake = home / "bin" / "lake"
    lake.write_text(f"#!/bin/sh\necho {built}\n")
    lake.chmod(0o755)
    return project


@pytest.fixture(scope="module")
def toolchain_pool(home: Path) -> Iterator[LeanPool]:
    pool = open_backend(LeanConfig(home=str(home), cpu_seconds=20))
    yield pool
    asyncio.run(pool.close())


def test_a_toolchain_checks_the_corpus(toolchain_pool: LeanPool) -> None:
    assert toolchain_pool.name == "toolchain"
    found = asyncio.run(toolchain_pool.check_files([[Goal(statement, proof)] for _, statement, proof in LOGIC]))
    assert [(case[0], v.reason) for case, v in zip(LOGIC, found, strict=True) if v.status != "pass"] == []


def test_a_toolchain_stops_cheats_without_the_lint(home: Path) -> None:
    pool = LeanPool("toolchain", lambda: toolchain(home), lint=False)
    files = [[Goal(": True", text, free=True), Goal(ours, proof, "instance_1")] for _, text, ours, proof in BEFORE_OURS]
    found = asyncio.run(pool.check_files(files))
    asyncio.run(pool.close())
    assert [case[0] for case, v in zip(BEFORE_OURS, found, strict=True) if v.status != "fail"] == []


def test_a_projects_modules_can_be_imported(home: Path, project: Path) -> None:
    config = LeanConfig(home=str(home), project=str(project), header="import Extra")
    pool = open_backend(config)

    async def play() -> None:
        assert (await pool.check("(n : Nat) : n * 0 + n = n", "extra n")).status == "pass"
        verdict = await pool.check("(n : Nat) : n * 0 + n = n", "extra n", header="")
        assert verdict.status == "fail" and "extra" in verdict.reason
        await pool.close()

    asyncio.run(play())


def test_an_unbuilt_or_missing_project_is_one_clear_line(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Lake project"):
        toolchain(home, tmp_path)
    with pytest.raises(UserError, match=r"lean\.project"):
        open_backend(LeanConfig(project=str(tmp_path / "absent")))


def test_no_toolchain_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("LEAN_HOME", raising=False)
    with pytest.raises(UserError, match="elan"):
        toolchain()
    monkeypatch.setenv("LEAN_HOME", str(tmp_path))
    with pytest.raises(UserError, match="bin/lean"):
        toolchain()


def test_a_missing_wheel_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "WHEEL", "no-such-wheel-of-lean")
    with pytest.raises(MissingDependency, match=r"azr-engine\[lean\]"):
        installations.embedded()


@pytest.mark.skipif(
    shutil.which("lean") is None and shutil.which("lean", path=str(Path.home() / ".elan" / "bin")) is None,
    reason="no Lean toolchain is installed here (elan); the embedded Lean ran the same corpus",
)
def test_an_installed_toolchain_checks_the_corpus() -> None:
    pool = open_backend(LeanConfig(backend="toolchain", cpu_seconds=60))
    found = asyncio.run(pool.check_files([[Goal(statement, proof)] for _, statement, proof in LOGIC]))
    asyncio.run(pool.close())
    assert [(case[0], v.reason) for case, v in zip(LOGIC, found, strict=True) if v.status != "pass"] == []
