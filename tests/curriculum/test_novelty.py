"""The skeleton quota counts within its window, per domain and kind, and forgets what left it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.novelty import NoveltyConfig, SkeletonQuota
from azr_engine.engine.types import Task


def task(skeleton: str, kind: str = "k", domain: str = "d") -> Task:
    return Task("id", domain, kind, {}, None, skeleton)


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 4), st.integers(1, 20))
def test_the_window_never_holds_more_than_the_quota(skeletons: list[str], quota: int, window: int) -> None:
    gate = SkeletonQuota(NoveltyConfig(quota=quota, window=window))
    admitted: list[str] = []
    for skeleton in skeletons:
        expected = admitted[-window:].count(skeleton) < quota
        assert gate.admit(task(skeleton)) is expected
        if expected:
            admitted.append(skeleton)


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 3), st.integers(1, 10))
def test_a_restored_gate_decides_like_the_one_that_went_on(skeletons: list[str], quota: int, window: int) -> None:
    config = NoveltyConfig(quota=quota, window=window)
    gate = SkeletonQuota(config)
    admitted = [candidate for candidate in map(task, skeletons) if gate.admit(candidate)]
    restored = SkeletonQuota(config)
    restored.restore("d", "k", admitted[-window:])
    for skeleton in "abcabc":
        assert restored.admit(task(skeleton)) is gate.admit(task(skeleton))


def test_cells_do_not_share_a_quota_and_zero_means_none() -> None:
    gate = SkeletonQuota(NoveltyConfig(quota=1))
    assert gate.admit(task("a"))
    assert gate.admit(task("a", kind="other"))
    assert gate.admit(task("a", domain="other"))
    assert not gate.admit(task("a"))
    free = SkeletonQuota(NoveltyConfig(quota=0))
    assert all(free.admit(task("a")) for _ in range(50))
