"""Several processes working on one run: rank 0 plays and leads, the others do what it asks, all together.

`torchrun`, the `deepspeed` launcher, or anything else that sets `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR` and
`MASTER_PORT` starts the processes; without them this is one process and costs nothing. Requests travel over gloo,
beside whatever the trainer uses, because a follower may wait for hours while rank 0 plays.

Not covered: replacing a process that died. The others stop, and the run resumes from its last checkpoint.
"""

from __future__ import annotations

import datetime
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, Self

from azr_engine.engine.errors import UserError

Handler = Callable[..., Any]

_PATIENCE = datetime.timedelta(days=30)
"""How long a follower waits for the next request; a leader that died is noticed at once, by its closed connection."""


class PeerLost(UserError):
    """Another process of the run died."""


def rank() -> int:
    """This process's number among those of the run, as its launcher says; 0 without a launcher."""
    return int(os.environ.get("RANK", "0"))


def n_processes() -> int:
    """How many processes work on the run, as the launcher says; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


class Crew:
    """The processes of a run and what they can do together.

    Every process registers the same handlers by name. The leader calls `run`, the followers are in `serve`.

    Args:
        gpu: whether tensors of a GPU are exchanged as well.

    Raises:
        UserError: the processes cannot find each other.
    """

    def __init__(self, *, gpu: bool = False) -> None:
        import torch.distributed as dist

        self.rank, self.size = rank(), n_processes()
        self.handlers: dict[str, Handler] = {}
        # DeepSpeed asks for it even where there is one process.
        os.environ.setdefault("LOCAL_RANK", "0")
        backend = "cpu:gloo,cuda:nccl" if gpu else "gloo"
        if not dist.is_initialized():
            try:
                if self.size == 1:
                    store = dist.HashStore()  # type: ignore[attr-defined]
                    dist.init_process_group(backend, store=store, rank=0, world_size=1)
                else:
                    dist.init_process_group(backend)
            except (ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0]
                raise UserError(f"process {self.rank} of {self.size} cannot reach the others: {reason}") from None
        self._busy = False
        self._group = dist.new_group(backend="gloo", timeout=_PATIENCE) if self.size > 1 else None
        if self.size > 1 and self.rank <= 1:  # one of the two is left to say it, whichever process died
            signal.signal(signal.SIGTERM, _terminated)

    def run(self, name: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Have every process run the handler `name` with these arguments; results in order of rank. Leader only.

        Raises:
            PeerLost: a process died before or meanwhile.
        """
        if self._group is None:
            return [self.handlers[name](*args, **kwargs)]
        import torch.distributed as dist

        self._busy = True
        with _lost_peers_named():
            dist.broadcast_object_list([(name, args, kwargs)], src=0, group=self._group)
            result = self.handlers[name](*args, **kwargs)
            results: list[Any] = [None] * self.size
            dist.gather_object(result, results, dst=0, group=self._group)
        self._busy = False
        return results

    def serve(self) -> None:
        """Do what the leader asks until it closes. Followers only.

        Raises:
            PeerLost: the leader or another process died.
        """
        import torch.distributed as dist

        with _lost_peers_named():
            while True:
                request: list[Any] = [None]
                dist.broadcast_object_list(request, src=0, group=self._group)
                if request[0] is None:
                    return
                name, args, kwargs = request[0]
                dist.gather_object(self.handlers[name](*args, **kwargs), None, dst=0, group=self._group)

    def close(self) -> None:
        """Let the followers go, unless they stand in the middle of a request, and leave the group."""
        import torch.distributed as dist

        if self.size == 1:
            return  # DeepSpeed remembers the group for as long as the process lives, and the next run needs it
        with suppress(RuntimeError):  # whoever is gone needs no farewell
            if self._group is not None and self.rank == 0 and not self._busy:
                dist.broadcast_object_list([None], src=0, group=self._group)
            dist.destroy_process_group()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@contextmanager
def _lost_peers_named() -> Iterator[None]:
    """Turn what the communication library says about a closed connection into a PeerLost."""
    words = ("connection", "peer", "gloo", "nccl", "socket", "store")
    try:
        yield
    except RuntimeError as error:
        if not any(word in str(error).lower() for word in words):
            raise
        with suppress(ValueError):  # only the main thread may say so
            # This process ends by itself now; the launcher's signal would only make it say so twice.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        reason = "another process of this run died; what was recorded is safe, continue with --resume"
        raise PeerLost(reason) from None


def _terminated(number: int, frame: object) -> NoReturn:
    """A launcher ends the rest of its processes with SIGTERM as soon as one of them dies."""
    reason = "another process of this run died, or the launcher was told to end"
    print(f"error: stopped by SIGTERM: {reason}; continue with --resume", file=sys.stderr, flush=True)
    os._exit(2)
