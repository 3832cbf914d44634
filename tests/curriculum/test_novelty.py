"""The gate's quotas count within their window, per domain and kind, and forget what left it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.novelty import MIN_RECENT, NoveltyConfig, NoveltyGate
from azr_engine.engine.types import Rejection, Task


def task(skeleton: str, gold: object = None, kind: str = "k", domain: str = "d") -> Task:
    return Task("id", domain, kind, {}, gold, skeleton)


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
    restored.restore("d", "k", admitted[-25:])
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
