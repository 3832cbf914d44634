"""A cage and a killer, each in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

import pytest

from azr_engine.verifiers.sandbox import cage, libc
from azr_engine.verifiers.sandbox.killer import Killer
from tests.conftest import PATIENCE_SECONDS

CAGED = """
import json, os
from azr_engine.verifiers.sandbox import cage, namespaces
namespaces.become_nobody()
reading, writing = os.pipe()
def attempt(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__
if os.fork() == 0:
    cage.Cage(lambda: os.write(cage.RESULT, b"locked ")).shut(writing)
    os.write(cage.RESULT, json.dumps({
        "fork": attempt(os.fork),
        "pipe": attempt(os.pipe),
        "open": attempt(lambda: os.open("/", os.O_RDONLY)),
        "copy": attempt(lambda: os.dup(cage.RESULT)),
        "others": [n for n in range(64) if n != cage.RESULT and attempt(lambda: os.fstat(n)) != "OSError"],
    }).encode())
    os._exit(0)
os.wait()
print(os.read(reading, 4096).decode())
"""


@pytest.fixture(scope="module")
def caged() -> Any:
    result = subprocess.run([sys.executable, "-c", CAGED], capture_output=True, text=True, check=True)
    first, _, rest = result.stdout.partition(" ")
    assert first == "locked"
    return json.loads(rest)


def test_a_caged_process_makes_no_process_and_no_descriptor(caged: Any) -> None:
    assert caged["fork"] == "BlockingIOError"
    assert [caged[name] for name in ("pipe", "open", "copy")] == ["OSError"] * 3


def test_a_caged_process_keeps_one_descriptor(caged: Any) -> None:
    assert caged["others"] == []


def test_a_cage_without_walls_changes_nothing() -> None:
    reading, writing = os.pipe()
    cage.Cage.without_walls(writing).shut(writing)
    os.write(writing, b"still here")
    assert os.read(reading, 100) == b"still here"
    os.close(reading)
    os.close(writing)


def test_a_killer_kills_the_one_it_is_told_to() -> None:
    killer = Killer(filtered=False)
    first, second = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
    killer.kill(first.pid)
    assert first.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert second.poll() is None
    killer.kill(second.pid)
    assert second.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_a_killer_ends_with_its_worker() -> None:
    code = """
import os
from azr_engine.verifiers.sandbox.killer import Killer
Killer(filtered=False)
print(open(f"/proc/self/task/{os.getpid()}/children").read(), flush=True)
os.read(0, 1)
"""
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdin is not None
    watch = os.pidfd_open(int(worker.stdout.readline()))
    worker.kill()
    worker.wait()
    readable, _, _ = select.select([watch], [], [], 30)  # a process descriptor is readable once the process has ended
    assert readable
    os.close(watch)
    worker.stdin.close()
    worker.stdout.close()


def test_a_fork_is_a_fork() -> None:
    """In a process of its own: this one may have threads, which the bare fork minds."""
    code = """
import os
from azr_engine.verifiers.sandbox import libc
pid = libc.fork()
if pid == 0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "7\n"
    assert callable(libc.fork)
