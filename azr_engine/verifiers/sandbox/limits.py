"""Resource limits of a worker and of one task.

Covered: address space (and with it anonymous shared memory), file sizes, open files, core dumps, and CPU time.
Not covered: memory that the kernel holds for the process, such as pipe buffers (bounded by open files).
"""

from __future__ import annotations

import os
import resource

from azr_engine.verifiers.sandbox import libc, signals

OPEN_FILES = 64


def limit_worker(memory_bytes: int) -> None:
    """Bind this process and its future children: `memory_bytes` of address space above what is in use now."""
    address_space = _address_space_in_use() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def join_group(folder: str) -> None:
    """Move this process, and with it all that it will fork, into a control group (see `cgroup`).

    Raises:
        OSError: not allowed, or no such group.
    """
    descriptor = os.open(f"{folder}/cgroup.procs", os.O_WRONLY)
    try:
        os.write(descriptor, b"0")
    finally:
        os.close(descriptor)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    libc.prctl(libc.PR_SET_PDEATHSIG, signals.SIGKILL)


def start_cpu_clock(cpu_seconds: float) -> None:
    """Let the kernel end this process with SIGPROF after `cpu_seconds` more of CPU time (4 ms grain)."""
    signals.set_timer(signals.ITIMER_PROF, cpu_seconds)


def cpu_clock_id(pid: int) -> int:
    """The clock that counts another process's CPU time, for `time.clock_gettime` (clock_getcpuclockid's formula)."""
    cpuclock_sched = 2
    return (~pid << 3) | cpuclock_sched


def _address_space_in_use() -> int:
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(descriptor, 128).split()[0]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        os.close(descriptor)
