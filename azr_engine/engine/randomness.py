"""Randomness without hidden state: every generator is derived from the run's seed, the step and a purpose.

A resumed run therefore needs no saved generator to go on exactly as it would have.
"""

from __future__ import annotations

import hashlib
import random


def derived_seed(seed: int, step: int, purpose: str) -> int:
    """A 63-bit seed, independent for each (seed, step, purpose)."""
    digest = hashlib.sha256(f"{seed}/{step}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def derived_rng(seed: int, step: int, purpose: str) -> random.Random:
    """A generator of its own for each (seed, step, purpose)."""
    return random.Random(derived_seed(seed, step, purpose))
