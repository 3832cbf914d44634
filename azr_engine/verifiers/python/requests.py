"""What is asked of an executor, and the one interface that every tier implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from azr_engine.verifiers.python.literals import Arguments
from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.policy import Program
from azr_engine.verifiers.python.wire import MAX_CHILDREN

_INTERPRETER_MB = 128
N_HASH_SEEDS = 5
"""How many differently seeded workers there are for programs whose results may show hash order."""


class Place(NamedTuple):
    """Which of the differently started workers: how its interpreter hashes, and whether it holds the modules."""

    hash_seed: int
    has_modules: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Per input: CPU seconds (probes have their own), wall seconds. Per child: MiB above the bare interpreter."""

    cpu_seconds: float = 1.0
    probe_cpu_seconds: float = 0.05
    wall_seconds: float = 20.0
    memory_mb: int = 256

    @property
    def worker_memory_mb(self) -> int:
        """MiB of one worker with all its children."""
        return self.memory_mb * MAX_CHILDREN + _INTERPRETER_MB


@dataclass(frozen=True, slots=True)
class Request:
    """One program and its inputs, run in one child that serves nothing else.

    Attributes:
        probes: further inputs with a small CPU limit; the rest is skipped after one that dies.
        essential: skip what follows an input that kills the child, because all inputs count together.
        pure: report a changed argument as `mutates_input`.
        hash_seed: which of the `N_HASH_SEEDS` workers runs it; None for any.
    """

    program: Program
    inputs: tuple[Arguments, ...]
    probes: tuple[Arguments, ...] = ()
    essential: bool = False
    pure: bool = False
    hash_seed: int | None = None


class Executor(Protocol):
    """Runs batches of requests. Faults are outcomes, never exceptions."""

    name: str

    async def run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """One list per request, in order: an outcome per input, then one per probe."""
        ...

    async def close(self) -> None:
        """End every worker; a later `run` starts new ones."""
        ...
