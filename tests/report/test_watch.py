"""The live page: the same blocks as in the file, news as steps are finished, and nobody else's requests."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.rundir import RunDirectory
from azr_engine.report.watch import is_loopback, read_block
from tests.conftest import PATIENCE_SECONDS, Command
from tests.report.test_page import blocks

pytest.importorskip("starlette", reason="needs the extra watch")
pytest.importorskip("uvicorn", reason="needs the extra watch")


def ask(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path, headers={"Host": f"127.0.0.1:{port}", **headers})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_the_page_is_the_report_without_its_data(port: int, hostile_page: Path) -> None:
    status, headers, body = ask(port, "/")
    assert status == 200
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    script = hostile_page.read_text(encoding="utf-8").partition("<script>")[2]
    assert body.decode().partition("<script>")[2] == script
    assert b'id="overview"' not in body


def test_blocks_are_those_of_the_file(port: int, live_run: Path, hostile_page: Path) -> None:
    data = blocks(hostile_page)
    run = RunDirectory.open(live_run)
    for name in data["overview"]["chunks"]:
        assert read_block(run, name) == data[name]
    status, headers, body = ask(port, "/data/overview")
    overview: dict[str, Any] = json.loads(body)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert overview["columns"] == data["overview"]["columns"]


@pytest.mark.parametrize(
    "name", ["nothing", "index", "index-steps", "index-tasks-1", "chunk-tasks", "chunk-tasks-x", "x"]
)
def test_other_names_are_not_found(port: int, name: str) -> None:
    assert ask(port, f"/data/{name}")[0] == 404


def test_requests_that_another_site_could_make_are_refused(port: int) -> None:
    good = f"127.0.0.1:{port}"
    for headers in [
        {"Host": f"rebound.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
        {"Host": f"localhost.rebound.example:{port}"},
        {"Host": ""},
        {"Host": good, "Origin": "http://rebound.example"},
        {"Host": good, "Origin": "null"},
        {"Host": good, "Sec-Fetch-Site": "cross-site"},
        {"Host": good, "Sec-Fetch-Site": "same-site"},
    ]:
        for path in ("/", "/data/overview", "/events"):
            status, _, body = ask(port, path, **headers)
            assert status == 403, headers
            assert b"step" not in body
    for headers in [{"Host": f"localhost:{port}"}, {"Host": good, "Origin": f"http://{good}"}]:
        assert ask(port, "/data/overview", **headers)[0] == 200


def test_a_finished_step_is_told(port: int, live_run: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/events", headers={"Host": f"127.0.0.1:{port}"})
    stream = connection.getresponse()
    assert stream.getheader("content-type", "").startswith("text/event-stream")
    assert stream.readline() == b": watching\n"
    with RunDirectory.resume(live_run) as run:
        run.append_metrics({**run.read_metrics()[-1], "step": 25})
    lines = iter(stream.readline, b"")
    assert next(line for line in lines if line.startswith(b"event:")) == b"event: changed\n"
    assert json.loads(ask(port, "/data/overview")[2])["steps"] == 25


def test_only_loopback_is_served_unasked(azr: Command, live_run: Path) -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org")] == [
        False
    ] * 5
    refused = azr(["watch", str(live_run), "--host", "0.0.0.0"])
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--allow-remote" in refused.stderr
    assert refused.stderr.count("\n") == 1
