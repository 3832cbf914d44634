"""The chained log: whole after any number of appends and cuts, and never after a change of what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.engine.chain import GENESIS, ChainedLog, verify_chain
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.types import Event
from tests.conftest import Command

Lines = list[bytes]


def written(run: RunDirectory, n_steps: int, first: int = 1) -> None:
    for step in range(first, first + n_steps):
        run.append_event(Event("note", step, {"text": f'step {step} \u2028 "}}" ü', "chain": "0" * 64}))
        run.save_checkpoint(step, lambda folder: None, {"step": step}, keep=3)
        run.append_metrics({"step": step})
        run.append_event(Event("step", step))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    own = RunDirectory.create(tmp_path / "run")
    own.write_config("")
    written(own, 4)
    return own


def test_a_log_as_it_was_written_is_whole(run: RunDirectory) -> None:
    found = verify_chain(run.events_path)
    assert (found.n_lines, found.wrong) == (8, "")
    assert verify_chain(run.events_path, found.head).wrong == ""
    assert json.loads(run.events_path.read_text().splitlines()[-1])["chain"] == found.head


def change(lines: Lines) -> Lines:
    return [lines[0], lines[1].replace(b'"step":1', b'"step":2'), *lines[2:]]


def change_to_the_same_meaning(lines: Lines) -> Lines:
    return [lines[0].replace(b'{"name"', b'{ "name"'), *lines[1:]]


def change_the_last(lines: Lines) -> Lines:
    return [*lines[:-1], lines[-1].replace(b"step", b"note", 1)]


def without(number: int) -> Callable[[Lines], Lines]:
    return lambda lines: lines[:number] + lines[number + 1 :]


def swap(lines: Lines) -> Lines:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def repeat(lines: Lines) -> Lines:
    return [*lines[:3], lines[2], *lines[3:]]


def insert(lines: Lines) -> Lines:
    return [lines[0], b'{"name":"note","step":1,"data":{}}', *lines[1:]]


@pytest.mark.parametrize(
    ("forge", "line"),
    [
        (change, 2),
        (change_to_the_same_meaning, 1),
        (change_the_last, 8),
        (without(0), 1),
        (without(3), 4),
        (without(7), None),
        (lambda lines: lines[:4], None),
        (lambda lines: [], None),
        (swap, 2),
        (repeat, 4),
        (insert, 2),
    ],
)
def test_what_was_done_to_a_log_shows(run: RunDirectory, forge: Callable[[Lines], Lines], line: int | None) -> None:
    lines = run.events_path.read_bytes().splitlines()
    run.events_path.write_bytes(b"".join(each + b"\n" for each in forge(lines)))
    found = verify_chain(run.events_path)
    assert found.wrong.startswith(f"line {line} ") if line else "missing at the end" in found.wrong
    assert found.n_lines == (line - 1 if line else len(forge(lines)))


def test_a_run_cut_back_to_its_checkpoint_is_whole_before_and_after_it_goes_on(run: RunDirectory) -> None:
    noted = verify_chain(run.events_path).head
    run.append_event(Event("begun", 5))
    with run.events_path.open("ab") as file:
        file.write(b'{"name":"torn')
    assert verify_chain(run.events_path).wrong == "", "a line is still being written"
    run.close()
    again = RunDirectory.resume(run.path)
    assert again.recover() == 4
    assert verify_chain(again.events_path).n_lines == 8
    written(again, 2, first=5)
    found = verify_chain(again.events_path, noted)
    assert (found.n_lines, found.wrong) == (12, "")
    again.close()


def test_a_head_noted_elsewhere_gives_away_a_chain_that_was_made_anew(run: RunDirectory) -> None:
    noted = verify_chain(run.events_path).head
    events = [json.loads(line) for line in run.events_path.read_text().splitlines()[:-2]]
    run.events_path.unlink()
    forged = ChainedLog(run.events_path)
    for event in events:
        forged.append(json.dumps({key: value for key, value in event.items() if key != "chain"}) + "\n")
    assert verify_chain(run.events_path).wrong == ""
    assert "no line has the hash" in verify_chain(run.events_path, noted).wrong


def test_a_run_killed_between_a_line_and_its_head_is_whole(run: RunDirectory) -> None:
    before = run.events_path.with_suffix(".head").read_text()
    run.append_event(Event("step", 5))
    run.events_path.with_suffix(".head").write_text(before)
    assert verify_chain(run.events_path).wrong == ""
    run.events_path.with_suffix(".head").unlink()
    assert "missing" in verify_chain(run.events_path).wrong


def test_no_log_is_a_whole_log(tmp_path: Path) -> None:
    assert verify_chain(tmp_path / "events.jsonl").head == GENESIS
    assert verify_chain(tmp_path / "events.jsonl").wrong == ""


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3), max_size=6))
def test_any_data_is_chained(data: list[dict[str, str | int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        log = ChainedLog(Path(folder) / "events.jsonl")
        for item in data:
            log.append(json.dumps({"data": item}) + "\n")
        found = verify_chain(log.path)
        assert (found.n_lines, found.wrong) == (len(data), "")


def test_the_command_says_so_and_exits_with_1(azr: Command, run: RunDirectory) -> None:
    good = azr(["verify-log", str(run.path)])
    assert good.returncode == 0 and good.stdout.startswith("8 lines, whole; head ")
    run.events_path.write_bytes(run.events_path.read_bytes().replace(b"step 2", b"step 9"))
    bad = azr(["verify-log", str(run.path), "--json"])
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["wrong"] == "line 3 is not what was written after line 2"
    assert azr(["verify-log", str(run.path / "nowhere")]).returncode == 2
