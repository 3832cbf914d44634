"""The task store: every task, proposal and attempt of a run, in one SQLite file that is always at a step boundary.

All writes of a step happen in one transaction, on the disk when `commit_step` returns, and `rollback` takes the
store back to what it was when an earlier step was committed. Tasks are never deleted by eviction, only set
aside, so that a task once seen stays a duplicate for ever. The store neither judges novelty nor computes rewards.

What grows with the run is only reached through indices: sampling references and looking up ids take the same
time at a million tasks as at a thousand. One process writes; others may read at the same time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Self

from azr_engine.engine.database import Database
from azr_engine.engine.errors import UserError
from azr_engine.engine.learnability import posterior_learnability
from azr_engine.engine.store_records import (
    ATTEMPT_COLUMNS,
    PROPOSAL_COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    TASK_COLUMNS,
    CellCounts,
    SolveStats,
    StoredAttempt,
    StoredProposal,
    attempt_from_row,
    attempt_row,
    proposal_from_row,
    proposal_row,
    task_from_row,
    task_row,
)
from azr_engine.engine.types import Attempt, Proposal, Task

MERIT_HALF_LIFE = 1000
"""How many newer tasks of the same cell weigh as much as half the learnability, when tasks are evicted."""

_IDS_PER_QUERY = 500
_DRAWS_PER_REFERENCE = 4


class TaskStore:
    """Open the store at `path`, making it if need be.

    Args:
        path: the SQLite file; its folder must exist.
        read_only: look without touching; the file must exist.

    Raises:
        UserError: the file cannot be opened or written, or is no task store.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._db = Database(path, SCHEMA, SCHEMA_VERSION, read_only=read_only)

    def close(self) -> None:
        """Close the file; the store is not used afterwards."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def last_step(self) -> int:
        """The last committed step, 0 before the first."""
        return int(self._db.value("SELECT coalesce(max(step), 0) FROM steps"))

    def commit_step(
        self,
        step: int,
        tasks: Iterable[Task] = (),
        proposals: Iterable[Proposal] = (),
        attempts: Iterable[Attempt] = (),
        *,
        capacity: int | None = None,
        retired: Iterable[str] = (),
    ) -> None:
        """Write all of a step in one transaction: whole and durable on return, or not at all.

        Args:
            step: positive, higher than every committed step.
            tasks: admitted in this step, none of them known.
            proposals: all that the proposer wrote, whatever became of it.
            attempts: at tasks that the store holds, new ones included.
            capacity: tasks to keep in each cell (domain, kind) that grew, the rest evicted; None keeps all.
            retired: ids of tasks that are evicted whatever the capacity.

        Raises:
            ValueError: the step was committed already, a task is known, or an attempt's task is not.
            UserError: the disk is full or the file cannot be written.
        """
        with self._db.transaction():
            if step <= self.last_step:
                raise ValueError(f"step {step} is not after the last committed step {self.last_step}; roll back first")
            self._db.execute("INSERT INTO steps VALUES (?)", step)
            grown: dict[tuple[str, str], None] = {}
            for task in tasks:
                self._insert_task(task, step)
                grown[task.domain, task.kind] = None
            for proposal in proposals:
                self._db.insert("proposals", proposal_row(proposal, step))
            touched: dict[str, None] = {}
            for attempt in attempts:
                self._db.insert("attempts", attempt_row(attempt, step))
                touched[attempt.task.id] = None
            self._refresh(touched)
            for task_id in retired:
                self._db.execute(
                    "UPDATE tasks SET evicted_step = ? WHERE id = ? AND evicted_step IS NULL", step, task_id
                )
            if capacity is not None:
                for domain, kind in grown:
                    self._evict(domain, kind, capacity, step)

    def add_seeds(self, tasks: Iterable[Task]) -> int:
        """Add tasks that no step admitted and return how many were new; known ones are skipped.

        They belong to the last committed step: a rollback to before it forgets them.
        """
        with self._db.transaction():
            step, n_added = self.last_step, 0
            for task in tasks:
                if not self.has(task.id):
                    self._insert_task(task, step)
                    n_added += 1
            return n_added

    def evict(self, domain: str, kind: str, capacity: int, step: int) -> int:
        """Set aside the least useful tasks of a cell until `capacity` are left. Returns how many went.

        A task's merit is its posterior learnability, halved for every `MERIT_HALF_LIFE` newer tasks of its cell:
        the old go before the new, and the always or never solved before the learnable. `step` says when, for
        `rollback`; `commit_step` does the same inside its own transaction.
        """
        with self._db.transaction():
            return self._evict(domain, kind, capacity, step)

    def rollback(self, step: int) -> None:
        """Forget everything after `step`: the content becomes what it was when that step was committed.

        Raises:
            UserError: the store ends before `step`, so that it belongs to another run or lost writes.
        """
        with self._db.transaction():
            if step > self.last_step:
                raise UserError(f"{self.path} ends at step {self.last_step} and cannot go to step {step}")
            undone = self._db.rows("SELECT DISTINCT task_id FROM attempts WHERE step > ?", step)
            for table in ("attempts", "proposals", "tasks", "steps"):
                self._db.execute(f"DELETE FROM {table} WHERE step > ?", step)
            self._db.execute("UPDATE tasks SET evicted_step = NULL WHERE evicted_step > ?", step)
            self._refresh(task_id for (task_id,) in undone)

    def has(self, task_id: str) -> bool:
        """Whether the task was ever admitted, evicted ones included."""
        return bool(self._db.value("SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?)", task_id))

    def known_ids(self, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that were ever admitted, evicted ones included."""
        known: set[str] = set()
        rest = iter(ids)
        while chunk := list(islice(rest, _IDS_PER_QUERY)):
            marks = ",".join("?" * len(chunk))
            known.update(row[0] for row in self._db.rows(f"SELECT id FROM tasks WHERE id IN ({marks})", *chunk))
        return known

    def references(self, domain: str, kind: str, n: int, rng: random.Random) -> list[Task]:
        """Up to `n` different tasks of a cell to show a proposer: the recent and the learnable come more often.

        Each is the more learnable of two draws; a draw's age, as a share of the cell, is the square of a uniform
        number. Fewer come back when the cell is smaller. Deterministic for a given content and `rng` state.
        """
        live = "FROM tasks WHERE domain = ? AND kind = ? AND evicted_step IS NULL"
        newest = self._db.rows(f"SELECT id, place {live} ORDER BY place DESC LIMIT ?", domain, kind, n)
        if len(newest) < n or n < 1:
            return [self.task(task_id) for task_id, _ in newest]
        hi = newest[0][1]
        lo = self._db.value(f"SELECT place {live} ORDER BY place LIMIT 1", domain, kind)

        def draw() -> tuple[str, float]:
            place = hi - int((hi - lo + 1) * rng.random() ** 2)
            at = f"SELECT id, learnability {live} AND place <= ? ORDER BY place DESC LIMIT 1"
            task_id, learnability = self._db.rows(at, domain, kind, place)[0]
            return task_id, learnability

        drawn = (max(draw(), draw(), key=itemgetter(1))[0] for _ in range(_DRAWS_PER_REFERENCE * n))
        # A cell hardly larger than n may not yield n different draws: its newest tasks fill the gap.
        distinct = dict.fromkeys(chain(drawn, (task_id for task_id, _ in newest)))
        return [self.task(task_id) for task_id in islice(distinct, n)]

    def task(self, task_id: str) -> Task:
        """The task of this id. Raises KeyError if there is none."""
        rows = self._db.rows(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id = ?", task_id)
        if not rows:
            raise KeyError(task_id)
        return task_from_row(rows[0])

    def tasks(
        self,
        domain: str | None = None,
        kind: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        *,
        newest_first: bool = False,
    ) -> list[Task]:
        """Tasks in the order of their admission, evicted ones included; `limit` None gives all."""
        wanted = {name: value for name, value in (("domain", domain), ("kind", kind)) if value is not None}
        where = " AND ".join(f"{name} = ?" for name in wanted) or "TRUE"
        order = "DESC" if newest_first else "ASC"
        select = f"SELECT {TASK_COLUMNS} FROM tasks WHERE {where} ORDER BY seq {order} LIMIT ? OFFSET ?"
        return [
            task_from_row(row)
            for row in self._db.rows(select, *wanted.values(), -1 if limit is None else limit, offset)
        ]

    def attempts(self, task_id: str) -> list[StoredAttempt]:
        """The attempts at a task, oldest first."""
        select = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE task_id = ? ORDER BY seq"
        return [attempt_from_row(row) for row in self._db.rows(select, task_id)]

    def attempts_in(self, step: int) -> list[StoredAttempt]:
        """All tries of a step, in order."""
        select = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE step = ? ORDER BY seq"
        return [attempt_from_row(row) for row in self._db.rows(select, step)]

    def proposals(self, step: int) -> list[StoredProposal]:
        """All that the proposer wrote in a step, in order."""
        select = f"SELECT {PROPOSAL_COLUMNS} FROM proposals WHERE step = ? ORDER BY seq"
        return [proposal_from_row(row) for row in self._db.rows(select, step)]

    def solve_stats(self, task_id: str) -> SolveStats:
        """How often a task was tried and solved. Raises KeyError if it is unknown."""
        rows = self._db.rows("SELECT n_attempts, n_scored, score_sum FROM tasks WHERE id = ?", task_id)
        if not rows:
            raise KeyError(task_id)
        return SolveStats(*rows[0])

    def counts(self) -> dict[tuple[str, str], CellCounts]:
        """Tasks and attempts per (domain, kind), sorted by name."""
        rows = self._db.rows(
            "SELECT domain, kind, sum(evicted_step IS NULL), sum(evicted_step IS NOT NULL), sum(n_attempts)"
            " FROM tasks GROUP BY domain, kind ORDER BY domain, kind"
        )
        return {(domain, kind): CellCounts(*numbers) for domain, kind, *numbers in rows}

    def integrity_check(self) -> list[str]:
        """What is wrong with the file, a line each; empty when all is well."""
        return self._db.integrity_check()

    def _insert_task(self, task: Task, step: int) -> None:
        newest = "SELECT coalesce(max(place), 0) FROM tasks WHERE domain = ? AND kind = ?"
        place = self._db.value(newest, task.domain, task.kind) + 1
        learnability = posterior_learnability(0.0, 0)
        stats = {"n_attempts": 0, "n_scored": 0, "score_sum": 0.0, "learnability": learnability}
        row = {"step": step, "place": place, **stats, "merit": _merit(place, learnability)}
        self._db.insert("tasks", task_row(task) | row)

    def _refresh(self, task_ids: Iterable[str]) -> None:
        """Recompute what tasks sum up of their attempts, from the attempts: the same going forward and rolling back."""
        for task_id in task_ids:
            places = self._db.rows("SELECT place FROM tasks WHERE id = ?", task_id)
            tries = self._db.rows("SELECT status IN ('pass', 'fail'), score FROM attempts WHERE task_id = ?", task_id)
            scores = [score for scored, score in tries if scored]
            total = math.fsum(scores)
            learnability = posterior_learnability(total, len(scores))
            for (place,) in places:
                self._db.execute(
                    "UPDATE tasks SET n_attempts = ?, n_scored = ?, score_sum = ?, learnability = ?, merit = ?"
                    " WHERE id = ?",
                    *(len(tries), len(scores), total, learnability, _merit(place, learnability), task_id),
                )

    def _evict(self, domain: str, kind: str, capacity: int, step: int) -> int:
        live = "FROM tasks WHERE domain = ? AND kind = ? AND evicted_step IS NULL"
        n_surplus = int(self._db.value(f"SELECT count(*) {live}", domain, kind)) - capacity
        if n_surplus <= 0:
            return 0
        least = f"SELECT seq {live} ORDER BY merit, seq LIMIT ?"
        self._db.execute(f"UPDATE tasks SET evicted_step = ? WHERE seq IN ({least})", step, domain, kind, n_surplus)
        return n_surplus


def _merit(place: int, learnability: float) -> float:
    """place + half-life * log2(learnability): orders as learnability * 2 ** -(age / half-life) does, at any time."""
    return place + MERIT_HALF_LIFE * math.log2(learnability)
