"""A process that can still kill, for a worker that gave up the right.

A system call filter holds for a process and for all that it forks, and a program must not kill its neighbours. Rather
than install another filter in every child, which costs more than most children's work, a worker gives up `kill` for
itself too, and asks this helper to do it. The helper ends with the worker.
"""

from __future__ import annotations

import os

from azr_engine.verifiers.sandbox import limits, signals
from azr_engine.verifiers.sandbox.seccomp import Filter

_PID_BYTES = 4
_CALLS = "read kill exit exit_group mmap mprotect munmap brk rt_sigaction rt_sigreturn futex"


class Killer:
    """Forks the helper; to be made before the worker locks itself in, and held by nobody else.

    Args:
        filtered: whether the helper binds itself to what it needs, which a worker without any filter is spared.
    """

    def __init__(self, *, filtered: bool) -> None:
        orders, self._orders = os.pipe()
        if os.fork() == 0:
            try:
                os.closerange(0, orders)
                os.closerange(orders + 1, limits.OPEN_FILES)
                if filtered:
                    Filter(_CALLS.split()).install()
                _obey(orders)
            finally:
                os._exit(0)
        os.close(orders)

    def kill(self, pid: int) -> None:
        """Have a child of the worker killed; it must not have been reaped, so that `pid` can be nobody else's."""
        os.write(self._orders, pid.to_bytes(_PID_BYTES, "little"))


def _obey(orders: int) -> None:
    while order := os.read(orders, _PID_BYTES):
        try:
            os.kill(int.from_bytes(order, "little"), signals.SIGKILL)
        except OSError:
            continue  # ended by itself
