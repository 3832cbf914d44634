"""The signal calls of a worker, without the enumerations of the module `signal`: every fork would carry them along."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, the same in every CPython

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIGKILL: int = _signal.SIGKILL
SIGPROF: int = _signal.SIGPROF
SIGTERM: int = _signal.SIGTERM
SIGXCPU: int = _signal.SIGXCPU
SIG_BLOCK: int = _signal.SIG_BLOCK
SIG_UNBLOCK: int = _signal.SIG_UNBLOCK
SIG_DFL: int = _signal.SIG_DFL
ITIMER_PROF: int = _signal.ITIMER_PROF

handle: Callable[[int, Callable[..., object] | int], object] = _signal.signal
mask: Callable[[int, Iterable[int]], object] = _signal.pthread_sigmask
set_timer: Callable[[int, float], object] = _signal.setitimer
