"""What stands in the way of a program that asks for chance: `id`, `hash` of anything but numbers, unseeded `random`.

Each marks the run, so that it ends as `nondeterministic` even when the program swallows the exception.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DRAWING = """
    betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits lognormvariate normalvariate
    paretovariate randbytes randint random randrange sample shuffle triangular uniform vonmisesvariate weibullvariate
"""


class Chance(Exception):
    """The program asked for something that differs from run to run."""


class Traces:
    """What a run left behind: whether it drew on chance, or asked for a module that is not allowed."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the run before."""
        self.chance = self.refused = self.seeded = False

    def draw(self) -> None:
        """Note that the run drew on chance, and end it."""
        self.chance = True
        raise Chance


traces = Traces()


def guarded_id(value: object) -> None:
    """In the place of `id`, which tells addresses."""
    traces.draw()


def guarded_hash(value: object) -> int:
    """In the place of `hash`, which tells the hash seed for anything but numbers."""
    _require_stable_hash(value)
    return hash(value)


def _require_stable_hash(value: object) -> None:
    if type(value) is tuple:
        for item in value:
            _require_stable_hash(item)
    elif type(value) not in (int, bool, float, complex):
        traces.draw()


def guarded_random(module: Any) -> dict[str, object]:
    """The names of the module `random` that let a program draw only from a generator that it seeded itself."""

    class SeededRandom(module.Random):  # type: ignore[misc]
        """`random.Random` that refuses to seed itself from the system."""

        def __init__(self, x: object = None) -> None:
            self.seed(x)

        def seed(self, a: object = None, version: int = 2) -> None:
            if a is None:
                traces.draw()
            super().seed(a, version)

    def seed(a: object = None, version: int = 2) -> None:
        if a is None:
            traces.draw()
        module.seed(a, version)
        traces.seeded = True

    guarded: dict[str, object] = {
        name: _guard(getattr(module, name)) for name in _DRAWING.split() if hasattr(module, name)
    }
    return guarded | {"seed": seed, "Random": SeededRandom}


def _guard(draw: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*arguments: Any, **named: Any) -> Any:
        if not traces.seeded:
            traces.draw()
        return draw(*arguments, **named)

    return guarded
