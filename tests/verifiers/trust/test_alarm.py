"""The honeypot alarm: false alarms stay under alpha however long one watches, and cheating is seen soon."""

from __future__ import annotations

import numpy as np
import pytest

from azr_engine.verifiers.trust.alarm import FalsePassAlarm, log_evidence


def first_alarm(rng: np.random.Generator, rate: float, alarm: FalsePassAlarm, longest: int) -> int | None:
    """The number of tries until the alarm; None without one within `longest`."""
    for n, passed in enumerate(rng.random(longest) < rate, 1):
        alarm = alarm.observe(passed=bool(passed))
        if alarm.raised:
            return n
    return None


def test_false_alarms_stay_under_alpha_at_any_time() -> None:
    rng = np.random.default_rng(1)
    runs = 200
    raised = sum(first_alarm(rng, 0.05, FalsePassAlarm(0.05, 0.1), 200) is not None for _ in range(runs))
    assert raised / runs <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / runs)


@pytest.mark.parametrize(("rate", "soon"), [(0.9, 4), (0.5, 10), (0.2, 60)])
def test_cheating_is_seen_soon(rate: float, soon: int) -> None:
    rng = np.random.default_rng(2)
    delays = [first_alarm(rng, rate, FalsePassAlarm(0.02, 0.01), 500) for _ in range(80)]
    assert None not in delays
    assert np.median([delay for delay in delays if delay is not None]) <= soon


def test_an_alarm_once_raised_stays() -> None:
    alarm = FalsePassAlarm()
    for _ in range(4):
        alarm = alarm.observe(passed=True)
    assert alarm.raised
    for _ in range(200):
        alarm = alarm.observe(passed=False)
    assert alarm.raised and log_evidence(alarm.n_passed, alarm.n_tried, alarm.tolerated) < alarm.highest


@pytest.mark.parametrize("arguments", [(0.0, 0.1), (0.1, 1.0), (0.1, 0.1, 2, 1)])
def test_impossible_settings_are_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must lie"):
        FalsePassAlarm(*arguments)  # type: ignore[arg-type]
