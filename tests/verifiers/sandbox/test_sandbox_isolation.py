"""The primitives at work in processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azr_engine.verifiers.sandbox import boot
from azr_engine.verifiers.sandbox.probe import refusals

REFUSALS = refusals()
INSIDE = """
import json, os, sys
from azr_engine.verifiers.sandbox import namespaces
namespaces.enter()
def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "root": os.listdir("/"),
    "pid": os.getpid(),
    "write": attempt(lambda: os.mkdir("/x")),
    "escape": attempt(lambda: os.listdir("/..")),
    "host": attempt(lambda: os.listdir("/proc")),
    "mount": attempt(lambda: namespaces.libc.mount("none", "/", "tmpfs", 0)),
    "setuid": attempt(lambda: os.setuid(1)),
}))
"""


@pytest.fixture(scope="module")
def inside() -> Any:
    if REFUSALS["namespaces"]:
        pytest.skip(f"namespaces: {REFUSALS['namespaces']}")
    result = subprocess.run([sys.executable, "-c", INSIDE], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def test_the_root_is_empty_and_read_only(inside: Any) -> None:
    assert inside["root"] == []
    assert inside["escape"] == "[]"
    assert inside["write"] in ("OSError", "PermissionError")
    assert inside["host"] == "FileNotFoundError"


def test_the_caller_is_alone_and_powerless(inside: Any) -> None:
    assert inside["pid"] == 1
    assert inside["mount"] == "PermissionError"
    assert inside["setuid"] in ("PermissionError", "OSError")


def test_a_killed_stub_takes_the_namespace_along() -> None:
    if REFUSALS["namespaces"]:
        pytest.skip(f"namespaces: {REFUSALS['namespaces']}")
    code = (
        "import os; from azr_engine.verifiers.sandbox import namespaces; namespaces.enter(); print('in', flush=True); "
    )
    code += "os.read(0, 1)"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"in\n"
    process.terminate()
    assert process.wait() != 0
    # Only the process inside still holds the other end; its end is ours.
    assert process.stdout.read() == b""
    process.stdin.close()
    process.stdout.close()


def test_boot_runs_no_package_initialiser(tmp_path: Path) -> None:
    folder = tmp_path / "azr_engine" / "verifiers" / "sandbox"
    folder.mkdir(parents=True)
    shutil.copy(boot.__file__, folder / "boot.py")
    for package in (folder, folder.parent, folder.parent.parent):
        (package / "__init__.py").write_text("raise RuntimeError('initialiser ran')")
    (folder / "echo.py").write_text("import sys\ndef main(arguments): print(arguments, 'site' in sys.modules)")
    command = boot.worker_command("azr_engine.verifiers.sandbox.echo", "a", "b", boot=str(folder / "boot.py"))
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "['a', 'b'] False\n"


def test_refusals_name_what_was_tried() -> None:
    assert set(REFUSALS) == {"namespaces", "seccomp"}
