"""Lean servers: limits hold, a killed child or server costs nobody else anything, and there is nothing to reach."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Limits
from azr_engine.verifiers.lean.installation import Installation
from azr_engine.verifiers.sandbox.probe import refusals
from tests.conftest import PATIENCE_SECONDS

ENDLESS = (
    ": (Nat.rec (motive := fun _ => Nat → Nat) (fun x => x + 1) (fun _ f x => f (f x)) 40 : Nat → Nat) 0 = 0",
    "by decide +kernel",
)
GREEDY = (": Nat.pow 2 4294967290 % 3 = 7", "by decide +kernel")
PROBE = """
import ctypes, json, os, socket, sys, threading
sys.path[:0] = [{root!r}]
from azr_engine.verifiers.lean import jail
from azr_engine.verifiers.lean.filter import LeanFilter
jail.enter([{folder!r}])
def outcome(action):
    try:
        return repr(action())
    except OSError as error:
        return f"errno {{error.errno}}"
    except RuntimeError as error:
        return "no thread"
def thread():
    one = threading.Thread(target=int)
    one.start()
    one.join()
    return "ran"
def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid
found = {{
    "root": sorted(os.listdir("/")),
    "user": os.getuid(),
    "passwd": outcome(lambda: open("/etc/passwd").read()),
    "module": outcome(lambda: len(open({folder!r} + "/Init.olean", "rb").read()) > 0),
    "write module": outcome(lambda: open({folder!r} + "/Init.olean", "wb")),
    "write root": outcome(lambda: open("/x", "wb")),
    "write scratch": outcome(lambda: open("/scratch/x", "wb").write(b"1")),
    "processes": outcome(lambda: os.kill(1, 0)),
    "network": outcome(lambda: socket.socket().connect(("127.0.0.1", 9))),
}}
LeanFilter().install()
found |= {{
    "socket": outcome(lambda: socket.socket()),
    "fork": outcome(fork),
    "thread": outcome(thread),
    "exec": outcome(lambda: os.execv("/bin/lean", ["lean"])),
    "kill": outcome(lambda: os.kill(1, 0)),
}}
os.write(1, json.dumps(found).encode())
os._exit(0)
"""


@pytest.fixture
def one(installation: Installation) -> LeanPool:
    return LeanPool("embedded", lambda: installation, workers=1)


def pid_of(pool: LeanPool) -> int:
    process = pool._servers[0]._process
    assert process is not None
    return process.pid


def test_an_endless_proof_is_stopped_and_the_server_lives_on(one: LeanPool) -> None:
    async def play() -> None:
        limits = Limits(cpu_seconds=1.0, heartbeats=10**9)
        assert (await one.check(": True", "trivial")).status == "pass"
        before = pid_of(one)
        verdict = await one.check(*ENDLESS, limits=limits)
        assert (verdict.status, verdict.reason) == ("fail", "timeout")
        assert (await one.check(": True", "trivial")).status == "pass"
        assert pid_of(one) == before
        await one.close()

    asyncio.run(play())


def test_a_greedy_proof_fails_and_the_server_lives_on(one: LeanPool) -> None:
    async def play() -> None:
        limits = Limits(cpu_seconds=5.0, memory_mb=200, heartbeats=10**9)
        assert (await one.check(": True", "trivial")).status == "pass"
        before = pid_of(one)
        assert (await one.check(*GREEDY, limits=limits)).status == "fail"
        assert (await one.check(": True", "trivial")).status == "pass"
        assert pid_of(one) == before
        await one.close()

    asyncio.run(play())


def test_heartbeats_stop_what_is_merely_long(one: LeanPool) -> None:
    async def play() -> None:
        proof = "by\n  simp [Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]"
        names = " ".join(f"a{i}" for i in range(8))
        left = " + ".join(f"a{i}" for i in range(8))
        right = " + ".join(f"a{i}" for i in reversed(range(8)))
        statement = f"({names} : Nat) : {left} = {right}"
        few = await one.check(statement, proof, limits=Limits(heartbeats=10))
        assert few.status == "fail" and "heartbeats" in few.reason
        assert (await one.check(statement, proof)).status == "pass"
        await one.close()

    asyncio.run(play())


def test_a_killed_server_is_replaced(one: LeanPool) -> None:
    async def play() -> None:
        assert (await one.check(": True", "trivial")).status == "pass"
        os.killpg(pid_of(one), signal.SIGKILL)
        assert (await one.check(": True", "trivial")).status == "pass"
        assert one._servers[0].peak_mb > 20
        await one.close()

    asyncio.run(play())


def test_a_library_that_does_not_load_is_one_clear_line(installation: Installation) -> None:
    broken = Installation("embedded", Path("/nowhere/libleanshared.so"), installation.search_path, "4.35.0", True)
    pool = LeanPool("embedded", lambda: broken, workers=1)
    with pytest.raises(UserError, match=r"Lean does not start.*libleanshared\.so"):
        asyncio.run(pool.check(": True", "trivial"))
    asyncio.run(pool.close())


def test_nothing_can_be_reached_from_inside(installation: Installation) -> None:
    if why := refusals()["namespaces"]:
        pytest.skip(f"no namespaces here: {why}")
    root = str(Path(__file__).parents[3])
    script = PROBE.format(root=root, folder=str(installation.search_path[0]))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    found = json.loads(done.stdout)
    assert found["root"] == sorted({"bin", "dev", "proc", "scratch", installation.search_path[0].parts[1]})
    assert found["module"] == "True"
    assert found["write scratch"] == "1"
    assert found["thread"] == "'ran'"
    for name in ("passwd", "write module", "write root", "network", "socket", "fork", "exec", "kill"):
        assert found[name].startswith("errno"), (name, found[name])
