"""Calling a verifier from outside its event loop, so that one that hangs or blocks is seen and outlived."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
TICK_SECONDS = 0.02


class Hung(RuntimeError):
    """A call did not return in time; its event loop may be blocked for good."""


class LoopThread:
    """An event loop in a thread of its own, watched from here.

    Attributes:
        longest_stall: the longest time in seconds that the loop did not turn during a call. It is counted in ticks of
            the watching thread, so a machine that is busy elsewhere does not look like a verifier that blocks.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="conformance", daemon=True)
        self._thread.start()
        self.longest_stall = 0.0

    def call(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """What the coroutine returns. Raises Hung after `seconds`, and whatever the coroutine raises."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        turned = threading.Event()
        n_waiting = 0
        for _ in range(max(1, round(seconds / TICK_SECONDS))):
            self._loop.call_soon_threadsafe(turned.set)
            try:
                return future.result(TICK_SECONDS)
            except concurrent.futures.TimeoutError:
                if future.done():
                    # The coroutine itself raised a TimeoutError.
                    return future.result()
            n_waiting = 0 if turned.is_set() else n_waiting + 1
            turned.clear()
            self.longest_stall = max(self.longest_stall, n_waiting * TICK_SECONDS)
        future.cancel()
        raise Hung(f"no answer within {seconds:g} s")

    def close(self) -> None:
        """End the loop; a blocked one is left behind with its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self._loop.close()
