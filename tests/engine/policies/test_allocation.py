"""Freed memory is used again: rounds of the same allocations soon touch no new page."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource
import torch
from azr_engine.engine.policies.allocation import keep_freed_memory

def faults_of_a_round():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.zeros(4 << 20, dtype=torch.uint8) for _ in range(30)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

assert keep_freed_memory()
print(json.dumps([faults_of_a_round() for _ in range(4)]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep freed memory")
def test_later_rounds_of_the_same_tensors_fault_no_page() -> None:
    out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    first, *_, last = json.loads(out)
    assert first > 20_000, "120 MiB, in pages of 4 KiB"
    assert last < 1_000
