"""Encoding ever new texts leaves no memory behind."""

from __future__ import annotations

import random
import resource
from pathlib import Path

from azr_engine.engine.heap import release_freed_memory
from azr_engine.engine.policies.loading import load_model
from azr_engine.engine.policies.transformers import TransformersPolicy


def resident_mib() -> float:
    release_freed_memory()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def test_new_texts_are_not_remembered() -> None:
    policy, rng = TransformersPolicy(load_model("azr-tiny")), random.Random(1)

    def encode(n_texts: int) -> None:
        for _ in range(n_texts):
            text = "".join(rng.choices("abcdefghij0123456789+-*()=[]", k=200))
            assert len(policy.encode(text)) > 100

    encode(200)
    before = resident_mib()
    encode(4000)
    # Remembering each takes 6 KiB, 23 MiB in all.
    assert resident_mib() - before < 3.0
