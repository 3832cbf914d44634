"""The second opinion: tools that keep the command lines and exit statuses of the real ones must agree with each pass.

The stand-ins look for a word in the modules they are given: `refuse` makes them disagree, `break` makes them fail.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Verdict
from azr_engine.verifiers.lean.backends import LeanPool, describe_backend, open_backend
from azr_engine.verifiers.lean.checking import Goal
from azr_engine.verifiers.lean.config import LeanConfig
from azr_engine.verifiers.lean.installation import Installation, toolchain
from azr_engine.verifiers.lean.opinion import TOOLS, Disagreement, Tool, describe, find_tool

STAND_IN = """#!{python} -IS
import json, os, shutil, sys
name, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
folder = os.environ["LEAN_PATH"].split(":")[0]
def need(holds, what):
    if not holds:
        print("usage: " + what, file=sys.stderr)
        sys.exit(64)
def judge(*texts):
    for text in texts:
        if b"break" in text:
            sys.exit(2)
        if b"refuse" in text:
            print("uncaught exception: (kernel) declaration type mismatch", file=sys.stderr)
            sys.exit(1)
def read(file):
    return open(os.path.join(folder, file), "rb").read()
need(shutil.which("lean") and "HOME" not in os.environ, "lean on PATH")
if name in ("leanchecker", "lean4checker"):
    need(len(arguments) == 1, "leanchecker MODULE")
    judge(read(arguments[0] + ".olean"))
elif name == "safe_verify":
    need(len(arguments) == 2, "safe_verify TARGET SUBMISSION")
    judge(*map(read, arguments))
elif name == "leanexport":
    need(arguments[1] == "--" and len(arguments) > 2, "leanexport MODULE -- NAME...")
    print(json.dumps({{"names": arguments[2:], "holds": repr(read(arguments[0] + ".olean"))}}))
elif name == "lake":
    need(arguments[0] == "comparator" and arguments[1::2][:1] == ["--config"], "lake comparator --config FILE")
    options = dict(zip(arguments[1::2], arguments[2::2]))
    config = json.loads(read(options["--config"]))
    need(config["challenge_module"] != config["solution_module"], "two modules")
    need(set(config["permitted_axioms"]) == {{"propext", "Quot.sound", "Classical.choice"}}, "three axioms")
    exports = [read(options["--challenge-from-export"]), read(options["--solution-from-export"])]
    for export in exports:
        need(set(config["theorem_names"]) <= set(json.loads(export)["names"]), "exports of the theorems")
    judge(*exports)
else:
    need(False, name)
"""
WORD = '(fun (_ : String) => True.intro) "{}"'


def equip(home: Path, folder: Path, *programs: str) -> Installation:
    """The toolchain `home` with programs beside its `lean`."""
    folder.mkdir()
    (folder / "lib").symlink_to(home / "lib")
    (folder / "bin").mkdir()
    (folder / "bin" / "lean").write_text((home / "bin" / "lean").read_text().replace(str(home), str(folder)))
    (folder / "bin" / "lean").chmod(0o755)
    for name in programs:
        program = folder / "bin" / name
        program.write_text(STAND_IN.format(python=sys.executable))
        program.chmod(0o755)
    return toolchain(folder)


def unconfined(wanted: str, installation: Installation) -> Tool:
    tool = find_tool(wanted, installation, None, "process")
    assert tool is not None
    return tool


@pytest.mark.parametrize("wanted", TOOLS)
def test_a_pass_needs_the_tools_agreement(home: Path, tmp_path: Path, wanted: str) -> None:
    installation = equip(home, tmp_path / "home", *(("leanexport", "lake") if wanted == "comparator" else (wanted,)))

    def ask_also(found: Installation) -> Tool:
        return unconfined("auto", found)

    pool = LeanPool("toolchain", lambda: installation, workers=1, ask_also=ask_also)
    proofs = ["True.intro", WORD.format("refuse"), WORD.format("break"), "undefined", WORD.format("fine")]

    async def play() -> list[Verdict]:
        verdicts = await pool.check_files([[Goal(": True", proof)] for proof in proofs])
        await pool.close()
        return verdicts

    found = asyncio.run(play())
    assert [verdict.status for verdict in found] == ["pass", "fail", "fault", "fail", "pass"]
    assert found[1].reason == f"second opinion ({wanted}): uncaught exception: (kernel) declaration type mismatch"
    assert wanted in found[2].reason and "second opinion" not in found[3].reason


def test_the_tool_that_looks_at_most_is_asked(home: Path, tmp_path: Path) -> None:
    installation = equip(home, tmp_path / "home", "leanchecker", "safe_verify", "leanexport", "lake")
    assert unconfined("auto", installation).name == "comparator"
    assert unconfined("leanchecker", installation).name == "leanchecker"
    assert find_tool("off", installation, None, "process") is None
    (tmp_path / "home" / "bin" / "lake").unlink()
    assert unconfined("auto", installation).name == "safe_verify"
    with pytest.raises(UserError, match="no lean4checker beside lean, in the project or on PATH"):
        find_tool("lean4checker", installation, None, "process")


def test_a_projects_package_brings_its_tool(home: Path, tmp_path: Path) -> None:
    installation = equip(home, tmp_path / "home", "lean4checker")
    built = tmp_path / "project" / ".lake" / "packages" / "checker" / ".lake" / "build" / "bin"
    built.mkdir(parents=True)
    (tmp_path / "home" / "bin" / "lean4checker").rename(built / "lean4checker")
    assert find_tool("auto", installation, None, "process") is None
    tool = find_tool("auto", installation, tmp_path / "project", "process")
    assert tool is not None and tool.programs == (built / "lean4checker",)


def test_a_tool_that_refuses_a_plain_proof_is_named_before_the_first_case(home: Path, tmp_path: Path) -> None:
    installation = equip(home, tmp_path / "home", "leanchecker")
    (tmp_path / "home" / "bin" / "leanchecker").write_text("#!/bin/sh\necho wrong version >&2\nexit 1\n")
    pool = LeanPool("t", lambda: installation, workers=1, ask_also=lambda found: unconfined("auto", found))
    with pytest.raises(
        UserError, match=r"second_opinion leanchecker does not work here .*wrong version.*set it to off"
    ):
        asyncio.run(pool.check(": True", "True.intro"))
    asyncio.run(pool.close())


def test_a_tool_that_never_ends_does_not_agree(home: Path, tmp_path: Path) -> None:
    installation = equip(home, tmp_path / "home", "leanchecker")
    (tmp_path / "home" / "bin" / "leanchecker").write_text("#!/bin/sh\nwhile :; do :; done\n")
    with pytest.raises(Disagreement, match="timeout"):
        unconfined("auto", installation).ask(b"", b"", ["goal"], seconds=0.1)


def test_the_embedded_lean_has_none(installation: Installation) -> None:
    assert find_tool("auto", installation, None, "namespaces") is None
    with pytest.raises(UserError, match="needs a toolchain"):
        find_tool("safe_verify", installation, None, "namespaces")


def test_doctor_says_what_there_is(home: Path, tmp_path: Path) -> None:
    bare = describe_backend(LeanConfig(home=str(home)))
    assert bare == {"lean": "toolchain 4.35.0", "second_opinion": f"none of {', '.join(TOOLS)} is there"}
    equip(home, tmp_path / "home", "leanchecker")
    found = describe_backend(LeanConfig(home=str(tmp_path / "home")))["second_opinion"]
    if shutil.which("bwrap") is None:
        assert found == "none: install bubblewrap (bwrap) to use what the toolchain has"
    else:
        assert found == f"leanchecker: {tmp_path}/home/bin/leanchecker"
    assert describe_backend(LeanConfig(home=str(tmp_path / "home"), second_opinion="off"))["second_opinion"] == (
        "none: switched off"
    )
    absent = describe_backend(LeanConfig(home=str(tmp_path)))
    assert absent["lean"].startswith("no: there is no bin/lean")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed: tools ran without it")
def test_a_confined_tool_reads_its_modules_and_nothing_at_home(home: Path, tmp_path: Path) -> None:
    installation = equip(home, tmp_path / "home", "leanchecker")
    program = tmp_path / "home" / "bin" / "leanchecker"
    program.write_text(
        f'#!/bin/sh\ncat "$1.olean" && test ! -e {Path.home()}/.profile && test ! -e {tmp_path}/secret\n'
    )
    (tmp_path / "secret").write_text("secret")
    tool = find_tool("leanchecker", installation, None, "namespaces")
    assert tool is not None
    tool.ask(b"", b"module", ["goal"], seconds=30)


def installed() -> str:
    """Why no tool of a real toolchain can be asked here; empty where one can."""
    try:
        return describe("auto", toolchain(), None) if find_tool("auto", toolchain(), None, "namespaces") is None else ""
    except UserError as problem:
        return str(problem)


@pytest.mark.skipif(bool(installed()), reason=installed() or "a tool is there")
def test_an_installed_tool_agrees_with_the_kernel() -> None:
    pool = open_backend(LeanConfig(backend="toolchain", cpu_seconds=60))
    verdict = asyncio.run(pool.check("(p q : Prop) : p ∧ q → q ∧ p", "fun h => ⟨h.2, h.1⟩"))
    asyncio.run(pool.close())
    assert verdict.status == "pass"
