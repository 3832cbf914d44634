"""What to play next: how a step's budget of proposals is split over the cells, the (domain, kind) pairs.

Others rely on `Curriculum`, the registry `CURRICULA` and `DEFAULT_CURRICULUM`; the weights inside a curriculum
may change freely as long as every cell keeps its floor. Which reference tasks a prompt shows is the task
store's choice, and what is too similar to be admitted is the gate's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from azr_engine.curriculum.learnability import LearnabilityCurriculum
from azr_engine.curriculum.protocol import Cell, Curriculum
from azr_engine.curriculum.schedules import UniformCurriculum, apportion

CURRICULA: Mapping[str, Callable[[], Curriculum]] = MappingProxyType(
    {"uniform": UniformCurriculum, "learnability": LearnabilityCurriculum}
)
DEFAULT_CURRICULUM = "learnability"

__all__ = [
    "CURRICULA",
    "DEFAULT_CURRICULUM",
    "Cell",
    "Curriculum",
    "LearnabilityCurriculum",
    "UniformCurriculum",
    "apportion",
]
