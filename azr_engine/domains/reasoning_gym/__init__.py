"""Domains `rg:NAME` of the package reasoning-gym: tasks from its generators, for the solver alone.

Others rely on `ReasoningGymDomain`; everything else may change freely.
"""

from azr_engine.domains.reasoning_gym.domain import ReasoningGymDomain

__all__ = ["ReasoningGymDomain"]
