"""The page holds everything, keeps to its size, and no text of a model's is markup in it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.store import TaskStore
from azr_engine.report.page import escaped_json, write_report
from tests.conftest import Command
from tests.report.synthetic import HOSTILE, synthetic_run

BLOCK = re.compile(r'<script type="([a-z/]+)" id="([a-z0-9-]+)">([^<]*)</script>')


def blocks(page: Path) -> dict[str, Any]:
    """The page's data by block id, decoded."""
    found = {}
    for kind, name, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        found[name] = json.loads(text if kind == "application/json" else gzip.decompress(base64.b64decode(text)))
    return found


def test_every_task_and_try_of_the_store_is_in_the_page(hostile_run: Path, hostile_page: Path) -> None:
    data = blocks(hostile_page)
    entries = {e["id"]: e for name, part in data.items() if name.startswith("chunk-tasks") for e in part}
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        tasks = store.tasks()
        assert [task.id for task in tasks] == data["index-tasks"]["id"]
        for task in tasks:
            entry = entries[task.id]
            assert (entry["given"], entry["gold"]) == (dict(task.given), task.gold)
            assert entry["parents"] == list(task.parents)
            assert [a["text"] for a in entry["attempts"]] == [a.text for a in store.attempts(task.id)]
            assert task.given["input"] in entry["prompt"]
            assert entry["proposal"]["reward"] is not None
    assert len(tasks) == 240
    lost = [entry for name, part in data.items() if name.startswith("chunk-proposals") for entry in part]
    assert len(lost) == len(data["index-proposals"]["id"]) == 120
    assert {entry["proposal"]["outcome"] for entry in lost} == {"malformed", "rejected"}
    assert sorted(data["overview"]["chunks"]) == sorted(set(data) - {"overview"})


def test_no_text_of_a_model_is_markup(hostile_page: Path) -> None:
    page = hostile_page.read_text(encoding="utf-8")
    page_itself = BLOCK.sub("", page)
    assert "hacked" not in page_itself
    assert page_itself.count("<script>") == 1
    for kind, _, text in BLOCK.findall(page):
        assert not set("<>&\u2028\u2029") & set(text), kind
    # Nothing that opens a script element was left over by the pattern.
    assert page.count("<script") == len(BLOCK.findall(page)) + 1


def test_escaped_json_is_the_same_value() -> None:
    value = {text: [text] for text in HOSTILE}
    text = escaped_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_the_policy_allows_this_script_and_style_alone(hostile_page: Path) -> None:
    page = hostile_page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    for tag in ("script", "style"):
        content = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "connect-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", BLOCK.sub("", page)).replace("http-equiv", "")


def test_the_pages_code_never_parses_markup(hostile_page: Path) -> None:
    code = hostile_page.read_text(encoding="utf-8").partition("<script>")[2]
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
        assert name not in code


def test_a_page_that_would_be_too_large_keeps_the_newest_texts(
    hostile_run: Path, hostile_page: Path, tmp_path: Path
) -> None:
    limit = hostile_page.stat().st_size - 12_000
    result = write_report(RunDirectory.open(hostile_run), tmp_path / "small.html", max_bytes=limit)
    assert result["bytes"] <= limit
    assert result["without_texts"] > 0
    data = blocks(tmp_path / "small.html")
    assert len(data["index-tasks"]["id"]) == 240
    assert "chunk-tasks-2" in data
    assert "chunk-proposals-0" not in data


def test_the_same_run_gives_the_same_data(hostile_run: Path, hostile_page: Path, tmp_path: Path) -> None:
    write_report(RunDirectory.open(hostile_run), tmp_path / "again.html")
    first, second = blocks(hostile_page), blocks(tmp_path / "again.html")
    first["overview"].pop("made")
    second["overview"].pop("made")
    assert first == second


@pytest.mark.parametrize(
    "missing", ["tasks.sqlite", "metrics.jsonl", "evals.jsonl", "events.jsonl", "safety.jsonl", "review.jsonl"]
)
def test_a_run_that_lacks_a_file_still_has_a_report(missing: str, tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "run", 3, 2, 2)
    (run / missing).unlink()
    result = write_report(RunDirectory.open(run), tmp_path / "page.html")
    assert result["tasks"] == (0 if missing == "tasks.sqlite" else 6)
    assert blocks(tmp_path / "page.html")["overview"]["domains"] == ["python"]


def test_settings_of_another_version_are_shown_as_they_are(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "run", 1, 2, 2)
    (run / "config.resolved.toml").write_text('domains = ["python"]\nseed = 9\n[gone]\nold = "<b>"\n')
    write_report(RunDirectory.open(run), tmp_path / "page.html")
    rows = {row["name"]: row for row in blocks(tmp_path / "page.html")["overview"]["settings"]}
    assert rows["gone.old"]["value"] == "<b>"
    assert rows["gone.old"]["changed"]
    assert (rows["seed"]["value"], rows["seed"]["default"], rows["seed"]["changed"]) == (9, 1, True)


def test_the_command_says_what_it_wrote_and_what_it_cannot(azr: Command, hostile_run: Path, tmp_path: Path) -> None:
    result = azr(["report", str(hostile_run), "--out", str(tmp_path / "r.html"), "--json"])
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["tasks"], told["attempts"], told["without_texts"]) == (240, 960, 0)
    assert told["bytes"] == (tmp_path / "r.html").stat().st_size
    refused = azr(["report", str(tmp_path)])
    assert (refused.returncode, refused.stderr) == (2, f"error: {tmp_path} holds no run\n")
    for out in (tmp_path, tmp_path / "absent" / "r.html"):
        with pytest.raises(UserError, match="name a file with --out"):
            write_report(RunDirectory.open(hostile_run), out)
    shutil.copytree(hostile_run, tmp_path / "copy")
    (tmp_path / "copy" / "tasks.sqlite").write_bytes(b"no store of tasks at all")
    with pytest.raises(UserError, match=r"tasks\.sqlite"):
        write_report(RunDirectory.open(tmp_path / "copy"), tmp_path / "r2.html")
