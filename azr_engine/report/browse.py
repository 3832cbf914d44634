"""Every task of a run, and every proposal that became none, as plain JSON: to list, to search and to open.

Two tables are browsed, `tasks` and `proposals` (those without a task). Rows are grouped in chunks of `CHUNK` by their
number in the table, which never changes, so that a chunk can be kept, sent or compressed on its own. Reading only,
also while the run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from azr_engine.engine.database import Database
from azr_engine.engine.store_records import (
    ATTEMPT_COLUMNS,
    PROPOSAL_COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    TASK_COLUMNS,
    attempt_from_row,
    proposal_from_row,
    task_from_row,
)
from azr_engine.engine.types import Malformed, Task
from azr_engine.report.prompts import Prompts
from azr_engine.report.visible import one_line

CHUNK = 100
"""Rows of a chunk."""
INDEX_LIMIT = 200_000
"""The newest rows of each table that an index lists."""
PREVIEW_CHARACTERS = 110

Table = Literal["tasks", "proposals"]
TABLES: tuple[Table, ...] = ("tasks", "proposals")

_LOST = "task_id IS NULL AND outcome <> 'none'"
_IDS_PER_QUERY = 500


class Browser:
    """The task store of a run, opened for reading.

    Args:
        path: `tasks.sqlite`.
        prompts: renders the prompts again; None leaves them out.

    Raises:
        UserError: the file cannot be read, or is no task store.
    """

    def __init__(self, path: Path, prompts: Prompts | None = None) -> None:
        self._db = Database(path, SCHEMA, SCHEMA_VERSION, read_only=True)
        self._prompts = prompts

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def counts(self) -> dict[str, int]:
        """Rows of the store: `tasks`, `attempts`, `proposals`."""
        return {
            name: int(self._db.value(f"SELECT count(*) FROM {name}")) for name in ("tasks", "attempts", "proposals")
        }

    def task_rates(self) -> list[tuple[str, str, int, float]]:
        """(domain, kind, step, mean score) of each task in the step that it was new in."""
        return self._db.rows(
            "SELECT t.domain, t.kind, a.step, avg(a.score) FROM attempts a JOIN tasks t ON t.id = a.task_id"
            " WHERE a.step = t.step AND a.status IN ('pass', 'fail') GROUP BY a.task_id"
        )

    def verdicts(self) -> list[tuple[str, int, str, int]]:
        """(domain, step, status, number) of all verdicts; answers that could not be read are `malformed`."""
        return self._db.rows(
            "SELECT t.domain, a.step, CASE WHEN a.malformed THEN 'malformed' ELSE a.status END AS word, count(*)"
            " FROM attempts a JOIN tasks t ON t.id = a.task_id GROUP BY t.domain, a.step, word"
        )

    def index(self, table: Table) -> dict[str, list[Any]]:
        """What the browser lists and searches first, as columns, oldest row first.

        `seq id domain kind step outcome preview reward` of both tables; tasks have `tries scored score parents` too,
        `parents` by number, and proposals `reason`. `reward` is the proposer's; `outcome` of a task is where it came
        from: `seed`, `proposed` or `drawn`.
        """
        return self._task_index() if table == "tasks" else self._proposal_index()

    def _task_index(self) -> dict[str, list[Any]]:
        rows = self._db.rows(
            "SELECT t.seq, t.id, t.domain, t.kind, t.step, t.born_step, t.given, t.parents, t.n_attempts, t.n_scored,"
            " t.score_sum, p.seq, p.reward FROM tasks t LEFT JOIN proposals p ON p.task_id = t.id"
            " GROUP BY t.seq ORDER BY t.seq DESC LIMIT ?",
            INDEX_LIMIT,
        )[::-1]
        places = {row[1]: row[0] for row in rows}
        names = "seq id domain kind step outcome preview parents tries scored score reward".split()
        index: dict[str, list[Any]] = {name: [] for name in names}
        for seq, task_id, domain, kind, step, born, given, parents, tries, scored, score, proposal, reward in rows:
            outcome = "proposed" if proposal is not None else "drawn" if born else "seed"
            known = [places[parent] for parent in json.loads(parents) if parent in places]
            values = (seq, task_id, domain, kind, step, outcome, preview(json.loads(given)), known, tries, scored)
            for name, value in zip(names, (*values, score, reward), strict=True):
                index[name].append(value)
        return index

    def _proposal_index(self) -> dict[str, list[Any]]:
        names = "seq id domain kind step outcome preview reward reason".split()
        rows = self._db.rows(
            f"SELECT seq, 'p' || seq, domain, kind, step, outcome, substr(text, 1, ?), reward, reason FROM proposals"
            f" WHERE {_LOST} ORDER BY seq DESC LIMIT ?",
            2 * PREVIEW_CHARACTERS,
            INDEX_LIMIT,
        )[::-1]
        index = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        index["preview"] = [one_line(text, PREVIEW_CHARACTERS) for text in index["preview"]]
        return index

    def chunk_numbers(self, table: Table) -> list[int]:
        """Numbers of the chunks that hold rows, in order."""
        which = f" WHERE {_LOST}" if table == "proposals" else ""
        return [n for (n,) in self._db.rows(f"SELECT DISTINCT (seq - 1) / {CHUNK} AS n FROM {table}{which} ORDER BY n")]

    def chunk(self, table: Table, number: int) -> list[dict[str, Any]]:
        """The entries of a chunk with all that is known of them; see `task_entry` and `proposal_entry`."""
        low, high = number * CHUNK + 1, (number + 1) * CHUNK
        if table == "tasks":
            rows = self._db.rows(f"SELECT seq, {TASK_COLUMNS} FROM tasks WHERE seq BETWEEN ? AND ?", low, high)
            return self._task_entries([(seq, task_from_row(tuple(row))) for seq, *row in rows])
        select = f"SELECT seq, {PROPOSAL_COLUMNS} FROM proposals WHERE seq BETWEEN ? AND ? AND {_LOST}"
        rows = self._db.rows(select, low, high)
        parents = self._tasks({name for row in rows for name in json.loads(row[8])})
        return [self._proposal_entry(seq, tuple(row), parents) for seq, *row in rows]

    def entry(self, task_id: str) -> dict[str, Any]:
        """One task with everything, its `children` among it. Raises KeyError if there is none of this id."""
        rows = self._db.rows(f"SELECT seq, {TASK_COLUMNS} FROM tasks WHERE id = ?", task_id)
        if not rows:
            raise KeyError(task_id)
        seq, *row = rows[0]
        quoted = f'%"{task_id}"%'
        children = self._db.rows("SELECT id FROM tasks WHERE parents LIKE ? ORDER BY seq", quoted)
        (entry,) = self._task_entries([(seq, task_from_row(tuple(row)))])
        return {**entry, "children": [name for (name,) in children]}

    def ids_like(self, prefix: str, limit: int = 10) -> list[str]:
        """Ids that begin with `prefix`."""
        select = "SELECT id FROM tasks WHERE substr(id, 1, ?) = ? ORDER BY seq LIMIT ?"
        return [name for (name,) in self._db.rows(select, len(prefix), prefix, limit)]

    def find(
        self, domain: str | None, kind: str | None, search: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """The newest tasks of a domain and kind whose texts hold every word of `search`, and how many there are.

        Letters match whatever their case (ASCII letters, that is). Searched are ids, what was given, gold, drafts, and
        the texts of proposer and solver.
        """
        where, values = ["TRUE"], list[Any]()
        for name, value in (("domain", domain), ("kind", kind)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        for word in (search or "").split():
            # The store's JSON columns are ASCII with escapes, and so must the word be that is looked for in them.
            escaped = json.dumps(word)[1:-1].lower()
            columns = " OR ".join(f"instr(lower({name}), ?)" for name in ("id", "given", "gold", "draft", "skeleton"))
            texts = " OR ".join(
                f"EXISTS (SELECT 1 FROM {table} x WHERE x.task_id = tasks.id AND instr(lower(x.text), ?))"
                for table in ("attempts", "proposals")
            )
            where.append(f"({columns} OR {texts})")
            values += [escaped] * 5 + [word.lower()] * 2
        condition = " AND ".join(where)
        total = int(self._db.value(f"SELECT count(*) FROM tasks WHERE {condition}", *values))
        rows = self._db.rows(
            "SELECT id, domain, kind, step, given, n_attempts, n_scored, score_sum, parents FROM tasks"
            f" WHERE {condition} ORDER BY seq DESC LIMIT ?",
            *values,
            limit,
        )
        return [_listed(row) for row in rows], total

    def _task_entries(self, tasks: Sequence[tuple[int, Task]]) -> list[dict[str, Any]]:
        ids = [task.id for _, task in tasks]
        parents = self._tasks({name for _, task in tasks for name in task.parents})
        tries: dict[str, list[dict[str, Any]]] = {}
        for row in self._by_task("attempts", ATTEMPT_COLUMNS, ids):
            attempt = attempt_from_row(row)
            tries.setdefault(attempt.task_id, []).append(_attempt_json(attempt))
        proposals = {row[10]: row for row in self._by_task("proposals", PROPOSAL_COLUMNS, ids)}
        return [self._task_entry(seq, task, tries, proposals, parents) for seq, task in tasks]

    def _task_entry(
        self,
        seq: int,
        task: Task,
        tries: Mapping[str, list[dict[str, Any]]],
        proposals: Mapping[str, tuple[Any, ...]],
        parents: Mapping[str, Task],
    ) -> dict[str, Any]:
        """A task with its `prompt`, its `proposal` (None where nobody proposed it) and its `attempts`."""
        proposed = None
        if task.id in proposals:
            proposed = self._written(proposals[task.id], parents)
        prompt = self._prompts.solve(task) if self._prompts else None
        plain = {**task.to_json(), "seq": seq, "prompt": prompt, "proposal": proposed}
        return {**plain, "attempts": tries.get(task.id, [])}

    def _proposal_entry(self, seq: int, row: tuple[Any, ...], parents: Mapping[str, Task]) -> dict[str, Any]:
        """A proposal that became no task."""
        stored = proposal_from_row(row)
        return {
            "seq": seq,
            "id": f"p{seq}",
            "domain": stored.domain,
            "kind": stored.kind,
            "parents": list(stored.parents),
            "proposal": self._written(row, parents),
        }

    def _written(self, row: tuple[Any, ...], parents: Mapping[str, Task]) -> dict[str, Any]:
        stored = proposal_from_row(row)
        shown = [parents[name] for name in stored.parents if name in parents]
        names = ("step", "text", "n_tokens", "finish", "weight_version", "outcome", "reason", "reward")
        prompt = self._prompts.propose(stored.domain, stored.kind, shown) if self._prompts else None
        return {**{name: getattr(stored, name) for name in names}, "prompt": prompt}

    def _tasks(self, ids: set[str]) -> dict[str, Task]:
        rows: list[tuple[Any, ...]] = []
        for some in _portions(sorted(ids)):
            marks = ",".join("?" * len(some))
            rows += self._db.rows(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id IN ({marks})", *some)
        return {task.id: task for task in map(task_from_row, rows)}

    def _by_task(self, table: str, columns: str, ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for some in _portions(ids):
            marks = ",".join("?" * len(some))
            yield from self._db.rows(f"SELECT {columns} FROM {table} WHERE task_id IN ({marks}) ORDER BY seq", *some)


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield ids[start : start + _IDS_PER_QUERY]


def _attempt_json(attempt: Any) -> dict[str, Any]:
    malformed = isinstance(attempt.answer, Malformed)
    names = ("step", "text", "n_tokens", "finish", "weight_version", "reward")
    return {
        **{name: getattr(attempt, name) for name in names},
        "answer": None if malformed else dict(attempt.answer.fields),
        **attempt.verdict.to_json(),
    }


def _listed(row: tuple[Any, ...]) -> dict[str, Any]:
    task_id, domain, kind, step, given, tries, scored, score, parents = row
    return {
        "id": task_id,
        "domain": domain,
        "kind": kind,
        "step": step,
        "given": json.loads(given),
        "tries": tries,
        "scored": scored,
        "solve_rate": score / scored if scored else None,
        "parents": json.loads(parents),
    }


def preview(given: Mapping[str, Any], limit: int = PREVIEW_CHARACTERS) -> str:
    """What the solver was given on one line, texts before everything else, controls spelt out."""
    values = sorted((value for value in given.values() if value), key=lambda value: not isinstance(value, str))
    return one_line(" · ".join(map(given_text, values)), limit)


def given_text(value: Any) -> str:
    """A given's value as text: texts as they are, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
