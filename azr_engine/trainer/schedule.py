"""How large the update's step is: constant, but for the end of a run that knows its end.

Smaller steps average out what of a gradient is chance, at the price of slower progress: worth it where nothing comes
after. docs/learning.md says how little is known of what they bring here.
"""

from __future__ import annotations

LEAST = 0.1
"""Part of the step size that is left at the very end."""


def step_size(progress: float, anneal: float) -> float:
    """The factor of the learning rate: 1, then falling linearly to `LEAST` over the last part of a run.

    The schedule "warmup, stable, decay" without the first (Hu et al. 2024, arXiv 2404.06395, section 4.2).

    Args:
        progress: part of the run that is over, from 0 to 1.
        anneal: the part over which it falls; 0 for never.
    """
    if progress <= 1.0 - anneal:
        return 1.0
    return max(LEAST, 1.0 - (1.0 - LEAST) * (progress - (1.0 - anneal)) / anneal)
