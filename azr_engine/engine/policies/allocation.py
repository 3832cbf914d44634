"""Memory that a step's tensors free stays with the process, for the next step's.

glibc gives the freed end of its heap back to the system, and so every batch is paid for again in page faults: a tenth
of an update on a CPU. The peak is the same; what is kept beyond need is bounded by `KEPT_BYTES`. Only glibc is told;
other C libraries, and memory of GPUs, are left alone.
"""

from __future__ import annotations

import ctypes
import functools
import platform

KEPT_BYTES = 2**29
"""Freed memory at the heap's end that is not given back."""

OWN_MAPPING_BYTES = 2**25
"""From this size on, a tensor's memory is mapped apart and given back at once: where glibc's own rule ends too."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


@functools.cache
def keep_freed_memory() -> bool:
    """Whether the C library was told so, for the whole process."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # Setting the one alone would freeze the other at its start of 128 KiB.
    return bool(mallopt(_M_MMAP_THRESHOLD, OWN_MAPPING_BYTES) and mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))
