"""The gate's quotas count within their window, per domain and kind, and forget what left it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.archive import Archive, Record, difficulty
from azr_engine.curriculum.novelty import MIN_RECENT, NoveltyConfig, NoveltyGate
from azr_engine.engine.types import Rejection, Task

numbers = itertools.count()


def task(
    skeleton: str,
    gold: object = None,
    kind: str = "k",
    domain: str = "d",
    signature: str = "",
    given: Mapping[str, str] | None = None,
) -> Task:
    return Task(f"id{next(numbers)}", domain, kind, given or {}, gold, skeleton, signature)


def reason(outcome: Rejection | None) -> str:
    return outcome.reason if outcome else ""


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 4), st.integers(1, 20))
def test_the_window_never_holds_more_of_a_skeleton_than_its_quota(
    skeletons: list[str], quota: int, window: int
) -> None:
    gate = NoveltyGate(NoveltyConfig(quota=quota, window=window, answer_share=1))
    admitted: list[str] = []
    for skeleton in skeletons:
        expected = admitted[-window:].count(skeleton) < quota
        assert (gate.admit(task(skeleton)) is None) is expected
        if expected:
            admitted.append(skeleton)


@given(st.lists(st.sampled_from(["none", "none", "none", "a", "b"]), max_size=200), st.integers(MIN_RECENT, 60))
def test_no_answer_outgrows_its_share(answers: list[str], window: int) -> None:
    gate = NoveltyGate(NoveltyConfig(quota=0, answer_share=0.5, window=window))
    admitted: list[str] = []
    for answer in answers:
        if gate.admit(task("s", answer)) is None:
            admitted.append(answer)
            if len(admitted) > window:
                assert Counter(admitted[-window:])[answer] <= 0.5 * (window + 1)


def test_few_tasks_are_not_judged_by_their_answers() -> None:
    gate = NoveltyGate(NoveltyConfig(quota=0))
    reasons = [reason(gate.admit(task(str(n), "none"))) for n in range(MIN_RECENT + 1)]
    assert reasons == [""] * MIN_RECENT + ["imbalanced"]
    assert gate.admit(task("x", "other")) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=60), st.integers(1, 3))
def test_a_restored_gate_decides_like_the_one_that_went_on(drawn: list[tuple[str, int]], quota: int) -> None:
    config = NoveltyConfig(quota=quota, window=25)
    gate = NoveltyGate(config)
    admitted = [candidate for candidate in (task(*pair) for pair in drawn) if gate.admit(candidate) is None]
    restored = NoveltyGate(config)
    restored.restore("d", "k", [(candidate, 0.0, 0) for candidate in admitted[-25:]])
    for skeleton in "abcabc":
        assert restored.admit(task(skeleton, 1)) == gate.admit(task(skeleton, 1))


def test_cells_do_not_share_a_quota_and_zero_means_none() -> None:
    gate = NoveltyGate(NoveltyConfig(quota=1))
    assert gate.admit(task("a")) is None
    assert gate.admit(task("a", kind="other")) is None
    assert gate.admit(task("a", domain="other")) is None
    assert reason(gate.admit(task("a"))) == "near_duplicate"
    free = NoveltyGate(NoveltyConfig(quota=0, answer_share=1))
    assert all(free.admit(task("a")) is None for _ in range(50))


@pytest.mark.parametrize(("score", "shut"), [(8.0, True), (0.0, True), (4.0, False)])
def test_a_settled_structure_has_a_smaller_quota(score: float, shut: bool) -> None:
    gate = NoveltyGate(NoveltyConfig(quota=3, settled_quota=1))
    first = task("a")
    assert gate.admit(first) is None
    gate.score(first, score, 8)
    assert (reason(gate.admit(task("a"))) == "near_duplicate") is shut


def test_the_window_forgets_a_settled_structure_and_asks_it_again() -> None:
    gate = NoveltyGate(NoveltyConfig(quota=3, settled_quota=1, window=5, answer_share=1))
    first = task("a")
    gate.admit(first)
    gate.score(first, 8.0, 8)
    for name in "bcdef":
        gate.admit(task(name))
    assert gate.admit(task("a")) is None


def test_another_spelling_of_the_same_behaviour_is_a_near_duplicate() -> None:
    gate = NoveltyGate(NoveltyConfig(behaviour_quota=2))
    reasons = [reason(gate.admit(task(name, signature="f"))) for name in "abc"]
    assert reasons == ["", "", "near_duplicate"]
    assert all(gate.admit(task(name)) is None for name in "abc"), "without a signature nothing is known of behaviour"


@pytest.mark.parametrize("mark", ["constant:", "identity:"])
def test_what_the_verifier_marked_as_trivial_stays_out(mark: str) -> None:
    assert reason(NoveltyGate(NoveltyConfig()).admit(task("a", signature=f"{mark}12ab"))) == "trivial"
    assert NoveltyGate(NoveltyConfig(enabled=False)).admit(task("a", signature=f"{mark}12ab")) is None


def test_tasks_that_show_their_own_answer_are_rationed() -> None:
    gate = NoveltyGate(NoveltyConfig(shown_share=0.1))
    for number in range(40):
        gate.admit(task(f"s{number}", str(number), given={"input": "x"}))
    shown = [reason(gate.admit(task(f"t{n}", f"[{n}]", given={"input": f"[{n}]"}))) for n in range(10)]
    assert shown == [""] * 4 + ["trivial"] * 6


def test_a_disabled_gate_still_counts_what_is_covered() -> None:
    gate = NoveltyGate(NoveltyConfig(enabled=False))
    for name in "aaaaab":
        assert gate.admit(task(name, signature=name)) is None
    assert gate.coverage("d") == {"skeletons": 2, "behaviours": 2, "niches": 2, "tasks": 6}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 4)), max_size=50),
    st.integers(1, 12),
)
def test_the_archive_counts_what_its_window_holds(drawn: list[tuple[str, str, int]], window: int) -> None:
    archive = Archive(window)
    kept: list[tuple[str, str, int]] = []
    for skeleton, signature, passed in drawn:
        one = task(skeleton, gold=signature, signature=signature)
        archive.add(Record.of(one))
        archive.score(one.id, float(passed), 4)
        kept = [*kept, (skeleton, signature, passed)][-window:]
    assert len(archive) == len(kept)
    for skeleton in "abc":
        own = [passed for name, _, passed in kept if name == skeleton]
        assert archive.n_skeleton(skeleton) == len(own)
        assert archive.difficulty(skeleton) == difficulty(sum(own), 4 * len(own))
    for signature in "xy":
        assert archive.n_signature(signature) == sum(s == signature for _, s, _ in kept)
    niches = {(skeleton, signature, difficulty(passed, 4)) for skeleton, signature, passed in kept}
    assert archive.coverage() == {
        "skeletons": len({k[0] for k in kept}),
        "behaviours": len({k[1] for k in kept}),
        "niches": len(niches),
        "tasks": len(kept),
    }
