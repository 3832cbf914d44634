"""The alarm over false passes: false alarms stay under alpha however long one watches, and cheating is seen soon."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.trust.alarm import FalsePassAlarm
from azr_engine.verifiers.trust.watch import FalsePassWatch


def first_alarm(shares: np.ndarray, alarm: FalsePassAlarm) -> int | None:
    """The number of tasks until the alarm; None without one."""
    for n, share in enumerate(shares, 1):
        alarm = alarm.observe(float(share))
        if alarm.raised:
            return n
    return None


@pytest.mark.parametrize("alike", [False, True])
def test_false_alarms_stay_under_alpha_at_any_time(alike: bool) -> None:
    rng = np.random.default_rng(1)
    runs = 120
    raised = 0
    for _ in range(runs):
        # Alike: a judge that errs on all answers to a task or on none; the tasks are still independent.
        shares = rng.random(200) < 0.05 if alike else rng.binomial(4, 0.05, 200) / 4
        raised += first_alarm(shares, FalsePassAlarm(0.05, 0.1)) is not None
    assert raised / runs <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / runs)


@pytest.mark.parametrize(("calm", "rate", "soon"), [(0, 0.9, 4), (0, 0.5, 10), (0, 0.2, 60), (100, 0.9, 8)])
def test_cheating_is_seen_soon_however_late_it_begins(calm: int, rate: float, soon: int) -> None:
    rng = np.random.default_rng(2)
    delays = []
    for _ in range(40):
        shares = rng.random(calm + 500) < np.where(np.arange(calm + 500) < calm, 0.01, rate)
        found = first_alarm(shares, FalsePassAlarm(0.02, 0.01))
        assert found is not None
        delays.append(found - calm)
    assert np.median(delays) <= soon


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.01, 0.99))
def test_the_evidence_is_the_wealth_of_a_fair_bet(shares: list[float], tolerated: float) -> None:
    """Whatever came before, one more task with the tolerated mean leaves the evidence as it is on average."""
    alarm = FalsePassAlarm(tolerated, 0.01)
    for share in shares:
        alarm = alarm.observe(share)
    before = np.exp(alarm.log_evidence)
    after = tolerated * np.exp(alarm.observe(1.0).log_evidence) + (1 - tolerated) * np.exp(
        alarm.observe(0.0).log_evidence
    )
    assert after == pytest.approx(before, rel=1e-9)


def test_an_alarm_once_raised_stays() -> None:
    alarm = FalsePassAlarm()
    for _ in range(4):
        alarm = alarm.observe(1.0)
    assert alarm.raised
    for _ in range(200):
        alarm = alarm.observe(0.0)
    assert alarm.raised and alarm.log_evidence < alarm.highest


def test_the_beginning_of_the_trouble_is_dated() -> None:
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(20):
        watch = FalsePassWatch(0.35, 0.01)
        for step in range(1, 200):
            for _ in range(4):
                watch.hear(("d", "k"), rng.binomial(8, 0.8 if step > 40 else 0.2) / 8)
            if watch.end_step(step):
                break
        assert watch.calm_step is not None
        errors.append(watch.calm_step - 40)
    assert np.median(np.abs(errors)) <= 1 and max(errors) <= 2


def test_a_watch_goes_through_json() -> None:
    one, two = FalsePassWatch(0.35, 0.01), FalsePassWatch(0.35, 0.01)
    for step, share in enumerate((0.2, 1.0, 0.9), 1):
        one.hear(("d", "k"), share)
        one.end_step(step)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert two.state_dict() == one.state_dict() and two.calm_step == one.calm_step == 1


def test_an_alarm_is_plain_data() -> None:
    alarm = FalsePassAlarm().observe(0.25).at(3)
    assert json.loads(json.dumps(asdict(alarm)))["calm_step"] == alarm.calm_step


@pytest.mark.parametrize("arguments", [(0.0, 0.1), (0.1, 1.0), (0.1, 0.1, 2, 1)])
def test_impossible_settings_are_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must lie"):
        FalsePassAlarm(*arguments)  # type: ignore[arg-type]
