"""Verifiers whose work is done by actors on all nodes, each in the sandbox tier that works there.

Deterministic verifiers alone are spread: a request that is lost with its worker is sent again, and must then be
judged alike. Others, and the judges that stand in for a verifier, stay in the run's own process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Nature, Verifier
from azr_engine.engine.ray.lifeline import end_with_node
from azr_engine.engine.ray.pool import ActorPool
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict

LANES = 4
"""Requests that one worker is given at once: its sandbox never waits for the next."""

_MOST_ITEMS = 16
"""Drafts or answers in one request."""


def spread(verifiers: Mapping[str, Verifier], config: RunConfig) -> dict[str, Verifier]:
    """The verifiers, the deterministic ones ready for workers where the settings name a cluster."""
    if config.ray.address is None:
        return dict(verifiers)
    return {name: RayVerifier(v) if v.nature == "deterministic" else v for name, v in verifiers.items()}


class RayVerifier:
    """A verifier that hands its work to a pool of `VerifierWorker`; until it has one, it does the work here."""

    def __init__(self, here: Verifier) -> None:
        self._here = here
        self.name, self.nature = here.name, here.nature
        self.pool: ActorPool | None = None

    name: str
    nature: Nature

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """As the verifier does, in order. Raises what it raises, and ActorsLost."""
        return await self._here.admit(drafts) if self.pool is None else await self._ask(self.pool, "admit", drafts)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """As the verifier does, in order. Raises what it raises, and ActorsLost."""
        return await self._here.judge(pairs) if self.pool is None else await self._ask(self.pool, "judge", pairs)

    async def close(self) -> None:
        """Release the verifier in this process; the pool is the cluster's to close."""
        await self._here.close()

    async def _ask(self, pool: ActorPool, method: str, items: Sequence[Any]) -> list[Any]:
        size = min(_MOST_ITEMS, max(1, len(items) // (LANES * len(pool))))
        calls = [(self.name, items[start : start + size]) for start in range(0, len(items), size)]
        answers = await asyncio.to_thread(pool.run, method, calls)
        for (_, asked), answer in zip(calls, answers, strict=True):
            if len(answer) != len(asked):
                raise ValueError(f"{len(answer)} results for {len(asked)} items")
        return [result for answer in answers for result in answer]


class VerifierWorker:
    """The actor: the same plugins and verifiers as in the run's own process, with sandboxes of its own."""

    def __init__(self) -> None:
        self._verifiers: Mapping[str, Verifier] = {}

    async def start(self, config: str, names: Sequence[str]) -> None:
        """Make the verifiers of these names from the run's settings as JSON.

        Raises:
            UserError: a plugin or a sandbox is missing on this node.
        """
        from azr_engine.plugins.manager import Plugins

        end_with_node()
        settings = RunConfig.model_validate_json(config)
        found = Plugins(settings.plugins).verifiers(settings)
        missing = [name for name in names if name not in found]
        if missing:
            raise UserError(f"no plugin brings the verifier {missing[0]!r}")
        self._verifiers = {name: found[name] for name in names}

    async def admit(self, name: str, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """See `Verifier.admit`."""
        return await self._verifiers[name].admit(drafts)

    async def judge(self, name: str, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """See `Verifier.judge`."""
        return await self._verifiers[name].judge(pairs)

    async def close(self) -> None:
        """End the sandboxes."""
        for verifier in self._verifiers.values():
            await verifier.close()
