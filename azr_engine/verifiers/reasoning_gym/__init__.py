"""The verifier of tasks from the package reasoning-gym (extra `reasoning-gym`): its generators ask, its scorers judge.

Others rely on `ReasoningGymVerifier`, `generator_names`, `N_ITEMS`, `PREFIX` and `UNUSABLE`; the rest may change
freely. Importing this does not import the package.
"""

from azr_engine.verifiers.reasoning_gym.generators import N_ITEMS, UNUSABLE, generator_names
from azr_engine.verifiers.reasoning_gym.verifier import PREFIX, ReasoningGymVerifier

__all__ = ["N_ITEMS", "PREFIX", "UNUSABLE", "ReasoningGymVerifier", "generator_names"]
