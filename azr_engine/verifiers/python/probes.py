"""Small fixed inputs of the same shape as a given one, to see how a program behaves.

The shape is the types and the nesting; numbers, texts and lengths are forgotten, so two tasks around the same program
get the same probes and, behaving alike, the same signature. Keys of dictionaries are kept, because programs ask for
them by name.
"""

from __future__ import annotations

from typing import Any

from azr_engine.verifiers.python.canonical import Oversize, Unserialisable
from azr_engine.verifiers.python.literals import Arguments, argument_values

N_PROBES = 4
_INTEGERS = (3, 7, 1, -2, 12, 0, 5)
_FLOATS = (0.5, 2.0, -1.25, 10.0, 0.0)
_TEXTS = ("abc", "Hello World", "", "zyx 12", "level")
_LENGTHS = (3, 5, 1, 0)


def probes_like(arguments: Arguments) -> tuple[Arguments, ...]:
    """Up to `N_PROBES` argument lists shaped like `arguments`; none for an empty list."""
    values = argument_values(arguments.text)
    if not values:
        return ()
    found = {}
    for number in range(N_PROBES):
        try:
            probe = Arguments.of(tuple(_Shaper(number).like(value) for value in values))
        except (Oversize, Unserialisable):
            continue
        found[probe.text] = probe
    return tuple(found.values())


class _Shaper:
    """Makes the values of one probe; each leaf takes the next of its type's fixed values."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._leaf = number

    def like(self, value: Any) -> Any:
        kind = type(value)
        if kind is list:
            return self._items(value)
        if kind is tuple:
            return tuple(self.like(item) for item in value)
        if kind is dict:
            return {key: self.like(item) for key, item in value.items()}
        if kind is set or kind is frozenset:
            return kind(self._items(sorted(value, key=repr)))
        return self._scalar(value)

    def _items(self, items: list[Any]) -> list[Any]:
        pattern = items or [0]
        return [self.like(pattern[i % len(pattern)]) for i in range(_LENGTHS[self._number])]

    def _scalar(self, value: Any) -> Any:
        self._leaf += 1
        kind = type(value)
        if kind is bool:
            return self._leaf % 2 == 0
        if kind is int:
            return _INTEGERS[self._leaf * 3 % len(_INTEGERS)]
        if kind is float:
            return _FLOATS[self._leaf * 2 % len(_FLOATS)]
        if kind is str:
            return _TEXTS[self._leaf % len(_TEXTS)]
        if kind is bytes:
            return _TEXTS[self._leaf % len(_TEXTS)].encode()
        return value
