"""`azr-engine tasks` finds what is there, and what a model wrote cannot speak to the terminal."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from azr_engine.cli.app import build_app
from azr_engine.engine.errors import UserError
from azr_engine.engine.store import TaskStore
from azr_engine.report.visible import one_line, visible
from tests.conftest import Command

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def acts(text: str) -> set[str]:
    """The characters of a text that a terminal obeys or hides, line ends and tabs aside."""
    return {c for c in text if unicodedata.category(c) in OBEYED and c not in "\n\t"}


@given(st.text(st.characters()), st.integers(1, 40))
def test_visible_text_never_acts_and_plain_text_stays(text: str, limit: int) -> None:
    assert not acts(visible(text))
    assert len(one_line(text, limit)) <= limit
    assert "\n" not in one_line(text, limit)
    if not acts(text) and all(unicodedata.category(c) not in {"Co", "Cn"} for c in text):
        assert visible(text) == text


def called(run: Path, *options: str) -> str:
    """The command's output, called in this process."""
    result = CliRunner().invoke(build_app(["tasks"]), ["tasks", str(run), *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def listed(run: Path, *options: str) -> dict[str, Any]:
    text = called(run, "--json", *options)
    assert text.isascii()
    assert not acts(text)
    found: dict[str, Any] = json.loads(text)
    return found


def test_search_looks_into_givens_gold_and_texts_of_both_roles(hostile_run: Path) -> None:
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        task = store.tasks("python", "deduction")[7]
        words = [store.attempts(task.id)[2].text, task.gold, task.given["program"]]
    for text in words:
        number = next(word for word in text.split() if word.isdigit() and len(word) > 4)
        found = listed(hostile_run, "--search", f"BECAUSE {number}")
        assert task.id in [row["id"] for row in found["tasks"]]
        assert found["total"] < 20
    assert listed(hostile_run, "--search", "nowhere-to-be-found")["tasks"] == []
    only = listed(hostile_run, "--domain", "python", "--kind", "abduction", "--limit", "7")
    assert only["total"] == 120
    assert {row["kind"] for row in only["tasks"]} == {"abduction"}
    assert [row["step"] for row in only["tasks"]] == [24] * 5 + [23] * 2


def test_one_task_with_its_lineage_and_tries(hostile_run: Path) -> None:
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        child = store.tasks()[-1]
        parent = child.parents[0]
        texts = [attempt.text for attempt in store.attempts(parent)]
    entry = listed(hostile_run, "--id", parent[:12])
    assert entry["id"] == parent
    assert child.id in entry["children"]
    assert [attempt["text"] for attempt in entry["attempts"]] == texts
    assert entry["prompt"].startswith("@solve@python@")


@pytest.mark.parametrize("options", [[], ["--limit", "300"], ["--id"]])
def test_escape_sequences_are_spelt_out(hostile_run: Path, options: list[str]) -> None:
    if options == ["--id"]:
        rows = listed(hostile_run, "--limit", "300")["tasks"]
        options = ["--id", next(row["id"] for row in rows if "\x1b[2J" in row["given"]["program"])]
    text = called(hostile_run, *options)
    assert not acts(text)
    if options:
        # A table breaks long words at the edges of its cells.
        assert r"\x1b[2J" in "".join(character for character in text if character not in "\n │")


def test_mistakes_are_one_line(azr: Command, hostile_run: Path, tmp_path: Path) -> None:
    (tmp_path / "config.resolved.toml").write_text("seed = 1\n")
    for arguments, wanted in [
        ([str(tmp_path)], "holds no tasks yet"),
        ([str(tmp_path / "absent")], "holds no run"),
        ([str(hostile_run), "--id", "zzz"], "'zzz' is no task"),
        ([str(hostile_run), "--id", ""], "begins several"),
    ]:
        with pytest.raises(UserError, match=wanted) as caught:
            called(Path(arguments[0]), *arguments[1:])
        assert "\n" not in str(caught.value)
    result = azr(["tasks", str(tmp_path)])
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {tmp_path} holds no tasks yet\n"
