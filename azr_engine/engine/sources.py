"""Where tasks come from, by the name that `--proposer` takes: the policy itself, or a control in its place.

| name | tasks | what it controls for |
|---|---|---|
| `self` | proposed by the policy, which learns to propose | |
| `frozen` | proposed by the policy as it was at the start | what learning to propose is worth |
| `quantilized` | the best part of what that policy proposes | what the leash costs |
| `grammar` | drawn from each domain's own seeds | self-made tasks against well-spread ones |
| `fixed:FILE` | drawn from a file with one task a line, as `Task.to_json` writes it | fresh tasks against a fixed set |
| `one-example` | each (domain, kind)'s first seed, again and again | whether the tasks matter at all |
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.protocols import Domain, Policy
from azr_engine.engine.sampling import Cell
from azr_engine.engine.types import Malformed, Prompt, Proposal, Rejection, Task

PROPOSERS = ("self", "frozen", "quantilized", "grammar", "one-example")


class Quantilizer(Proposer):
    """The best part of what a fixed policy proposes, ranked by what tasks of the same structure promise.

    A quantilizer (Taylor 2016, "Quantilizers: a safer alternative to maximizers") draws from the top `quantile` of a
    base distribution instead of its optimum, so it can be wrong about utility by a bounded factor only.

    Args:
        quantile: the part that is kept, in (0, 1]; so many more are proposed.
        parts: what `Proposer` takes.
    """

    def __init__(self, quantile: float, **parts: Any) -> None:
        super().__init__(learns=False, **parts)
        self._quantile = quantile

    def propose(self, plan: Mapping[Cell, int], rng: random.Random, seed: int) -> list[tuple[Proposal, Prompt]]:
        """One completion for each planned proposal and for each that will not be kept."""
        return super().propose({cell: math.ceil(n / self._quantile) for cell, n in plan.items()}, rng, seed)

    def _preferred(
        self, proposals: Sequence[Proposal], outcomes: Sequence[Task | Malformed | Rejection]
    ) -> Sequence[Task | Malformed | Rejection]:
        """In each cell the most promising part of the tasks, rounded up; earlier ones first among equals."""
        kept = list(outcomes)
        cells: dict[Cell, list[tuple[float, int]]] = {}
        for index, (proposal, outcome) in enumerate(zip(proposals, outcomes, strict=True)):
            if isinstance(outcome, Task):
                ranked = cells.setdefault((proposal.domain, proposal.kind), [])
                ranked.append((-self._novelty.promise(outcome), index))
        for ranked in cells.values():
            for _, index in sorted(ranked)[math.ceil(self._quantile * len(ranked)) :]:
                kept[index] = Rejection("outranked", "others of its kind promised more")
        return kept


class GrammarTasks(Proposer):
    """Every domain's tasks come fresh from its seeds; the policy proposes nothing."""

    def proposes(self, domain: Domain) -> bool:
        """Never."""
        return False


class FixedTasks(GrammarTasks):
    """Tasks from a given set, repeated as often as the plan asks.

    Args:
        tasks_of: the tasks of a domain and kind; none where the set has none.
        parts: what `Proposer` takes.
    """

    def __init__(self, tasks_of: Callable[[str, str], Sequence[Task]], **parts: Any) -> None:
        super().__init__(**parts)
        self._tasks_of = tasks_of

    async def draw(self, plan: Mapping[Cell, int], rng: random.Random, step: int) -> list[Task | Rejection]:
        """The planned number for each cell, different ones as long as there are enough."""
        drawn: list[Task] = []
        for cell, count in plan.items():
            tasks = [task for task in self._tasks_of(*cell) if task.id not in self._reserved]
            while tasks and count > 0:
                drawn += rng.sample(tasks, min(count, len(tasks)))
                count -= len(tasks)
        known = self._store.known_ids(task.id for task in drawn)
        for task in {task.id: task for task in drawn if task.id not in known}.values():
            self._novelty.note(task)
        return list(drawn)

    def replay(self, plan: Mapping[Cell, int], rng: random.Random) -> list[Task]:
        """Nothing: the set itself comes again and again, and seeds are not part of it."""
        return []


def make_proposer(
    name: str, quantile: float, policy: Policy, frozen: Callable[[], Policy], parts: Mapping[str, Any]
) -> Proposer:
    """The proposer of that name.

    Args:
        quantile: the part that `quantilized` keeps.
        policy: the one that is trained.
        frozen: makes a policy that stays as it is.
        parts: what `Proposer` takes besides a policy.

    Raises:
        UserError: there is no such proposer, or its file cannot be read.
    """
    match name:
        case "self":
            return Proposer(policy=policy, **parts)
        case "frozen":
            return Proposer(policy=frozen(), learns=False, **parts)
        case "quantilized":
            return Quantilizer(quantile, policy=frozen(), **parts)
        case "grammar":
            return GrammarTasks(policy=policy, **parts)
        case "one-example":
            store = parts["store"]
            return FixedTasks(lambda domain, kind: store.tasks(domain, kind, limit=1), policy=policy, **parts)
        case _:
            tasks = read_fixed(name)
            return FixedTasks(lambda *cell: tasks.get(cell, []), policy=policy, **parts)


def check_proposer(name: str) -> None:
    """Raises UserError unless `make_proposer` knows the name and can read its file."""
    if name not in PROPOSERS:
        read_fixed(name)


def read_fixed(name: str) -> dict[tuple[str, ...], list[Task]]:
    """The tasks of `fixed:FILE` by domain and kind. Raises UserError where there is no such proposer or file."""
    kind, colon, file = name.partition(":")
    if kind != "fixed" or not colon or not file:
        raise UserError(f"unknown proposer {name!r}; choose one of {', '.join(PROPOSERS)}, fixed:FILE")
    tasks: dict[tuple[str, ...], list[Task]] = {}
    try:
        for line in Path(file).read_text(encoding="utf-8").rstrip("\n").split("\n"):
            task = Task.from_json(json.loads(line))
            tasks.setdefault((task.domain, task.kind), []).append(task)
    except OSError as error:
        raise UserError(f"cannot read the tasks in {file}: {error.strerror}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{file} does not hold one task a line: {error}") from None
    return tasks
