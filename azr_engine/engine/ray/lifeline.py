"""What ends with what: a run with its cluster, an actor with its node.

Ray itself takes up to a minute to notice, then ends the run's process in its own words, or with pages of its logs; and
an asynchronous actor may outlive its node's raylet. Nothing that was recorded depends on how the process ends.

Not covered: a head that comes back with its state, as one that keeps it in Redis does, after `PATIENCE_SECONDS`.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

PATIENCE_SECONDS = 5.0
"""How long the head, or this node's raylet, may be away; Ray's own patience is 15 seconds and more."""

_BETWEEN_SECONDS = 1.0
_CONNECT_SECONDS = 5.0

Address = tuple[str, int]


@contextmanager
def ending_with_cluster() -> Iterator[None]:
    """End this process, with one line, as soon as the cluster that it is connected to is gone."""
    lifelines, done = _lifelines(), threading.Event()
    threading.Thread(target=_watch, args=(lifelines, done), name="cluster", daemon=True).start()
    try:
        yield
    except Exception:
        for address in lifelines:  # what was raised may be no more than a consequence
            if reason := silence(address):
                _end(reason)
        raise
    finally:
        done.set()


def end_with_node() -> None:
    """End this actor's process, and with it what it started, as soon as the raylet that started it is gone."""
    raylet = os.pidfd_open(os.getppid())

    def wait() -> None:
        watch = select.poll()
        watch.register(raylet, select.POLLIN)
        watch.poll()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="raylet", daemon=True).start()


def silence(address: Address) -> str | None:
    """What the system says of an address where nobody listens; None where somebody does."""
    try:
        socket.create_connection(address, _CONNECT_SECONDS).close()
    except OSError as error:
        return f"{address[0]}:{address[1]}: {error.strerror or error}"
    return None


def _lifelines() -> list[Address]:
    """Where the head and this node's raylet listen."""
    import ray

    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    own = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    return [(host, int(port)), (own["NodeManagerAddress"], int(own["NodeManagerPort"]))]


def _watch(lifelines: Sequence[Address], done: threading.Event) -> None:
    """End this process once one of the addresses was silent for the whole patience."""
    heard = dict.fromkeys(lifelines, time.monotonic())
    while not done.wait(_BETWEEN_SECONDS):
        for address in lifelines:
            reason = silence(address)
            if reason is None:
                heard[address] = time.monotonic()
            elif time.monotonic() - heard[address] > PATIENCE_SECONDS and not done.is_set():
                _end(reason)


def _end(reason: str) -> NoReturn:
    """Not by an exception: calls into Ray that wait for the head would hold the run up until Ray ends it."""
    line = f"error: the Ray cluster is gone ({reason}); what was recorded is safe: start Ray again, then use --resume"
    print(line, file=sys.stderr, flush=True)
    os._exit(2)
