"""What plugins may add to the reward of a right answer: little enough that being right stays what counts.

Only tries that pass are shown and paid, so a failed try is never lifted, let alone above one that passed. Proposers are
paid by verdicts alone, and a control (`RewardRule.honest` is False) pays no bonus: it would tell the truth after all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.types import Attempt, Episode

SHARE = 0.2
"""Most that a bonus adds, as a share of what the rule pays between a score of 0 and a score of 1."""


def pay_bonuses(
    episodes: Sequence[Episode], rule: RewardRule, bonus: Callable[[Attempt], float | None]
) -> list[Episode]:
    """The episodes, in order, with the bonus of each rewarded try that passed added to its reward.

    Args:
        episodes: with rewards as the rule pays them.
        bonus: of a try that passed, in [0, 1]; None adds nothing.
    """
    if not rule.honest:
        return list(episodes)
    most = SHARE * (rule.solver(1.0) - rule.solver(0.0))

    def paid(attempt: Attempt) -> Attempt:
        if attempt.reward is None or attempt.verdict.status != "pass":
            return attempt
        value = bonus(attempt)
        return dataclasses.replace(attempt, reward=attempt.reward + most * value) if value else attempt

    return [dataclasses.replace(e, attempts=tuple(paid(attempt) for attempt in e.attempts)) for e in episodes]
