"""A Docker daemon of the tests' own, started only when a test asks for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_SECONDS

_START_SECONDS = 240.0


class DockerDaemon:
    """A real dockerd with its own socket and data, no bridge and no firewall rules; gVisor as a runtime if present."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it does not; the message is the end of its log.
        """
        config = self.folder / "daemon.json"
        runsc = shutil.which("runsc")
        arguments = ["--platform=ptrace", "--ignore-cgroups", "--network=none"]
        runtimes = {"runsc": {"path": runsc, "runtimeArgs": arguments}} if runsc else {}
        config.write_text(json.dumps({"runtimes": runtimes}))
        places = {"host": self.host, "data-root": self.folder / "data", "exec-root": self.folder / "exec"}
        places |= {"pidfile": self.folder / "docker.pid", "config-file": config}
        command = ["dockerd", *(f"--{name}={value}" for name, value in places.items())]
        command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        log = self.folder / "dockerd.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"dockerd did not start: {log.read_text()[-300:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        environment = {**os.environ, "DOCKER_HOST": self.host}
        return subprocess.run(["docker", "info"], env=environment, capture_output=True, check=False).returncode == 0

    def kill(self) -> None:
        """End the daemon, and only it, as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start it again after `kill`; what the dead one left locked can keep a new one out for half a minute."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.start()
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise

    def stop(self) -> None:
        """End the daemon and all that it started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_SECONDS)
        # What a killed daemon left behind is still in its session.
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.folder).encode() in command:
                    os.kill(int(entry.name), signal.SIGKILL)
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        for place in sorted((line.split()[1] for line in mounts), reverse=True):
            if place.startswith(str(self.folder)):
                subprocess.run(["umount", "--lazy", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _new_daemon() -> DockerDaemon:
    if shutil.which("dockerd") is None:
        pytest.skip("dockerd is not installed")
    if os.geteuid() != 0:
        pytest.skip("only root can start dockerd")
    pytest.importorskip("docker", reason="the extra 'docker' is not installed")
    daemon = DockerDaemon(Path(tempfile.mkdtemp(prefix="azr-docker-")))
    try:
        daemon.start()
    except RuntimeError as error:
        daemon.stop()
        pytest.skip(str(error))
    return daemon


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[DockerDaemon]:
    """A daemon for the whole session, named by DOCKER_HOST."""
    daemon = _new_daemon()
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = daemon.host
    yield daemon
    if before is None:
        del os.environ["DOCKER_HOST"]
    else:
        os.environ["DOCKER_HOST"] = before
    daemon.stop()


@pytest.fixture
def mortal_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerDaemon]:
    """A daemon for one test that will kill it."""
    daemon = _new_daemon()
    monkeypatch.setenv("DOCKER_HOST", daemon.host)
    yield daemon
    daemon.stop()
