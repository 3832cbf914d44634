"""The docker tier against a real daemon, in fair weather and foul."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.python.containers import IMAGE, LABEL, ContainerLauncher
from azr_engine.verifiers.python.executor import Limits, Outcome, Request, choose_executor, probe_tier
from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.policy import check_program
from azr_engine.verifiers.sandbox.namespaces import become_nobody

pytestmark = [pytest.mark.docker, pytest.mark.slow]
LIMITS = Limits(cpu_seconds=0.5, wall_seconds=5.0, memory_mb=128)


def request(source: str, *inputs: str) -> Request:
    return Request(check_program(source), tuple(map(read_arguments, inputs)))


DOUBLE = request("def f(x): return x * 2", "1", "2")


def texts(outcomes: list[Outcome]) -> list[str]:
    return [outcome.text for outcome in outcomes]


def client() -> Any:
    return pytest.importorskip("docker").from_env()


def test_a_missing_image_is_built_and_nothing_is_left(docker_daemon: Any) -> None:
    for image in client().images.list(name=IMAGE):
        client().images.remove(image.id, force=True)

    async def run() -> list[list[Outcome]]:
        executor = choose_executor("docker", workers=1, limits=LIMITS)
        try:
            return await executor.run([DOUBLE])
        finally:
            await executor.close()

    assert texts(asyncio.run(run())[0]) == ["2", "4"]
    assert len(client().images.list(name=IMAGE)) == 1
    assert client().containers.list(all=True, filters={"label": LABEL}) == []


def test_containers_are_hardened(docker_daemon: Any) -> None:
    async def run() -> dict[str, Any]:
        executor = choose_executor("docker", workers=1, limits=LIMITS)
        try:
            await executor.run([DOUBLE])
            container = client().containers.list(filters={"label": LABEL})[0]
            attributes: dict[str, Any] = container.attrs
            return attributes
        finally:
            await executor.close()

    attributes = asyncio.run(run())
    host = attributes["HostConfig"]
    assert attributes["Config"]["User"] == "65534:65534"
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert not host["Privileged"]
    assert not host["Binds"]


def test_a_killed_container_is_replaced_and_nothing_is_lost(docker_daemon: Any) -> None:
    async def run() -> list[list[Outcome]]:
        executor = choose_executor("docker", workers=1, limits=LIMITS)
        try:
            await executor.run([DOUBLE])
            slow = request("def f(x):\n    while x > 0: x -= 1\n    return x", *["3000000"] * 4)
            pending = asyncio.ensure_future(executor.run([slow] * 6))
            await asyncio.sleep(0)  # lets the requests leave
            for container in client().containers.list(filters={"label": LABEL}):
                container.kill()
            return await pending
        finally:
            await executor.close()

    assert [texts(outcomes) for outcomes in asyncio.run(run())] == [["0"] * 4] * 6


def test_a_killed_daemon_is_a_clear_fault(mortal_daemon: Any) -> None:
    async def run() -> list[list[Outcome]]:
        executor = choose_executor("docker", workers=1, limits=LIMITS)
        try:
            assert texts((await executor.run([DOUBLE]))[0]) == ["2", "4"]
            mortal_daemon.kill()
            return await executor.run([DOUBLE] * 3)
        finally:
            await executor.close()

    outcomes = [outcome for outcomes in asyncio.run(run()) for outcome in outcomes]
    assert {outcome.status for outcome in outcomes} == {"fault"}
    assert "no Docker daemon answers" in outcomes[0].text


def test_a_killed_daemon_is_left_for_the_fallback(mortal_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> tuple[list[list[Outcome]], list[str]]:
        executor = choose_executor("docker", workers=1, limits=LIMITS, fallback="namespaces")
        try:
            names = [executor.name]
            assert texts((await executor.run([DOUBLE]))[0]) == ["2", "4"]
            mortal_daemon.kill()
            batches = await asyncio.gather(*[executor.run([DOUBLE] * 3) for _ in range(2)])
            names.append(executor.name)
            return [outcomes for batch in batches for outcomes in batch], names
        finally:
            await executor.close()

    outcomes, names = asyncio.run(run())
    assert [texts(found) for found in outcomes] == [["2", "4"]] * 6
    assert names == ["docker", "namespaces"]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sandbox: ")]
    assert len(lines) == 1
    assert lines[0].startswith("sandbox: docker is gone (no Docker daemon answers")
    assert lines[0].endswith("going on in namespaces")


def test_a_killed_container_is_no_reason_to_fall_back(docker_daemon: Any) -> None:
    async def run() -> str:
        executor = choose_executor("docker", workers=1, limits=LIMITS, fallback="namespaces")
        try:
            await executor.run([DOUBLE])
            for container in client().containers.list(filters={"label": LABEL}):
                container.kill()
            assert texts((await executor.run([DOUBLE]))[0]) == ["2", "4"]
            return executor.name
        finally:
            await executor.close()

    assert asyncio.run(run()) == "docker"


def test_a_tier_that_works_is_probed_once(docker_daemon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_executor("docker")
    monkeypatch.setattr(ContainerLauncher, "launch", None)  # a second probe would fail
    choose_executor("docker")


def test_no_daemon_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    assert probe_tier("docker").why == "no Docker daemon answers: start one or set DOCKER_HOST"
    with pytest.raises(UserError, match="no Docker daemon answers"):
        choose_executor("docker")


def test_no_permission_on_the_socket_is_one_clear_line(docker_daemon: Any) -> None:
    docker_daemon.folder.chmod(0o755)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # an ordinary user's process; forked, because that user may not read this interpreter's files
        try:
            become_nobody()
            os.write(writing, probe_tier("docker").why.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        why = pipe.read()
    os.waitpid(pid, 0)
    assert why.startswith("no permission on the Docker socket")
