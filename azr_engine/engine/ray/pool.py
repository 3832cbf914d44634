"""Equal actors in reserved places of the cluster, and calls that survive the loss of any of them.

A call that was under way when its actor's process or node died is sent again, so it must give the same result twice.
Covered: a worker killed, a node gone, a node that comes back. Not covered: an actor that lives and never answers.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azr_engine.engine.errors import UserError

MAX_LOSSES = 3
"""A call that took so many actors with it is not sent again."""

PATIENCE_SECONDS = 600.0
"""How long a call waits while no actor lives."""

_FAREWELL_SECONDS = 10.0


class ActorsLost(UserError):
    """No actor is left, or one call ended several: what was recorded is safe."""


class ActorPool:
    """Actors of one kind, one in each place.

    Args:
        make: starts an actor in the place of that number, without waiting for it.
        n_places: how many there are.
        greeting: arguments of the actors' method `start`, which is called before any other.
        lanes: calls that one actor is given at once, so that it need not wait for us.
    """

    def __init__(self, make: Callable[[int], Any], n_places: int, greeting: Sequence[Any], lanes: int) -> None:
        self._lock = threading.Lock()
        self._lanes = lanes
        self._seats = [_Seat(make, number, greeting) for number in range(n_places)]

    def __len__(self) -> int:
        return len(self._seats)

    def wait(self) -> None:
        """Until every actor has started.

        Raises:
            UserError: what `start` raised in one of them, or they did not start in time.
        """
        self._wait_for(len(self))

    def run(self, method: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call the method with each of the arguments, on whichever actors are free; results in order.

        Several threads may do so at once.

        Raises:
            ActorsLost: no actor lived for `PATIENCE_SECONDS`, or one call lost `MAX_LOSSES` of them.
            Exception: what the method raised.
        """
        import ray

        results: list[Any] = [None] * len(calls)
        todo, losses = deque(range(len(calls))), Counter[int]()
        sent: dict[Any, tuple[int, _Seat, Any]] = {}
        while todo or sent:
            for seat, actor in self._free(sent)[: len(todo)]:
                number = todo.popleft()
                sent[getattr(actor, method).remote(*calls[number])] = number, seat, actor
            # The timeout lets an actor that started meanwhile have its part.
            for reference in ray.wait(list(sent), timeout=1.0)[0]:
                number, seat, actor = sent.pop(reference)
                try:
                    results[number] = ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                except ray.exceptions.RayError:
                    self._lost(seat, actor)
                    todo.appendleft(number)
                    losses[number] += 1
                    if losses[number] == MAX_LOSSES:
                        reason = f"a call of {method} lost {MAX_LOSSES} Ray workers in a row; see their logs"
                        raise ActorsLost(reason) from None
        return results

    def _free(self, sent: Mapping[Any, tuple[int, _Seat, Any]]) -> list[tuple[_Seat, Any]]:
        """Every living actor once for each lane that is free beside what was sent, the least busy first."""
        alive = self._alive() if sent else self._wait_for(1)
        under_way = Counter(id(actor) for _, _, actor in sent.values())
        return [(seat, actor) for lane in range(self._lanes) for seat, actor in alive if under_way[id(actor)] <= lane]

    def close(self) -> None:
        """Let every actor that lives clean up behind itself."""
        import ray

        farewells = [seat.actor.close.remote() for seat in self._seats if seat.up]
        if farewells:
            ray.wait(farewells, num_returns=len(farewells), timeout=_FAREWELL_SECONDS)

    def _alive(self) -> list[tuple[_Seat, Any]]:
        """The seats whose actors have started, with these."""
        with self._lock:
            return [(seat, seat.actor) for seat in self._seats if seat.look()]

    def _wait_for(self, n_alive: int) -> list[tuple[_Seat, Any]]:
        """As `_alive`, once there are so many."""
        import ray

        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(alive := self._alive()) < n_alive:
            if time.monotonic() > deadline:
                reason = f"{len(alive)} of {n_alive} Ray workers started within {PATIENCE_SECONDS:.0f} seconds"
                raise ActorsLost(f"{reason}; see `ray status`")
            ray.wait([seat.started for seat in self._seats if not seat.up], timeout=1.0)
        return alive

    def _lost(self, seat: _Seat, actor: Any) -> None:
        with self._lock:
            if seat.actor is actor:  # else another thread has noticed before
                seat.fill()


class _Seat:
    """A place and the actor in it."""

    def __init__(self, make: Callable[[int], Any], number: int, greeting: Sequence[Any]) -> None:
        self._make, self._number, self._greeting = make, number, greeting
        self.actor: Any = None
        self._deaths = 0
        self.fill()

    def fill(self) -> None:
        """Start another actor in place of the one that is gone, or that cannot be reached any more."""
        import ray

        if self.actor is not None:
            with suppress(ray.exceptions.RayError):
                ray.kill(self.actor)
        self.actor = self._make(self._number)
        self.started = self.actor.start.remote(*self._greeting)
        self.up = False

    def look(self) -> bool:
        """Whether the actor has started by now. Raises what its `start` raised."""
        import ray

        if not self.up and ray.wait([self.started], timeout=0)[0]:
            try:
                ray.get(self.started)
                self.up, self._deaths = True, 0
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except ray.exceptions.RayError as error:
                self._deaths += 1
                if self._deaths == MAX_LOSSES:
                    reason = str(error).strip().splitlines()[-1]
                    raise ActorsLost(f"a Ray worker died {MAX_LOSSES} times as it started: {reason}") from None
                self.fill()
        return self.up
