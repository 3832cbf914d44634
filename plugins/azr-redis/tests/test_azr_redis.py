"""A real server: what commands make of its keys, what is refused, what happens when it dies, and the whole kit."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azr_redis.domain import RedisDomain
from azr_redis.server import RedisRunner, RedisServer

from azr_engine.plugins.conformance import check_plugin

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("commands", "before", "after"),
    [
        ("INCR n; RPUSH l a b", "{'n': '5'}", "{'l': ['a', 'b'], 'n': '6'}"),
        ("SADD s a b; SREM s c", "{'s': {'c'}}", "{'s': {'a', 'b'}}"),
        ("HINCRBY h f 2; DEL n", "{'h': {'f': '1'}, 'n': 'x'}", "{'h': {'f': '3'}}"),
        ("rename a b", "{'a': ''}", "{'b': ''}"),
        ("LPOP l", "{'l': ['a']}", "{}"),
    ],
)
def test_commands_change_the_keys(server: RedisServer, commands: str, before: str, after: str) -> None:
    domain = RedisDomain(server.ask)
    assert domain.canonical(domain.run(commands, before)) == domain.canonical(after)


@pytest.mark.parametrize(
    ("commands", "before"),
    [
        ("INCR n", "{'n': 'x'}"),
        ("LPUSH n a", "{'n': '1'}"),
        ("SET n", "{}"),
        ("SET n 1 EX 5", "{}"),
        ("SPOP s", "{'s': {'a', 'b'}}"),
        ("EVAL x 0", "{}"),
        ("CONFIG SET dir .", "{}"),
        ("DEBUG SLEEP 100", "{}"),
        ("INCR n\r\nSHUTDOWN", "{'n': '1'}"),
        ("", "{}"),
        ("INCR n", "{'n': 1}"),
        ("INCR n", "{'l': []}"),
    ],
)
def test_errors_and_other_commands_are_refused(server: RedisServer, commands: str, before: str) -> None:
    with pytest.raises(ValueError):
        RedisDomain(server.ask).run(commands, before)


def test_a_server_that_dies_is_a_fault_and_the_next_run_has_a_new_one() -> None:
    runner = RedisRunner()
    item = {"program": "INCR n", "input": "{}"}
    try:
        (first,) = asyncio.run(runner.run([item]))
        assert runner._server is not None
        with pytest.raises(ConnectionError):
            runner._server.ask(["SHUTDOWN", "NOSAVE"])
        lost, again = asyncio.run(runner.run([item, item]))
    finally:
        runner.close()
    assert first == again == {"text": "{'n': '1'}"}
    assert "the server is gone" in lost["fault"]


def test_no_server_outlives_a_process_that_is_killed() -> None:
    code = (
        "from azr_redis.server import RedisServer\n"
        "server = RedisServer()\n"
        "print(server.ask(['INFO', 'server']).partition('process_id:')[2].split()[0], flush=True)\n"
        "input()\n"
    )
    started = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    pid = int(started.stdout.readline())
    watched = os.pidfd_open(pid)
    assert Path(f"/proc/{pid}").exists()
    started.send_signal(signal.SIGKILL)
    started.communicate()
    # Readable when the process has ended.
    assert select.select([watched], [], [], 30.0)[0] == [watched]
    os.close(watched)


def test_the_plugin_conforms() -> None:
    report = check_plugin("redis")
    assert report.passed, "\n".join(report.lines())
