"""What the stages share: how both roles are sampled, and how work is grouped by verifier and faults are logged."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cell = tuple[str, str]
"""A (domain, kind) pair."""

Log = Callable[[str, Mapping[str, Any]], None]
"""Called with an event's name and data."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How both roles are sampled."""

    propose_tokens: int
    solve_tokens: int
    temperature: float
    n_attempts: int
    n_references: int
    proposals_per_prompt: int = 1


def group_by_name(names: Sequence[str | None]) -> list[tuple[str, list[int]]]:
    """Indices grouped by name, None left out."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if name is not None:
            groups.setdefault(name, []).append(index)
    return list(groups.items())


def fault_event(verifier: str, during: str, error: Exception) -> tuple[str, dict[str, Any]]:
    """The event that records what a verifier raised, traceback included."""
    trace = "".join(traceback.format_exception(error))
    return "verifier_fault", {"verifier": verifier, "during": during, "traceback": trace}
