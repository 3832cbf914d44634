"""How the anchors are split: evenly over cells, one for a domain that they cannot move, and back when they can."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.anchors import Anchors
from azr_engine.curriculum.protocol import Cell

CELLS: list[Cell] = [(domain, kind) for domain in ("python", "math", "third") for kind in ("a", "b", "c", "d")]
numbers = st.integers(0, 40)
seeds = st.integers(0, 99)


def of(plan: dict[Cell, int], domain: str) -> int:
    return sum(n for (name, _), n in plan.items() if name == domain)


def stuck(n_anchors: int, *domains: str, n_steps: int = 10) -> Anchors:
    """After some steps in which nothing at all came of these domains' anchors, and half of the others' told."""
    anchors = Anchors(n_anchors)
    for step in range(n_steps):
        plan = anchors.plan(CELLS, random.Random(step))
        for name in ("python", "math", "third"):
            anchors.observe(name, of(plan, name), 0 if name in domains else of(plan, name) // 2)
    return anchors


@given(numbers, st.lists(st.sampled_from(CELLS), unique=True), seeds)
def test_the_split_is_even_and_whole(n_anchors: int, cells: list[Cell], seed: int) -> None:
    plan = Anchors(n_anchors).plan(cells, random.Random(seed))
    assert sum(plan.values()) == (n_anchors if cells else 0)
    counts = [plan[cell] for cell in cells]
    assert not cells or max(counts) - min(counts) <= 1


@given(st.integers(12, 40), seeds)
def test_a_domain_that_its_anchors_cannot_move_has_one_and_the_others_the_rest(n_anchors: int, seed: int) -> None:
    plan = stuck(n_anchors, "third", n_steps=25).plan(CELLS, random.Random(seed))
    assert sum(plan.values()) == n_anchors
    assert of(plan, "third") == 1
    assert max(of(plan, "python"), of(plan, "math")) - min(of(plan, "python"), of(plan, "math")) <= 4
    counts = [plan[cell] for cell in CELLS if cell[0] != "third"]
    assert max(counts) - min(counts) <= 1


def test_it_falls_asleep_within_a_few_steps_and_its_one_anchor_goes_round_its_kinds() -> None:
    early = [stuck(32, "third", n_steps=n).asleep("third") for n in (0, 1, 2, 5)]
    assert early == [False, False, False, True]
    anchors = stuck(32, "third")
    kinds = {cell[1] for seed in range(40) for cell in anchors.plan(CELLS, random.Random(seed)) if cell[0] == "third"}
    assert kinds == {"a", "b", "c", "d"}


def test_it_wakes_when_its_anchors_tell() -> None:
    anchors = stuck(32, "third")
    for _ in range(4):
        anchors.observe("third", 1, 1)
    assert not anchors.asleep("third")
    assert of(anchors.plan(CELLS, random.Random(0)), "third") >= 10


@given(seeds)
def test_one_that_hardly_tells_stays_asleep_and_one_that_begins_to_tell_wakes(seed: int) -> None:
    anchors, rng = stuck(32, "third"), random.Random(seed)

    def asleep_after(part: float) -> bool:
        plan = anchors.plan(CELLS, rng)
        anchors.observe("third", of(plan, "third"), sum(rng.random() < part for _ in range(of(plan, "third"))))
        return anchors.asleep("third")

    assert sum(asleep_after(0.04) for _ in range(200)) >= 150
    assert not all(asleep_after(0.5) for _ in range(60))


@given(numbers, seeds)
def test_where_every_domain_sleeps_all_have_their_parts(n_anchors: int, seed: int) -> None:
    anchors = stuck(32, "python", "math", "third")
    assert all(anchors.asleep(name) for name in ("python", "math", "third"))
    anchors._n_anchors = n_anchors
    assert anchors.plan(CELLS, random.Random(seed)) == Anchors(n_anchors).plan(CELLS, random.Random(seed))


@given(st.lists(st.tuples(st.sampled_from(["python", "math"]), st.integers(0, 9), st.floats(0, 1)), max_size=40), seeds)
def test_a_resumed_split_goes_on_as_it_was(seen: list[tuple[str, int, float]], seed: int) -> None:
    anchors, again = Anchors(7), Anchors(7)
    for name, n_tasks, part in seen:
        anchors.observe(name, n_tasks, round(part * n_tasks))
    again.load_state_dict(json.loads(json.dumps(anchors.state_dict())))
    assert again.plan(CELLS, random.Random(seed)) == anchors.plan(CELLS, random.Random(seed))
    assert again.state_dict() == anchors.state_dict()
