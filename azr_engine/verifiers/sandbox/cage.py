"""What a forked child gives up before it runs a program: all descriptors but one, and all further ones.

Covered: files, pipes, sockets, processes and threads that the child would make (RLIMIT_NOFILE and RLIMIT_NPROC of
zero, which nobody but root can raise again and which the second does not bind), and what its parent holds open.
Not covered: what a system call filter is for. A child inherits its parent's.
"""

from __future__ import annotations

import os
import resource

from azr_engine.verifiers.sandbox.limits import OPEN_FILES

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = 3
"""The one descriptor that a child keeps."""

_NOTHING = (0, 0)


class Cage:
    """Everything a child gives up, laid out by its parent before any fork.

    Args:
        lock: a last step of the caller's.
    """

    def __init__(self, lock: Callable[[], object] | None = None) -> None:
        self.result = RESULT
        self._closed: tuple[tuple[int, int], ...] = (0, RESULT), (RESULT + 1, OPEN_FILES)
        self._files = self._processes = _NOTHING
        self._lock = lock

    @classmethod
    def without_walls(cls, descriptor: int) -> Cage:
        """One that changes nothing, to run its code where `descriptor` is to be kept."""
        cage = cls()
        cage.result, cage._closed = descriptor, ()
        cage._files = resource.getrlimit(resource.RLIMIT_NOFILE)
        cage._processes = resource.getrlimit(resource.RLIMIT_NPROC)
        return cage

    def shut(self, descriptor: int) -> None:
        """Keep `descriptor` alone, as `RESULT`, and give up the rest for good.

        Raises:
            OSError: the kernel refused.
        """
        os.dup2(descriptor, self.result)
        for low, high in self._closed:
            os.closerange(low, high)
        resource.setrlimit(resource.RLIMIT_NPROC, self._processes)
        resource.setrlimit(resource.RLIMIT_NOFILE, self._files)
        if self._lock is not None:
            self._lock()


def holds() -> bool:
    """Whether a cage stops a fork here, found out by trying: root may fork, and not every kernel minds that limit."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            Cage().shut(writing)
            status = 0 if _cannot_fork() else 1
        finally:
            os._exit(status)
    os.close(reading)
    os.close(writing)
    return os.waitpid(pid, 0)[1] == 0


def _cannot_fork() -> bool:
    try:
        pid = os.fork()
    except OSError:
        return True
    if pid:
        os.waitpid(pid, 0)
    return False
