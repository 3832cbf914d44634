"""Alarms come when a figure leaves its range, once, and again only after it has been back."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.quarantine import MAX_TESTS, Quarantine
from azr_engine.curriculum.watch import BASELINE_STEPS, Watch, WatchConfig


def names(watch: Watch, step: int, *, effective: int = 5, entropy: float | None = 1.0, kl: float = 0.0) -> list[str]:
    return [alarm.name for alarm in watch.hear(step, {"d": effective}, {"d": entropy}, kl)]


def test_a_domain_without_effective_tasks_starves_once_and_again_after_recovering() -> None:
    watch = Watch(WatchConfig(starvation_steps=4, starvation_floor=0.5))
    found = [names(watch, n, effective=e) for n, e in enumerate([0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0])]
    assert [n for n, alarms in enumerate(found) if alarms] == [3, 10]
    assert found[3] == ["starvation"]


def test_a_proposer_that_dries_up_raises_one_alarm() -> None:
    watch = Watch(WatchConfig(entropy_share=0.5))
    values = [1.0] * (BASELINE_STEPS + 3) + [0.2] * 20
    found = [names(watch, n, entropy=value) for n, value in enumerate(values)]
    assert found.count(["entropy"]) == 1
    assert found.count([]) == len(found) - 1
    assert found.index(["entropy"]) >= BASELINE_STEPS + 3


def test_steps_without_proposals_say_nothing_about_entropy() -> None:
    watch = Watch(WatchConfig())
    assert not any(names(watch, n, entropy=None) for n in range(30))


def test_the_kl_budget_raises_an_alarm_when_it_is_spent() -> None:
    watch = Watch(WatchConfig(kl_budget=0.5))
    assert [names(watch, n, kl=kl) for n, kl in enumerate([0.1, 0.6, 0.7])] == [[], ["kl_budget"], []]


def test_updates_without_a_finite_gradient_are_named_and_in_a_row_they_stop_the_run() -> None:
    watch = Watch(WatchConfig(skipped_updates=3))
    found = []
    for n, applied in enumerate([False, False, True, False, False, False]):
        found.append([alarm.name for alarm in watch.hear(n, {}, {}, 0.0, applied=applied)])
        restored = Watch(WatchConfig(skipped_updates=3))
        restored.load_state_dict(json.loads(json.dumps(watch.state_dict())))
        watch = restored
    assert found == [["update_skipped"]] * 2 + [[]] + [["update_skipped"]] * 2 + [["diverged"]]


@given(st.lists(st.tuples(st.integers(0, 2), st.none() | st.floats(0.01, 2.0)), max_size=60), st.integers(0, 60))
def test_a_watch_goes_on_from_its_saved_state(figures: list[tuple[int, float | None]], cut: int) -> None:
    config = WatchConfig(starvation_steps=3)
    whole, first = Watch(config), Watch(config)
    expected = [names(whole, n, effective=e, entropy=value) for n, (e, value) in enumerate(figures)]
    found = [names(first, n, effective=e, entropy=value) for n, (e, value) in enumerate(figures[:cut])]
    second = Watch(config)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    rest = list(enumerate(figures))[cut:]
    assert found + [names(second, n, effective=e, entropy=value) for n, (e, value) in rest] == expected


def test_an_unsolved_task_is_tried_again_later_and_given_up_in_the_end() -> None:
    quarantine = Quarantine(after=10)
    quarantine.hear("hopeless", 0.0, 1)
    quarantine.hear("solved", 0.5, 1)
    tried = []
    for step in range(2, 100):
        for task_id in quarantine.due(step, 5):
            tried.append(step)
            quarantine.hear(task_id, 0.0, step)
    assert tried == [11, 31]
    assert len(tried) == MAX_TESTS - 1
    assert len(quarantine) == 0


def test_a_task_that_is_solved_at_last_leaves_and_an_unscored_one_waits() -> None:
    quarantine = Quarantine(after=5)
    for name in ("late", "lost"):
        quarantine.hear(name, 0.0, 1)
    quarantine.hear("late", 0.25, 6)
    quarantine.hear("lost", None, 6)
    assert quarantine.due(7, 9) == ["lost"]
    restored = Quarantine(after=5)
    restored.load_state_dict(json.loads(json.dumps(quarantine.state_dict())))
    assert restored.due(7, 9) == ["lost"]
    assert quarantine.due(5, 9) == []
