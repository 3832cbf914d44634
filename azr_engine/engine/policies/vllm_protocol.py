"""What a vLLM engine does for the policy, wherever it runs. Importable without torch and without vLLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Row = tuple[list[int], list[float]]
"""Token ids of a completion and their log-probabilities."""


@dataclass(frozen=True, slots=True)
class Request:
    """How a batch is sampled: neither top-p nor top-k nor penalties, whatever the model's own settings say.

    Attributes:
        temperature: 0 means greedy.
        ends: tokens that end a completion.
    """

    n_samples: int
    max_new_tokens: int
    temperature: float
    ends: tuple[int, ...]


class Engine(Protocol):
    """Where vLLM runs. Every method raises UserError where the engine is gone."""

    name: str
    """What messages call it."""
    mend: str
    """What to do about one that has another model."""

    def sample(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], request: Request) -> list[list[Row]]:
        """`request.n_samples` completions for each prompt; the same for the same seed of a prompt."""
        ...

    def take(self, model: Any, folder: Path, version: int) -> None:
        """Serve the model's weights of this moment from now on; awake again, if it slept.

        Args:
            folder: for files that the engine reads; empty again afterwards.
        """
        ...

    def sleep(self) -> None:
        """Leave its memory to the trainer until `take`."""
        ...

    def served(self) -> set[str]:
        """The versions that the engine's workers serve; one, unless something is wrong."""
        ...

    def close(self) -> None:
        """Stop what was started for this run."""
        ...
