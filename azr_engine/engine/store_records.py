"""The task store's schema, the records it gives back, and how values become rows.

Completions are kept as text, without token ids and log-probabilities: those serve one update and would be most
of the file. Everything structured is canonical JSON in a TEXT column, so that equal contents are equal files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from azr_engine.engine.learnability import unbiased_learnability
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Malformed,
    Proposal,
    Rejection,
    Task,
    Verdict,
    canonical_json,
)

SCHEMA_VERSION = 1

# `place` numbers a cell's tasks densely, so that a draw by place is a draw by age whatever the other cells do.
# Primary keys without AUTOINCREMENT start again after the last row, so a rolled-back step repeats to the bit.
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS steps (step INTEGER PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS tasks (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        domain TEXT NOT NULL,
        kind TEXT NOT NULL,
        given TEXT NOT NULL,
        gold TEXT NOT NULL,
        skeleton TEXT NOT NULL,
        signature TEXT NOT NULL,
        draft TEXT NOT NULL,
        parents TEXT NOT NULL,
        born_step INTEGER NOT NULL,
        step INTEGER NOT NULL,
        place INTEGER NOT NULL,
        n_attempts INTEGER NOT NULL,
        n_scored INTEGER NOT NULL,
        score_sum REAL NOT NULL,
        learnability REAL NOT NULL,
        merit REAL NOT NULL,
        evicted_step INTEGER
    )""",
    "CREATE UNIQUE INDEX IF NOT EXISTS tasks_by_place ON tasks (domain, kind, place)",
    "CREATE INDEX IF NOT EXISTS live_by_place ON tasks (domain, kind, place) WHERE evicted_step IS NULL",
    "CREATE INDEX IF NOT EXISTS live_by_merit ON tasks (domain, kind, merit) WHERE evicted_step IS NULL",
    "CREATE INDEX IF NOT EXISTS tasks_by_eviction ON tasks (evicted_step) WHERE evicted_step IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS tasks_by_step ON tasks (step)",
    """CREATE TABLE IF NOT EXISTS proposals (
        seq INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        domain TEXT NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        n_tokens INTEGER NOT NULL,
        finish TEXT NOT NULL,
        weight_version INTEGER NOT NULL,
        parents TEXT NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        task_id TEXT REFERENCES tasks (id),
        reward REAL
    )""",
    "CREATE INDEX IF NOT EXISTS proposals_by_step ON proposals (step)",
    "CREATE INDEX IF NOT EXISTS proposals_by_task ON proposals (task_id)",
    """CREATE TABLE IF NOT EXISTS attempts (
        seq INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        text TEXT NOT NULL,
        n_tokens INTEGER NOT NULL,
        finish TEXT NOT NULL,
        weight_version INTEGER NOT NULL,
        malformed INTEGER NOT NULL,
        answer TEXT NOT NULL,
        status TEXT NOT NULL,
        score REAL NOT NULL,
        reason TEXT NOT NULL,
        calls INTEGER NOT NULL,
        seconds REAL NOT NULL,
        reward REAL
    )""",
    "CREATE INDEX IF NOT EXISTS attempts_by_step ON attempts (step)",
    "CREATE INDEX IF NOT EXISTS attempts_by_task ON attempts (task_id)",
)

TASK_COLUMNS = "id, domain, kind, given, gold, skeleton, signature, draft, parents, born_step"
PROPOSAL_COLUMNS = (
    "step, domain, kind, text, n_tokens, finish, weight_version, parents, outcome, reason, task_id, reward"
)
VERDICT_COLUMNS = ("status", "score", "reason", "calls", "seconds")
ATTEMPT_COLUMNS = (
    f"step, task_id, text, n_tokens, finish, weight_version, malformed, answer, {', '.join(VERDICT_COLUMNS)}, reward"
)

_TASK_JSON = ("given", "gold", "draft", "parents")

Row = dict[str, Any]
"""Values by column."""


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """One try at a task as the store keeps it. `reward` is None when it was masked."""

    step: int
    task_id: str
    text: str
    n_tokens: int
    finish: str
    weight_version: int
    answer: Answer | Malformed
    verdict: Verdict
    reward: float | None


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """One proposal as the store keeps it.

    Attributes:
        outcome: `task`, `malformed`, `rejected`, `fault` (the verifier's own failure) or `none` (not looked at).
        reason: why it is no task; empty for a task.
        task_id: the admitted task, or None.
    """

    step: int
    domain: str
    kind: str
    text: str
    n_tokens: int
    finish: str
    weight_version: int
    parents: tuple[str, ...]
    outcome: str
    reason: str
    task_id: str | None
    reward: float | None


@dataclass(frozen=True, slots=True)
class SolveStats:
    """How a task went: all its tries, those that were scored (neither fault nor abstention), and their scores' sum."""

    n_attempts: int
    n_scored: int
    score_sum: float

    @property
    def solve_rate(self) -> float | None:
        """Mean score; None before the first scored try."""
        return self.score_sum / self.n_scored if self.n_scored else None

    @property
    def learnability(self) -> float | None:
        """Unbiased estimate of p(1 - p); None before the second scored try."""
        return unbiased_learnability(self.score_sum, self.n_scored) if self.n_scored > 1 else None


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Sizes of one (domain, kind): tasks in play, tasks set aside, attempts at either."""

    live: int
    evicted: int
    attempts: int


def task_row(task: Task) -> Row:
    """The columns of a task that the task itself decides."""
    plain = task.to_json()
    structured = {name: canonical_json(plain[name]) for name in _TASK_JSON}
    return {**plain, **structured}


def task_from_row(row: tuple[Any, ...]) -> Task:
    """The task of a row of `TASK_COLUMNS`."""
    values: Row = dict(zip(TASK_COLUMNS.split(", "), row, strict=True))
    return Task.from_json(values | {name: json.loads(values[name]) for name in _TASK_JSON})


def proposal_row(proposal: Proposal, step: int) -> Row:
    """The columns of a proposal."""
    outcome, reason, task_id = _outcome(proposal)
    return {
        "step": step,
        "domain": proposal.domain,
        "kind": proposal.kind,
        **_completion_row(proposal.completion),
        "parents": canonical_json(list(proposal.parents)),
        "outcome": outcome,
        "reason": reason,
        "task_id": task_id,
        "reward": proposal.reward,
    }


def proposal_from_row(row: tuple[Any, ...]) -> StoredProposal:
    """The record of a row of `PROPOSAL_COLUMNS`."""
    values: Row = dict(zip(PROPOSAL_COLUMNS.split(", "), row, strict=True))
    return StoredProposal(**values | {"parents": tuple(json.loads(values["parents"]))})


def attempt_row(attempt: Attempt, step: int) -> Row:
    """The columns of an attempt."""
    return {
        "step": step,
        "task_id": attempt.task.id,
        **_completion_row(attempt.completion),
        "malformed": int(isinstance(attempt.answer, Malformed)),
        "answer": canonical_json(attempt.answer.to_json()),
        **{name: getattr(attempt.verdict, name) for name in VERDICT_COLUMNS},
        "reward": attempt.reward,
    }


def attempt_from_row(row: tuple[Any, ...]) -> StoredAttempt:
    """The record of a row of `ATTEMPT_COLUMNS`."""
    values: Row = dict(zip(ATTEMPT_COLUMNS.split(", "), row, strict=True))
    verdict = Verdict(**{name: values.pop(name) for name in VERDICT_COLUMNS})
    answer = (Malformed if values.pop("malformed") else Answer).from_json(json.loads(values["answer"]))
    return StoredAttempt(**values | {"answer": answer, "verdict": verdict})


def _completion_row(completion: Completion) -> Row:
    return {
        "text": completion.text,
        "n_tokens": len(completion.ids),
        "finish": completion.finish,
        "weight_version": completion.weight_version,
    }


def _outcome(proposal: Proposal) -> tuple[str, str, str | None]:
    match proposal.outcome:
        case Task(id=task_id):
            return "task", "", task_id
        case Malformed(reason=reason):
            return "malformed", reason, None
        case Rejection(reason=reason, fault=fault):
            return "fault" if fault else "rejected", reason, None
        case None:
            return "none", "", None
