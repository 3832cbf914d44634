"""Worker processes and their supervisor: batches out, outcomes in, deadlines kept, the dead replaced.

Each worker is driven by one thread, so the pool serves any event loop, one after the other. A worker that dies or
overstays the sum of its items' wall limits is killed with all its children and started anew; its batch is tried
once more and then reported as a fault of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

WALL_FACTOR, WALL_EXTRA_SECONDS = 4.0, 1.0
START_SECONDS = 60.0
GRACE_SECONDS = 5.0
BATCH_ITEMS = 16

Item = dict[str, Any]
Outcome = dict[str, Any]


class WorkerPool:
    """`n_workers` worker processes, started when first needed.

    Args:
        module: the workers', run as a program; it calls `serving.serve`.
        cpu_seconds: CPU time one item may take.
        memory_mb: address space one item may take, in MiB; the worker's first argument.
        arguments: its further arguments.
    """

    def __init__(
        self,
        module: str,
        n_workers: int,
        cpu_seconds: float,
        memory_mb: int,
        arguments: Sequence[str] = (),
    ) -> None:
        self.n_workers = n_workers
        self._cpu_seconds = cpu_seconds
        command = [sys.executable, "-P", "-m", module, str(memory_mb), *arguments]
        self._workers = [_Worker(command) for _ in range(n_workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="worker")

    async def run(self, items: list[Item]) -> list[Outcome]:
        """One outcome per item, in order; `{"fault": text}` where the worker itself failed twice."""
        size = max(1, min(BATCH_ITEMS, -(-len(items) // self.n_workers)))
        batches = [items[i : i + size] for i in range(0, len(items), size)]
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(loop.run_in_executor(self._threads, self._run_batch, b) for b in batches))
        return [outcome for batch in results for outcome in batch]

    def _run_batch(self, batch: list[Item]) -> list[Outcome]:
        worker = self._idle.get()
        try:
            error = ""
            for _ in range(2):
                try:
                    return worker.exchange(batch, self._cpu_seconds)
                except _WorkerLost as lost:
                    worker.stop()
                    error = str(lost)
            return [{"fault": error} for _ in batch]
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End every worker and wait for it."""
        self._threads.shutdown()
        for worker in self._workers:
            worker.stop()


class _WorkerLost(RuntimeError):
    """The worker died or did not answer in time."""


class _Worker:
    """One worker process, started at its first batch."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def exchange(self, batch: list[Item], cpu_seconds: float) -> list[Outcome]:
        """Send a batch, read as many outcomes. Raises _WorkerLost."""
        process = self._process or self._start()
        request = json.dumps({"items": batch, "cpu_seconds": cpu_seconds}) + "\n"
        try:
            assert process.stdin is not None
            process.stdin.write(request.encode())
            process.stdin.flush()
        except OSError as error:
            raise _WorkerLost(f"worker is gone: {error}") from None
        per_item = WALL_FACTOR * cpu_seconds + WALL_EXTRA_SECONDS + GRACE_SECONDS
        return [self._read_line(per_item) for _ in batch]

    def _start(self) -> subprocess.Popen[bytes]:
        # A fixed hash seed: orderings, and with them the spelling of results, depend on it.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._buffer = b""
        self._read_line(START_SECONDS)
        return self._process

    def _read_line(self, seconds: float) -> Outcome:
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 1 << 16) if ready else b""
            if not data:
                raise _WorkerLost("worker ended" if ready else "worker did not answer in time")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        outcome: Outcome = json.loads(line)
        return outcome

    def stop(self) -> None:
        """Kill the worker and all it forked."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process = None
