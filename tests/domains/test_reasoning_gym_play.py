"""Solver-only domains in a step: their tasks are drawn, not proposed, and count like any other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azr_engine.curriculum.novelty import NoveltyConfig, NoveltyGate
from azr_engine.engine.metrics import Played, domain_metrics
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.sampling import Sampling
from azr_engine.engine.store import TaskStore
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Episode, Rejection, Task
from tests.toys import Reciter, ToyDomain, ToyVerifier

SAMPLING = Sampling(propose_tokens=8, solve_tokens=8, temperature=1.0, n_attempts=4, n_references=2)


class DrawnDomain(ToyDomain):
    name = "drawn"
    solver_only = True


def drawn(folder: Path, verifier: ToyVerifier, *, seed: int = 0, reserved: Any = ()) -> list[Task | Rejection]:
    with TaskStore(folder / "tasks.sqlite") as store:
        proposer = make(store, verifier, reserved=reserved)
        return asyncio.run(proposer.draw({("drawn", "double"): 5, ("toy", "double"): 3}, random.Random(seed), step=7))


def make(
    store: TaskStore, verifier: ToyVerifier, *, reserved: Any = (), log: Any = lambda name, data: None
) -> Proposer:
    return Proposer(
        {"toy": ToyDomain(), "drawn": DrawnDomain()},
        {"toy": verifier},
        Reciter(["12"]),
        STYLES["compact"],
        store,
        SAMPLING,
        novelty=NoveltyGate(NoveltyConfig(quota=1)),
        screen=lambda draft: None,
        reserved=reserved,
        log=log,
    )


def test_a_solver_only_domain_is_drawn_from_and_never_proposed_for(tmp_path: Path) -> None:
    tasks = drawn(tmp_path, ToyVerifier())
    assert len(tasks) == 5
    assert all(isinstance(task, Task) and task.born_step == 7 for task in tasks)
    with TaskStore(tmp_path / "other.sqlite") as store:
        plan = {("drawn", "double"): 5, ("toy", "double"): 3}
        proposed = make(store, ToyVerifier()).propose(plan, random.Random(0), 1)
    assert [proposal.domain for proposal, _ in proposed] == ["toy"] * 3


def test_drawing_repeats_for_the_same_seed(tmp_path: Path) -> None:
    assert drawn(tmp_path, ToyVerifier()) == drawn(tmp_path, ToyVerifier())
    assert drawn(tmp_path, ToyVerifier(), seed=1) != drawn(tmp_path, ToyVerifier())


def test_known_and_reserved_tasks_are_not_drawn_again(tmp_path: Path) -> None:
    first = [task for task in drawn(tmp_path, ToyVerifier()) if isinstance(task, Task)]
    again = drawn(tmp_path, ToyVerifier(), reserved={first[0].id})
    assert again[0] == Rejection("duplicate")
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        store.add_seeds(first[1:2])
    assert drawn(tmp_path, ToyVerifier())[1] == Rejection("duplicate")


def test_a_broken_verifier_counts_as_faults(tmp_path: Path) -> None:
    outcomes = drawn(tmp_path, ToyVerifier(n_failures=1))
    assert Played(drawn=outcomes).faults == (5, 5)
    events: list[tuple[str, Mapping[str, Any]]] = []
    with TaskStore(tmp_path / "log.sqlite") as store:
        proposer = make(store, ToyVerifier(n_failures=1), log=lambda name, data: events.append((name, data)))
        asyncio.run(proposer.draw({("drawn", "double"): 1}, random.Random(0), step=1))
    assert events[0][0] == "verifier_fault"


def test_drawn_tasks_count_as_admitted(tmp_path: Path) -> None:
    tasks = [task for task in drawn(tmp_path, ToyVerifier()) if isinstance(task, Task)]
    found = domain_metrics("drawn", Played(episodes=[Episode(tasks[0], ())]))
    assert (found["proposed"], found["admitted"], found["unique_skeletons"]) == (0, 0, 0)
    episodes = [Episode(Task(t.id, "drawn", t.kind, t.given, t.gold, t.skeleton), ()) for t in tasks]
    found = domain_metrics("drawn", Played(episodes=episodes))
    assert (found["proposed"], found["admitted"], found["unique_skeletons"]) == (0, 5, 1)
    assert found["kinds"]["double"]["admitted"] == 5
