"""What to play next: how a step's budget of proposals is split over the cells, the (domain, kind) pairs.

Others rely on `Curriculum`, `Observation`, the registry `CURRICULA` and `DEFAULT_CURRICULUM`; the weights inside a
curriculum may change freely as long as every cell keeps its floor. Which reference tasks a prompt shows is the task
store's choice; what is too similar to be admitted is the gate's (`novelty.py`), and what deserves a second look is
the quarantine's. `watch.py` raises the alarms of a run that starves or dries up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from azr_engine.curriculum.balanced import BalancedCurriculum
from azr_engine.curriculum.learnability import BanditCurriculum, LearnabilityCurriculum, ProgressCurriculum
from azr_engine.curriculum.protocol import Cell, Curriculum, Observation, PlansReplay
from azr_engine.curriculum.schedules import UniformCurriculum, apportion

CURRICULA: Mapping[str, Callable[[], Curriculum]] = MappingProxyType(
    {
        "uniform": UniformCurriculum,
        "learnability": LearnabilityCurriculum,
        "progress": ProgressCurriculum,
        "bandit": BanditCurriculum,
        "balanced": BalancedCurriculum,
    }
)
DEFAULT_CURRICULUM = "balanced"

__all__ = [
    "CURRICULA",
    "DEFAULT_CURRICULUM",
    "BalancedCurriculum",
    "BanditCurriculum",
    "Cell",
    "Curriculum",
    "LearnabilityCurriculum",
    "Observation",
    "PlansReplay",
    "ProgressCurriculum",
    "UniformCurriculum",
    "apportion",
]
