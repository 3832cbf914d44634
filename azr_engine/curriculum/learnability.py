"""Curricula that follow one figure of each cell, above the floors: learnability, progress, or a bandit's reward."""

from __future__ import annotations

import math
from collections.abc import Mapping

from azr_engine.curriculum.evidence import PRIOR_YIELD, Evidence
from azr_engine.curriculum.learned import LearnedCurriculum, Shares
from azr_engine.curriculum.protocol import Cell

TEMPERATURE = 0.25
"""Of the bandit's softmax over rewards in [0, 1]: a cell worth 0.25 more gets e times the weight."""
NOISE = 0.02
"""Progress that every cell is credited with, near what chance alone shows at sixty tries a step."""


class LearnabilityCurriculum(LearnedCurriculum):
    """Weights are the posterior mean of p(1 - p) that a proposal of the cell brings [arXiv 2408.15099]."""

    name = "learnability"

    def weights(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """The posterior means."""
        return {cell: one.learnability for cell, one in evidence.items()}


class ProgressCurriculum(LearnedCurriculum):
    """Weights are the learning progress |slope| of a cell's solve rate, which also sees forgetting [arXiv 1707.00183].

    The slope is read as the difference between a fast and a slow average. A cell at rest gets little, however
    learnable its tasks look.
    """

    name = "progress"

    def weights(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """Progress; for a cell without a task so far the largest there is, fading as its proposals come to nothing."""
        most = max((one.progress for one in evidence.values()), default=0.0)
        return {
            cell: NOISE + (most * one.effective_yield / PRIOR_YIELD if one.slow is None else one.progress)
            for cell, one in evidence.items()
        }


class BanditCurriculum(LearnedCurriculum):
    """Cells as arms: Boltzmann weights over a faded mean of the expected |advantage| [arXiv 2505.14970, section 3].

    For a group of binary rewards whitened by its own deviation, E|A| = 2 sqrt(p(1 - p)). Counted per proposal, it is
    what a unit of the budget buys, so a cell whose proposals are seldom effective is a poor arm.
    """

    name = "bandit"

    def weights(self, evidence: Mapping[Cell, Evidence]) -> Shares:
        """exp(reward / temperature), with the reward in [0, 1]."""
        return {cell: math.exp(_reward(one) / TEMPERATURE) for cell, one in evidence.items()}


def _reward(evidence: Evidence) -> float:
    """Expected |advantage| per proposal, from the effective tasks and their mean learnability."""
    per_effective = min(evidence.learnability / evidence.effective_yield, 0.25)
    return evidence.effective_yield * 2.0 * math.sqrt(per_effective)
