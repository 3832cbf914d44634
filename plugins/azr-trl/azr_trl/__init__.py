"""Between TRL's reward functions and azr-engine's verifiers, in both directions.

`importing.py` makes a verifier of a reward function, `exporting.py` a reward function of a verifier.
"""

from azr_trl.exporting import VerifierReward
from azr_trl.importing import RewardVerifier, RowsDomain

__all__ = ["RewardVerifier", "RowsDomain", "VerifierReward"]
