"""The gate against asking the same thing again, or nothing at all: quotas over the recently admitted tasks.

Self-play without it collapses onto one trivial question. What it keeps out, and under which reason:

- `trivial`: a task that does the same to every input, or nothing to it, by the verifier's own mark on its signature;
  and more than `shown_share` of tasks whose answer stands in what the solver is given;
- `near_duplicate`: a structure (skeleton) or a behaviour (signature) over its quota. A structure whose recent tasks
  were all solved or never solved has the smaller `settled_quota`, so that the window forgets it before it is asked
  again;
- `imbalanced`: one hidden answer over its share. Where answers come from a short list, as in the kind `error`, a
  proposer that drifts towards one of them teaches the solver to give it blindly.

Not covered: tasks that look different, behave differently, have different answers and still ask the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.curriculum.archive import Archive, Record
from azr_engine.engine.learnability import posterior_learnability
from azr_engine.engine.types import Rejection, Task

MIN_RECENT = 20
"""Recent tasks below which no share is judged."""
TRIVIAL_MARKS = ("constant:", "identity:")
"""How a signature begins when the verifier saw one result for every probe, or each probe come back unchanged."""


class NoveltyConfig(BaseModel):
    """Settings of the gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: Annotated[bool, Field(description="Whether the gate keeps anything but exact duplicates out.")] = True
    quota: Annotated[int, Field(ge=0, description="Tasks of one skeleton admitted within the window; 0: no limit.")] = 3
    settled_quota: Annotated[
        int, Field(ge=1, description="The same where all recent tasks of the skeleton were solved, or none was.")
    ] = 1
    behaviour_quota: Annotated[
        int, Field(ge=0, description="Tasks of one behaviour signature within the window; 0: no limit.")
    ] = 3
    answer_share: Annotated[
        float,
        Field(gt=0, le=1, description="Largest share of one hidden answer in the window; 1: no limit."),
    ] = 0.5
    shown_share: Annotated[
        float, Field(ge=0, le=1, description="Largest share of tasks that show their own answer; 1: no limit.")
    ] = 0.1
    window: Annotated[int, Field(ge=1, description="Admitted tasks per domain and kind that the quotas look at.")] = 200
    retests: Annotated[
        int, Field(ge=0, description="Tasks per step that nobody solved and that are tried again; 0: none.")
    ] = 2
    retest_after: Annotated[int, Field(ge=1, description="Steps before such a task is tried again.")] = 25


class NoveltyGate:
    """Judges a task by the archive of its (domain, kind). Its whole state is a function of the task store."""

    def __init__(self, config: NoveltyConfig) -> None:
        self._config = config
        self._archives: dict[tuple[str, str], Archive] = {}

    def restore(self, domain: str, kind: str, tried: Iterable[tuple[Task, float, int]]) -> None:
        """Remember one cell's tasks that were admitted earlier, and nothing else of it.

        Args:
            tried: each task, oldest first, with the sum of its scores and the number of scored tries.
        """
        self._archives[domain, kind] = archive = Archive(self._config.window)
        for task, score_sum, n_scored in tried:
            archive.add(Record.of(task))
            archive.score(task.id, score_sum, n_scored)

    def admit(self, task: Task) -> Rejection | None:
        """Why the task is kept out; None when it is within its quotas, and it counts from now on."""
        archive, record = self._archive(task), Record.of(task)
        rejection = self._judge(archive, record) if self._config.enabled else None
        if rejection is None:
            archive.add(record)
        return rejection

    def note(self, task: Task) -> None:
        """Count a task that was admitted without asking the gate: drawn from a grammar or a file."""
        self._archive(task).add(Record.of(task))

    def score(self, task: Task, score_sum: float, n_scored: int) -> None:
        """Hear how an admitted task went."""
        self._archive(task).score(task.id, score_sum, n_scored)

    def promise(self, task: Task) -> float:
        """Posterior mean of p(1 - p) from the recent tasks of its structure; 1/6 for a structure nobody tried."""
        return posterior_learnability(*self._archive(task).tries(task.skeleton))

    def coverage(self, domain: str) -> dict[str, int]:
        """Different structures, behaviours and niches among a domain's recent tasks, summed over its kinds."""
        total = dict.fromkeys(("skeletons", "behaviours", "niches", "tasks"), 0)
        for (name, _), archive in self._archives.items():
            if name == domain:
                total = {key: total[key] + value for key, value in archive.coverage().items()}
        return total

    def _archive(self, task: Task) -> Archive:
        return self._archives.setdefault((task.domain, task.kind), Archive(self._config.window))

    def _judge(self, archive: Archive, record: Record) -> Rejection | None:
        config = self._config
        if record.signature.startswith(TRIVIAL_MARKS):
            return Rejection("trivial", f"{record.signature.partition(':')[0]} on every probe")
        if record.shown and self._over_share(archive, archive.n_shown, config.shown_share):
            return Rejection("trivial", "its answer stands in the task, as in too many recent ones")
        settled = archive.difficulty(record.skeleton) in ("always", "never")
        quota = min(config.quota, config.settled_quota) if settled else config.quota
        if config.quota and archive.n_skeleton(record.skeleton) >= quota:
            return Rejection("near_duplicate", "its skeleton is over its quota of recent tasks")
        n_alike = archive.n_signature(record.signature) if record.signature else 0
        if config.behaviour_quota and n_alike >= config.behaviour_quota:
            return Rejection("near_duplicate", "its behaviour is over its quota of recent tasks")
        if self._over_share(archive, archive.n_answer(record.answer), config.answer_share):
            return Rejection("imbalanced", "its answer is over its share of recent tasks")
        return None

    def _over_share(self, archive: Archive, n_same: int, share: float) -> bool:
        """Whether one more of `n_same` tasks would be over its share of the window."""
        return len(archive) >= MIN_RECENT and n_same + 1 > share * (len(archive) + 1)
