"""What becomes of a run whose sandbox goes away: a second tier takes over, said in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from azr_engine.verifiers.python.outcomes import Outcome
from azr_engine.verifiers.python.requests import Executor, Request


class FallbackExecutor:
    """An `Executor` that leaves one tier for another, for good, once the first can start no worker any more.

    A fault alone is no reason: the first tier is looked at then, and kept where it still works.

    Args:
        why_gone: looks at the first tier now; the reason why it cannot be used, or nothing.
    """

    def __init__(self, first: Executor, second: Executor, why_gone: Callable[[], str]) -> None:
        self._first, self._second, self._why_gone = first, second, why_gone
        self._current = first
        self.name = first.name

    async def run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """See `Executor.run`. What the first tier lost in going away is run again on the second."""
        current = self._current
        outcomes = await current.run(requests)
        faulty = [i for i, found in enumerate(outcomes) if any(outcome.status == "fault" for outcome in found)]
        if not faulty or current is self._second or not await self._left():
            return outcomes
        again = await self._second.run([requests[i] for i in faulty])
        for i, found in zip(faulty, again, strict=True):
            outcomes[i] = found
        return outcomes

    async def _left(self) -> bool:
        """Leave the first tier if it is gone; whether it is left."""
        why = await asyncio.to_thread(self._why_gone)
        if why and self._current is self._first:
            self._current, self.name = self._second, self._second.name
            print(f"sandbox: {self._first.name} is gone ({why}); going on in {self._second.name}", file=sys.stderr)
        return self._current is self._second

    async def close(self) -> None:
        """See `Executor.close`."""
        await self._first.close()
        await self._second.close()
