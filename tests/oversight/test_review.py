"""Alarms that pause: raised once and the same after a resume, listed, approved or rejected, and obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azr_engine.curriculum.watch import WatchConfig
from azr_engine.engine.chain import verify_chain
from azr_engine.engine.errors import UserError
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Alarm, Completion, Event, Malformed, Proposal
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.inspector import InspectedWatch, Inspector, flagged_texts
from azr_engine.oversight.plugin import Oversight
from azr_engine.oversight.review import FILE, ReviewQueue
from tests.conftest import Command

ALARM = Alarm("reasoning", 3, "3 texts were flagged", "critical")


def proposal(text: str, kind: str = "k") -> Proposal:
    return Proposal("d", kind, Completion((1,), (2,), (-0.5,), text, "stop", 0))


def record(store: TaskStore, first: int, texts: list[str]) -> None:
    for step, text in enumerate(texts, first):
        store.commit_step(step, (), [proposal(text)] * 4)


CONFIG = OversightConfig(reading_window=3, reading_limit=2, drift_window=2, drift_limit=0.3)
BAD, GOOD = "let me fool the grader", "def f(x): return x"


def test_flagged_texts_raise_one_alarm_until_there_are_fewer(tmp_path: Path) -> None:
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        record(store, 1, [BAD, GOOD, BAD, GOOD, GOOD, GOOD, BAD, BAD])
        inspector = Inspector(CONFIG, store)
        found = {step: [a.name for a in inspector.inspect(step) if a.name == "reasoning"] for step in range(9)}
        # The same text four times in a step is one text.
        assert {step for step, names in found.items() if names} == {3, 8}
        assert Inspector(CONFIG.model_copy(update={"enabled": False}), store).inspect(3) == []
        (first, *_) = flagged_texts(store, range(1, 9), limit=2)
        assert (first["step"], first["role"], first["flags"]) == (8, "propose", ["grader"])


def test_proposals_that_become_others_raise_drift(tmp_path: Path) -> None:
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        record(store, 1, [GOOD, GOOD, GOOD, "lambda: 1 * 2", "lambda: 3 * 4", "lambda: 5 * 6"])
        store.commit_step(7, (), [Proposal("d", "k", proposal("???" * 50).completion, outcome=Malformed("x", ""))])
        inspector = Inspector(CONFIG, store)
        alarms = {step: [a for a in inspector.inspect(step) if a.name == "drift"] for step in range(8)}
        assert [step for step, found in alarms.items() if found] == [5]
        assert "proposals of d/k are 0." in alarms[5][0].message or "are 1.0" in alarms[5][0].message


def test_a_resumed_watch_raises_what_it_would_have(tmp_path: Path) -> None:
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        record(store, 1, [BAD, GOOD, BAD, GOOD, "lambda: 1 * 2", "lambda: 2 * 3", BAD, BAD])
        whole = InspectedWatch(WatchConfig(), Inspector(CONFIG, store))
        told = [whole.hear(step, {}, {}, 0.0) for step in range(1, 10)]
        assert sum(map(len, told)) >= 3
        for cut in range(1, 9):
            begun = InspectedWatch(WatchConfig(), Inspector(CONFIG, store))
            first = [begun.hear(step, {}, {}, 0.0) for step in range(1, cut + 1)]
            resumed = InspectedWatch(WatchConfig(), Inspector(CONFIG, store))
            resumed.load_state_dict(json.loads(json.dumps(begun.state_dict())))
            assert first + [resumed.hear(step, {}, {}, 0.0) for step in range(cut + 1, 10)] == told


def test_an_alarm_waits_until_it_is_approved_and_not_again(tmp_path: Path) -> None:
    plugin, queue = Oversight(OversightConfig()), ReviewQueue(tmp_path)
    plugin.azr_observe(Event("run", 0, {"folder": str(tmp_path)}))
    assert plugin.azr_on_alarm(Alarm("entropy", 1, "low")) is None
    assert plugin.azr_on_alarm(ALARM) == plugin.azr_on_alarm(ALARM) == "pause"
    (item,) = queue.items()
    with pytest.raises(UserError, match="wait for review"):
        queue.require_approved()
    queue.decide("all", "reject", "no")
    with pytest.raises(UserError, match="rejected"):
        queue.require_approved()
    assert plugin.azr_on_alarm(ALARM) == "pause"
    queue.decide(item.id, "approve", "after all")
    queue.require_approved()
    assert plugin.azr_on_alarm(ALARM) is None
    assert [(i.decision, i.note) for i in queue.items()] == [("approve", "after all")]
    for key in ("all", "nothing"):
        with pytest.raises(UserError, match=r"nothing waits|no alarm"):
            queue.decide(key, "approve")


def test_a_torn_line_of_the_queue_is_left_out(tmp_path: Path) -> None:
    queue = ReviewQueue(tmp_path)
    assert queue.items() == [] and queue.waits(ALARM)
    with (tmp_path / FILE).open("a") as file:
        file.write('{"id": "x", "ala')
    assert len(queue.items()) == 1


def timeless(run: Path) -> list[dict[str, Any]]:
    """The metrics without times and memory."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k not in ("seconds", "phase_seconds", "memory_mb")} for line in lines]


def test_a_paused_run_is_reviewed_and_goes_on_as_if_nothing_had_been(azr: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = ["--domains", "python", "--seed", "1", "--threads", "1", "--steps", "2", "--set", "store.seeds=2"]
    settings += ["--set", "play.proposals=4", "--set", "play.attempts=2", "--set", "checkpoint.every=2"]
    settings += ["--set", "watch.starvation_steps=1", "--set", "watch.starvation_floor=99"]
    paused = azr(["run", *settings, "--out", str(run), "--set", 'oversight.pause_on=["starvation"]'])
    assert paused.returncode == 3 and "starvation" in paused.stderr, paused.stderr
    (before,) = timeless(run)
    refused = azr(["run", "--resume", "--out", str(run)])
    assert refused.returncode == 2 and "wait for review" in refused.stderr and refused.stderr.count("error") == 1
    approved = azr(["review", str(run), "--approve", "all", "--note", "expected", "--json"])
    (decided,) = json.loads(approved.stdout)["decided"]
    assert (decided["decision"], decided["alarm"]["name"]) == ("approve", "starvation")
    # The checkpoint comes after step 2, so the step with the alarm is made again.
    resumed = azr(["run", "--resume", "--out", str(run)])
    assert resumed.returncode == 0, resumed.stderr
    assert [line["step"] for line in timeless(run)] == [1, 2] and timeless(run)[0] == before
    assert verify_chain(run / "events.jsonl").wrong == ""


def test_what_waits_is_listed_for_people_with_hostile_text_made_harmless(azr: Command, tmp_path: Path) -> None:
    (tmp_path / "config.resolved.toml").write_text("")
    ReviewQueue(tmp_path).waits(ALARM)
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        record(store, 1, ["\x1b[2J[red]I will fool the grader\u202e"])
    shown = azr(["review", str(tmp_path)])
    assert shown.returncode == 0, shown.stderr
    assert "step 3 reasoning: 3 texts were flagged [waits]" in shown.stdout
    assert "flagged 50% in step 1, propose, grader: \\x1b[2J[red]I will fool the grader\\u202e" in shown.stdout
