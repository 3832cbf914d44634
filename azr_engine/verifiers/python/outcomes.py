"""What became of an input, as the supervisor reads it out of a worker's bytes."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from azr_engine.verifiers.python.wire import unpack_outcomes


class Outcome(NamedTuple):
    """One input's result: a status, the text that goes with it (see `wire.STATUSES`), and CPU seconds in the child."""

    status: str
    text: str = ""
    cpu_seconds: float = 0.0


def read_outcomes(data: bytes, at: int, n_outcomes: int) -> list[Outcome]:
    """Exactly `n_outcomes` from byte `at` of `data`; those missing or broken are the program's crash.

    Nothing here trusts the sender: what follows the last outcome is ignored.
    """
    found: list[Outcome] = []
    try:
        for status, text, cpu_seconds, _ in itertools.islice(unpack_outcomes(data, at), n_outcomes):
            found.append(Outcome(status, text, cpu_seconds))
    except ValueError:
        pass
    return found + [Outcome("crash", "broken result")] * (n_outcomes - len(found))
