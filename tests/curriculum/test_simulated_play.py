"""Curricula against ground truth, in a world whose solve probabilities are known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.curriculum import CURRICULA, BalancedCurriculum, Cell
from azr_engine.curriculum.learned import MAX_LIFT
from azr_engine.curriculum.watch import Watch, WatchConfig
from tests.curriculum.simulator import History, Truth, play

LEARNED = tuple(name for name in CURRICULA if name != "uniform")
FLOOR = 0.12
KINDS = ("deduction", "abduction", "induction", "error")

MIXED = Truth([(0.0, 0.3), (0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (1.0, 0.1)], admitted=0.8)
EASY = Truth([(0.9, 0.5), (1.0, 0.5)])
HARD = Truth([(0.0, 0.9), (0.05, 0.1)])
STUCK = {"too hard": Truth([(0.0, 1.0)]), "trivial": Truth([(1.0, 1.0)]), "never admitted": Truth([(0.5, 1.0)], 0.0)}


def domain(name: str, *truths: Truth) -> dict[Cell, Truth]:
    """A domain of four kinds; the truths are dealt out in turn."""
    return {(name, kind): truths[number % len(truths)] for number, kind in enumerate(KINDS)}


def kept(alone: History, beside: History) -> float:
    """Part of python's and math's effective tasks that a third domain leaves them."""
    before, after = (history.n_effective("python") + history.n_effective("math") for history in (alone, beside))
    return after / before


rates = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0.1, 1.0)), min_size=1, max_size=3)
truths = st.builds(lambda pairs, admitted: Truth(_normal(pairs), admitted), rates, st.sampled_from([0.0, 0.3, 1.0]))


def _normal(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    total = sum(weight for _, weight in pairs)
    return [(rate, weight / total) for rate, weight in pairs]


@pytest.mark.parametrize("name", LEARNED)
@settings(max_examples=10)
@given(worlds=st.lists(truths, min_size=1, max_size=3), seed=st.integers(0, 99))
def test_every_cell_keeps_its_floor_in_any_world(name: str, worlds: list[Truth], seed: int) -> None:
    world = {cell: truth for n, one in enumerate(worlds) for cell, truth in domain(f"d{n}", one).items()}
    history = play(CURRICULA[name](), world, n_steps=30, seed=seed)
    for cell in world:
        assert history.share(cell) >= FLOOR / len(world)


def test_learnability_splits_what_is_above_the_floors_by_what_a_proposal_truly_brings() -> None:
    world = {("a", "k"): MIXED, ("b", "k"): EASY, ("c", "k"): HARD}
    history = play(CURRICULA["learnability"](), world, n_steps=400, burn_in=100)
    total = sum(truth.admitted * truth.learnability for truth in world.values())
    for cell, truth in world.items():
        low, high = FLOOR / 3, FLOOR / 3 * MAX_LIFT
        free = truth.admitted * truth.learnability / total
        assert low + (1 - 3 * high) * free - 0.03 <= history.share(cell) <= high + (1 - 3 * low) * free + 0.03


def test_the_bandit_prefers_what_pays_most_per_proposal() -> None:
    rare = Truth([(0.5, 1.0)], admitted=0.2)
    world = {("rare", "k"): rare, ("mixed", "k"): MIXED, ("hard", "k"): HARD}
    history = play(CURRICULA["bandit"](), world, n_steps=300, burn_in=100)
    assert rare.learnability > MIXED.learnability and rare.effective_yield < MIXED.effective_yield
    assert history.share(("mixed", "k")) > history.share(("rare", "k")) > history.share(("hard", "k"))


def test_progress_follows_the_cell_that_moves() -> None:
    def rising(rate: float, n_effective: float) -> float:
        return min(1.0, rate + n_effective / 1500)

    world = {("moving", "k"): Truth([(0.1, 1.0)], moves=rising), ("resting", "k"): Truth([(0.5, 1.0)])}
    moving = play(CURRICULA["progress"](), world, n_steps=40, burn_in=10)
    assert moving.share(("moving", "k")) > 0.6
    arrived = play(CURRICULA["progress"](), world, n_steps=400, burn_in=300)
    assert arrived.share(("moving", "k")) < moving.share(("moving", "k"))


@pytest.mark.parametrize("cap", [0.55, 0.7])
def test_no_domain_gets_more_than_its_cap_of_the_gradient(cap: float) -> None:
    world = {**domain("rich", Truth([(0.5, 1.0)])), **domain("poor", Truth([(0.5, 0.4), (0.0, 0.6)]))}
    history = play(BalancedCurriculum(cap=cap), world, n_steps=300, burn_in=50)
    total = history.n_effective("rich") + history.n_effective("poor")
    assert history.n_effective("rich") / total < max(cap, 0.6) + 0.03
    uncapped = play(CURRICULA["learnability"](), world, n_steps=300, burn_in=50)
    assert uncapped.n_effective("rich") / (uncapped.n_effective("rich") + uncapped.n_effective("poor")) > 0.75


@pytest.mark.parametrize("name", ["learnability", "balanced"])
@pytest.mark.parametrize("stuck", STUCK)
def test_a_stuck_domain_costs_the_others_a_tenth_at_most_and_keeps_its_floor(name: str, stuck: str) -> None:
    two = {**domain("python", MIXED, EASY), **domain("math", MIXED, HARD)}
    three = {**two, **domain("third", STUCK[stuck])}
    alone, beside = (play(CURRICULA[name](), world, n_steps=400, budget=64) for world in (two, three))
    assert kept(alone, beside) >= 0.9
    assert beside.share(*(("third", kind) for kind in KINDS)) >= FLOOR / 3


@pytest.mark.parametrize("stuck", STUCK)
def test_a_stuck_domain_is_found_out_within_a_few_steps(stuck: str) -> None:
    """Where half of the proposals become tasks, as in real play, and few of those are solved by some tries only."""
    real = Truth([(0.0, 0.3), (0.1, 0.13), (0.5, 0.13), (0.9, 0.15), (1.0, 0.29)], admitted=0.57)
    two = {**domain("python", real), **domain("math", real)}
    three = {**two, **domain("third", STUCK[stuck])}
    parts = []
    for seed in range(4):
        alone, beside = (
            play(BalancedCurriculum(), world, n_steps=30, budget=64, burn_in=5, seed=seed) for world in (two, three)
        )
        parts.append(kept(alone, beside))
    assert sum(parts) / len(parts) >= 0.84


def test_an_even_split_loses_a_third_to_a_stuck_domain() -> None:
    two = {**domain("python", MIXED), **domain("math", MIXED)}
    three = {**two, **domain("third", STUCK["trivial"])}
    alone, beside = (play(CURRICULA["uniform"](), world) for world in (two, three))
    assert beside.n_effective("python") < 0.75 * alone.n_effective("python")


@pytest.mark.parametrize("name", LEARNED)
def test_a_cheated_verifier_ends_at_the_floor_and_raises_the_alarm(name: str) -> None:
    def cheating(rate: float, n_effective: float) -> float:
        return 1.0 if n_effective > 100 else rate

    world = {**domain("honest", MIXED), **domain("cheated", Truth([(0.5, 1.0)], moves=cheating))}
    watch = Watch(WatchConfig(starvation_steps=20))
    history = play(CURRICULA[name](), world, n_steps=300, burn_in=200, watch=watch)
    share = history.share(*(("cheated", kind) for kind in KINDS))
    assert share >= FLOOR / 2
    # Only a curriculum that looks at the present leaves a cheated domain at its floor; a bandit's softmax never does.
    assert share <= (0.5 if name in ("bandit", "progress") else FLOOR / 2 * MAX_LIFT + 0.02)
    assert [alarm.name for alarm in history.alarms] == ["starvation"]
    assert "cheated" in history.alarms[0].message


def test_an_honest_world_raises_no_alarm() -> None:
    world = {**domain("python", MIXED, EASY), **domain("math", MIXED, HARD)}
    assert play(BalancedCurriculum(), world, watch=Watch(WatchConfig())).alarms == []
