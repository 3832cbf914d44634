"""How a run gets going: its first tasks, and the gate's memory of those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from azr_engine.curriculum.novelty import NoveltyGate
from azr_engine.curriculum.protocol import Cell
from azr_engine.engine.errors import UserError
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.protocols import Domain
from azr_engine.engine.randomness import derived_rng
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Draft, Task

_MOST_ROUNDS = 20


async def seed_store(
    store: TaskStore,
    proposer: Proposer,
    domains: Mapping[str, Domain],
    cells: Sequence[Cell],
    n_wanted: int,
    seed: int,
) -> None:
    """Admit seeds of every domain until each of the cells has its number, in at most twenty rounds.

    Raises:
        UserError: no seed of some domain was admitted.
    """
    for name, domain in domains.items():
        stream = iter(domain.seeds(derived_rng(seed, 0, f"seeds/{name}")))
        found: dict[str, list[Task]] = {kind: [] for own, kind in cells if own == name}
        for _ in range(_MOST_ROUNDS):
            if all(len(tasks) >= n_wanted for tasks in found.values()):
                break
            drafts: list[Draft] = [d for d, _ in zip(stream, range(2 * n_wanted * len(domain.kinds)), strict=False)]
            for task in await proposer.admit_seeds(drafts):
                if task.kind in found and len(found[task.kind]) < n_wanted:
                    found[task.kind].append(task)
        if not any(found.values()):
            raise UserError(f"no seed task of the domain {name!r} was admitted; see events.jsonl")
        store.add_seeds([task for tasks in found.values() for task in tasks])


def restore_novelty(novelty: NoveltyGate, store: TaskStore, cells: Sequence[Cell], window: int) -> None:
    """Rebuild the gate's memory from the store: it is a function of what was admitted and how it was solved.

    Args:
        window: newest tasks of each cell that the gate remembers.
    """
    for name, kind in cells:
        newest = store.tasks(name, kind, window, newest_first=True)
        stats = [store.solve_stats(task.id) for task in newest]
        tried = [(task, s.score_sum, s.n_scored) for task, s in zip(newest, stats, strict=True)]
        novelty.restore(name, kind, reversed(tried))
