"""The task store: what goes in comes out, steps are atomic, rollback is exact, eviction and sampling are fair."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azr_engine.engine import store as store_module
from azr_engine.engine.errors import UserError
from azr_engine.engine.store import TaskStore
from azr_engine.engine.store_records import CellCounts
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Malformed,
    Proposal,
    Rejection,
    Task,
    Verdict,
    task_id,
)
from tests.conftest import PATIENCE_SECONDS

CELL = ("python", "deduction")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TaskStore]:
    with TaskStore(tmp_path / "tasks.sqlite") as opened:
        yield opened


def make_task(number: int, kind: str = "deduction") -> Task:
    given_ = {"program": "def f(x): return x", "input": str(number)}
    gold = {"output": str(number)}
    return Task(task_id("python", kind, given_), "python", kind, given_, gold, "def _(_): return _")


def make_tasks(start: int, stop: int, kind: str = "deduction") -> list[Task]:
    return [make_task(number, kind) for number in range(start, stop)]


def completion(text: str = "text", version: int = 1) -> Completion:
    return Completion((1, 2), (3, 4, 5), (-0.5, -0.25, -1.0), text, "stop", version)


def tries(task: Task, *scores: float) -> list[Attempt]:
    verdicts = [Verdict("pass" if score else "fail", score) for score in scores]
    return [Attempt(task, completion(), Answer({"value": "1"}, "1"), v, v.score) for v in verdicts]


def dump(store: TaskStore) -> list[str]:
    with sqlite3.connect(store.path) as connection:
        return list(connection.iterdump())


def test_a_task_comes_back_as_it_went_in(store: TaskStore) -> None:
    gold = {"nested": [1, {"a": None}]}
    task = replace(make_task(1), gold=gold, signature="1,2", draft={"é": "∀"}, parents=("a", "b"), born_step=1)
    store.commit_step(1, [task])
    assert store.task(task.id) == task
    assert store.tasks() == [task]
    with pytest.raises(KeyError):
        store.task("unknown")


def test_attempts_come_back_with_answer_verdict_and_reward(store: TaskStore) -> None:
    task = make_task(1)
    answers: list[Answer | Malformed] = [
        Answer({"value": [1, 2]}, "raw"),
        Malformed("no answer", "raw"),
        Answer({"value": 1}, "1"),
    ]
    verdicts = [Verdict("pass", 1.0, "", 3, 0.5), Verdict("fail", 0.0, "malformed"), Verdict("fault", 0.0, "killed")]
    attempts = [
        Attempt(task, completion(f"text {r}", version=4), answer, verdict, r)
        for answer, verdict, r in zip(answers, verdicts, (1.0, -1.0, None), strict=True)
    ]
    store.commit_step(3, [task], (), attempts)
    stored = store.attempts(task.id)
    assert [(s.answer, s.verdict, s.reward) for s in stored] == [(a.answer, a.verdict, a.reward) for a in attempts]
    assert {(s.step, s.task_id, s.n_tokens, s.finish, s.weight_version) for s in stored} == {(3, task.id, 3, "stop", 4)}
    assert [s.text for s in stored] == ["text 1.0", "text -1.0", "text None"]


def test_proposals_come_back_with_what_became_of_them(store: TaskStore) -> None:
    task = make_task(1)
    outcomes = [task, Malformed("no input", "x"), Rejection("timeout"), Rejection("crash", fault=True), None]
    proposals = [Proposal(*CELL, completion(), ("p",), outcome, 0.25) for outcome in outcomes]
    store.commit_step(2, [task], proposals)
    stored = store.proposals(2)
    assert [(s.outcome, s.reason, s.task_id) for s in stored] == [
        ("task", "", task.id),
        ("malformed", "no input", None),
        ("rejected", "timeout", None),
        ("fault", "crash", None),
        ("none", "", None),
    ]
    assert {(s.domain, s.kind, s.parents, s.reward, s.n_tokens) for s in stored} == {(*CELL, ("p",), 0.25, 3)}
    assert store.proposals(1) == []


def test_text_that_no_utf8_file_can_hold_does_not_stop_a_run(store: TaskStore) -> None:
    store.commit_step(1, (), [Proposal(*CELL, completion("a\ud800b\0c"), outcome=Malformed("r", ""))])
    assert store.proposals(1)[0].text == "a?b\0c"


def test_solve_stats_count_all_tries_but_score_only_the_scored(store: TaskStore) -> None:
    task = make_task(1)
    faults = [Attempt(task, completion(), Answer({}, ""), Verdict(s, 0.0), None) for s in ("fault", "abstain")]
    store.commit_step(1, [task], (), tries(task, 1, 0, 0.5))
    assert store.solve_stats(task.id).solve_rate == 0.5
    store.commit_step(2, (), (), [*faults, *tries(task, 0)])
    stats = store.solve_stats(task.id)
    assert (stats.n_attempts, stats.n_scored, stats.score_sum) == (6, 4, 1.5)
    assert stats.learnability == pytest.approx(1.5 * 2.5 / 12)
    with pytest.raises(KeyError):
        store.solve_stats("unknown")


def test_an_untried_task_has_no_solve_rate(store: TaskStore) -> None:
    store.add_seeds([make_task(1)])
    stats = store.solve_stats(make_task(1).id)
    assert (stats.n_attempts, stats.solve_rate, stats.learnability) == (0, None, None)


def test_known_ids_finds_evicted_tasks_and_more_than_one_query_holds(store: TaskStore) -> None:
    tasks = make_tasks(0, 1200)
    store.add_seeds(tasks)
    store.evict(*CELL, 5, 0)
    asked = [task.id for task in tasks] + [f"unknown {i}" for i in range(700)]
    assert store.known_ids(iter(asked)) == {task.id for task in tasks}
    assert store.known_ids([]) == set()
    assert store.has(tasks[0].id) and not store.has("unknown 0")


def test_tasks_are_listed_by_cell_page_and_age(store: TaskStore) -> None:
    deduction, abduction = make_tasks(0, 5), make_tasks(0, 3, "abduction")
    store.add_seeds([*deduction, *abduction])
    assert store.tasks("python", "deduction") == deduction
    assert store.tasks(kind="abduction") == abduction
    assert store.tasks("python", limit=3, offset=4) == [deduction[4], *abduction[:2]]
    assert store.tasks(newest_first=True, limit=2) == abduction[:0:-1]
    assert store.tasks("math") == []


def test_counts_by_cell(store: TaskStore) -> None:
    store.commit_step(1, [*make_tasks(0, 4), *make_tasks(0, 2, "abduction")], (), tries(make_task(0), 1, 0))
    store.evict(*CELL, 1, 1)
    assert store.counts() == {("python", "abduction"): CellCounts(2, 0, 0), CELL: CellCounts(1, 3, 2)}


def test_seeds_may_be_added_again(store: TaskStore) -> None:
    assert store.add_seeds(make_tasks(0, 3)) == 3
    before = dump(store)
    assert store.add_seeds(make_tasks(0, 3)) == 0
    assert dump(store) == before
    assert store.add_seeds(make_tasks(2, 5)) == 2


@pytest.mark.parametrize("fault", ["known task", "unknown task", "repeated step", "generator"])
def test_a_step_that_fails_leaves_nothing(store: TaskStore, fault: str) -> None:
    store.commit_step(1, make_tasks(0, 3))
    before = dump(store)

    def broken() -> Iterator[Task]:
        yield make_task(10)
        raise RuntimeError("broken")

    with pytest.raises((ValueError, RuntimeError)):
        match fault:
            case "known task":
                store.commit_step(2, make_tasks(5, 8) + make_tasks(0, 1))
            case "unknown task":
                store.commit_step(2, make_tasks(5, 8), (), tries(make_task(99), 1.0))
            case "repeated step":
                store.commit_step(1, make_tasks(5, 8))
            case _:
                store.commit_step(2, broken())
    assert dump(store) == before
    store.commit_step(2, make_tasks(5, 8))


steps_strategy = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.1, 0.7, 1.0])), max_size=6),
        st.none() | st.integers(1, 6),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(plan=steps_strategy, data=st.data())
def test_rollback_gives_exactly_the_content_of_that_step(
    plan: list[tuple[int, list[tuple[int, float]], int | None, int]],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with TaskStore(tmp_path_factory.mktemp("rollback") / "tasks.sqlite") as store:
        store.add_seeds(make_tasks(0, 3))
        contents, n_tasks, step = {0: dump(store)}, 3, 0
        for n_new, played, capacity, stride in plan:
            step += stride
            new = make_tasks(n_tasks, n_tasks + n_new)
            n_tasks += n_new
            attempts = [a for number, score in played for a in tries(make_task(number % n_tasks), score)]
            store.commit_step(
                step, new, [Proposal(*CELL, completion(), outcome=t) for t in new], attempts, capacity=capacity
            )
            contents[step] = dump(store)
        while len(contents) > 1:
            target = data.draw(st.sampled_from(sorted(contents)))
            store.rollback(target)
            assert store.last_step == target
            assert dump(store) == contents[target]
            assert store.integrity_check() == []
            contents = {s: content for s, content in contents.items() if s < target} or {0: []}


def test_a_step_repeated_after_rollback_is_the_same_to_the_bit(store: TaskStore) -> None:
    def play(step: int) -> None:
        new = make_tasks(10 * step, 10 * step + 4)
        store.commit_step(step, new, (), [a for t in new for a in tries(t, 0.1, 0.7, step / 10)], capacity=6)

    for step in (1, 2, 3):
        play(step)
    first, draws = dump(store), store.references(*CELL, 4, random.Random(5))
    store.rollback(1)
    for step in (2, 3):
        play(step)
    assert dump(store) == first
    assert store.references(*CELL, 4, random.Random(5)) == draws


def test_rollback_past_the_end_is_refused(store: TaskStore) -> None:
    store.commit_step(1)
    with pytest.raises(UserError, match="ends at step 1 and cannot go to step 2"):
        store.rollback(2)


def test_eviction_is_soft_and_prefers_the_old_and_the_settled(store: TaskStore) -> None:
    tasks = make_tasks(0, 8)
    played = [*tries(tasks[0], 1, 0, 1, 0), *tries(tasks[5], 1, 1, 1, 1), *tries(tasks[6], 0, 0, 0, 0)]
    store.commit_step(1, tasks, (), played)
    assert store.evict(*CELL, 6, 1) == 2
    assert _live(store) == {tasks[i].id for i in (0, 1, 2, 3, 4, 7)}, "always and never solved go first"
    assert store.evict(*CELL, 3, 1) == 3
    assert _live(store) == {tasks[i].id for i in (0, 4, 7)}, "then the oldest, but not the learnable"
    assert store.evict(*CELL, 3, 1) == 0
    assert store.has(tasks[5].id) and len(store.tasks()) == 8


def test_age_outweighs_learnability_in_the_end(store: TaskStore) -> None:
    old, n_newer = make_task(0), 3 * store_module.MERIT_HALF_LIFE
    store.commit_step(1, [old], (), tries(old, 1, 0, 1, 0))
    store.commit_step(2, make_tasks(1, 1 + n_newer), capacity=n_newer)
    assert old.id in _live(store)
    store.evict(*CELL, n_newer - store_module.MERIT_HALF_LIFE, 2)
    assert old.id not in _live(store)


def test_capacity_bounds_only_the_cells_that_grew(store: TaskStore) -> None:
    store.add_seeds([*make_tasks(0, 5), *make_tasks(0, 5, "abduction")])
    store.commit_step(1, make_tasks(5, 7), capacity=3)
    assert {cell: count.live for cell, count in store.counts().items()} == {CELL: 3, ("python", "abduction"): 5}


def test_retired_tasks_are_no_references_until_their_step_is_rolled_back(store: TaskStore) -> None:
    tasks = make_tasks(0, 4)
    store.commit_step(1, tasks)
    store.commit_step(2, attempts=tries(tasks[0], 1.0, 1.0), retired=[tasks[0].id])
    assert tasks[0] not in store.references(*CELL, 4, random.Random(0))
    assert store.has(tasks[0].id)
    store.rollback(1)
    assert tasks[0] in store.references(*CELL, 4, random.Random(0))


def test_references_are_distinct_live_tasks_of_the_cell_and_repeatable(store: TaskStore) -> None:
    store.add_seeds([task for i in range(40) for task in (make_task(i), make_task(i, "abduction"))])
    store.evict(*CELL, 15, 0)
    for n in (1, 6, 14, 15):
        found = store.references(*CELL, n, random.Random(n))
        assert found == store.references(*CELL, n, random.Random(n))
        assert len({task.id for task in found}) == n
        assert {task.id for task in found} <= _live(store)
    assert all(len(store.references(*CELL, 14, random.Random(seed))) == 14 for seed in range(30))
    assert len(store.references(*CELL, 99, random.Random(0))) == 15
    assert store.references(*CELL, 0, random.Random(0)) == []
    assert store.references("math", "deduction", 3, random.Random(0)) == []


def test_references_favour_the_recent_and_the_learnable_but_reach_all(store: TaskStore) -> None:
    tasks = make_tasks(0, 40)
    learnable = set(range(0, 40, 2))
    played = [a for i, t in enumerate(tasks) for a in tries(t, *((1, 0, 1, 0) if i in learnable else (1, 1, 1, 1)))]
    store.commit_step(1, tasks, (), played)
    rng = random.Random(0)
    drawn = Counter(int(t.given["input"]) for _ in range(600) for t in store.references(*CELL, 3, rng))
    assert set(drawn) == set(range(40))
    assert sum(drawn[i] for i in range(20, 40)) > 1.3 * sum(drawn[i] for i in range(20))
    assert sum(drawn[i] for i in learnable) > 1.3 * sum(n for i, n in drawn.items() if i not in learnable)


def test_references_do_not_depend_on_how_a_cell_lies_between_others(store: TaskStore, tmp_path: Path) -> None:
    for block in range(10):
        store.add_seeds(make_tasks(4 * block, 4 * block + 4))
        store.add_seeds(make_tasks(100 * block, 100 * block + 100, "abduction"))
    with TaskStore(tmp_path / "alone.sqlite") as alone:
        alone.add_seeds(make_tasks(0, 40))
        for seed in range(50):
            drawn = store.references(*CELL, 3, random.Random(seed))
            assert drawn == alone.references(*CELL, 3, random.Random(seed))


def test_lookups_use_indices_whatever_the_size(store: TaskStore) -> None:
    """The plan, not the clock: every query of the hot path must be a search, never a scan."""
    store.add_seeds(make_tasks(0, 50))
    statements: list[str] = []
    with sqlite3.connect(store.path) as connection:
        store._db._connection.set_trace_callback(statements.append)
        store.references(*CELL, 3, random.Random(0))
        store.known_ids(["a", "b"])
        store.commit_step(1, make_tasks(50, 52), (), tries(make_task(0), 1, 0), capacity=20)
        store._db._connection.set_trace_callback(None)
        plans = {
            (row[3], sql)
            for sql in statements
            if sql.lstrip().startswith(("SELECT", "UPDATE"))
            for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
        }
    scans = [plan for plan in plans if plan[0].startswith("SCAN") and plan[0] != "SCAN CONSTANT ROW"]
    assert plans and not scans


def test_a_reader_sees_whole_steps_while_the_writer_writes(store: TaskStore) -> None:
    store.commit_step(1, make_tasks(0, 3))
    with TaskStore(store.path, read_only=True) as reader:

        def observed() -> Iterator[Task]:
            yield make_task(10)
            assert len(reader.tasks()) == 3
            yield make_task(11)

        store.commit_step(2, observed())
        assert len(reader.tasks()) == 5
        with pytest.raises(UserError, match="readonly"):
            reader.commit_step(3)


def test_the_store_outlives_its_process(tmp_path: Path) -> None:
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        store.commit_step(4, make_tasks(0, 3))
        before = dump(store)
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        assert store.last_step == 4
        assert dump(store) == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_path_that_cannot_be_a_store_is_one_clear_line(tmp_path: Path, read_only: bool) -> None:
    (tmp_path / "text").write_text("this is not a database, and long enough to be sure " * 10)
    with sqlite3.connect(tmp_path / "newer") as connection:
        connection.execute("PRAGMA user_version = 99")
    for path in (tmp_path / "no" / "folder.sqlite", tmp_path / "text", tmp_path / "newer", tmp_path):
        with pytest.raises(UserError, match=str(path)) as caught:
            TaskStore(path, read_only=read_only)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "no").exists()


def test_reading_never_makes_a_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.sqlite"):
        TaskStore(tmp_path / "nothing.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_without_permission_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(UserError, match=r"tasks\.sqlite: unable to open database file"):
            TaskStore(tmp_path / "tasks.sqlite")
    finally:
        tmp_path.chmod(0o755)


def test_a_full_disk_is_one_clear_line_and_the_last_step_stays(store: TaskStore) -> None:
    store.commit_step(1, make_tasks(0, 3))
    before = dump(store)
    store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(UserError, match=r"tasks\.sqlite: database or disk is full"):
        store.commit_step(2, make_tasks(3, 5000))
    assert dump(store) == before
    assert store.last_step == 1
    store._db.execute("PRAGMA max_page_count = 100000")
    store.commit_step(2, make_tasks(3, 50))


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "tasks.sqlite"
    with TaskStore(path) as store:
        store.commit_step(1, make_tasks(0, 2000))
        assert store.integrity_check() == []
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 20_000)
    with TaskStore(path) as store:
        assert store.integrity_check() != []


KILLED_IN_A_LARGE_STEP = """
import os, signal, sys
from pathlib import Path
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Task, task_id

def tasks(start, stop):
    for i in range(start, stop):
        given = {"i": i, "padding": "x" * 2000}
        yield Task(task_id("p", "k", given), "p", "k", given, {}, "s")
    if start:
        os.kill(os.getpid(), signal.SIGKILL)

store = TaskStore(Path(sys.argv[1]))
store.commit_step(1, tasks(0, 10))
print("committed", flush=True)
store.commit_step(2, tasks(10, 4000))
"""


def test_killed_in_the_middle_of_a_step_larger_than_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "tasks.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", KILLED_IN_A_LARGE_STEP, str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "committed\n"), done.stderr
    with TaskStore(path) as store:
        assert store.integrity_check() == []
        assert (store.last_step, len(store.tasks())) == (1, 10)
        store.commit_step(2, make_tasks(0, 3))


def test_killed_in_any_state_of_the_disk_the_store_is_at_a_step_boundary(tmp_path: Path) -> None:
    script = Path(__file__).with_name("kill_at_every_change.py")
    done = subprocess.run(
        [sys.executable, str(script), "store", str(tmp_path / "killed")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    n_runs = int(done.stdout)
    with TaskStore(tmp_path / "killed" / "0" / "tasks.sqlite") as store:
        before = dump(store)
    with TaskStore(tmp_path / "killed" / str(n_runs) / "tasks.sqlite") as store:
        after = dump(store)
    ends = []
    for number in range(1, n_runs + 1):
        with TaskStore(tmp_path / "killed" / str(number) / "tasks.sqlite") as store:
            ends.append(store.last_step)
            assert store.integrity_check() == []
            assert dump(store) == (before if store.last_step == 1 else after)
            store.rollback(1)
            assert dump(store) == before
    assert ends == sorted(ends)
    assert set(ends) == {1, 2}


def _live(store: TaskStore) -> set[str]:
    with sqlite3.connect(store.path) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM tasks WHERE evicted_step IS NULL")}
