"""Control groups: where we are in them, read from texts, and a real one with a cap, where this machine allows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azr_engine.verifiers.sandbox.cgroup import Home, MemoryGroup, find_home

MIB = 1 << 20
HOG = """
import os, sys
from azr_engine.verifiers.sandbox.limits import join_group
join_group(sys.argv[1])
taken = int(sys.argv[3])
if sys.argv[2] == "memfd":
    descriptor = os.memfd_create("hog")
    for _ in range(taken): os.write(descriptor, bytes(1 << 20))
else:
    kept = [bytearray(os.urandom(1 << 20)) for _ in range(taken)]
"""
LINGER = """
import sys
from azr_engine.verifiers.sandbox.limits import join_group
join_group(sys.argv[1])
print(flush=True)
input()
"""
OLD_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
NEW_MOUNTS = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"


def test_the_home_of_each_version_is_found() -> None:
    assert find_home("4:memory:/a/b\n1:cpu:/\n0::/c\n", OLD_MOUNTS) == Home(Path("/sys/fs/cgroup/memory/a/b"), 1)
    assert find_home("0::/user.slice/me\n", NEW_MOUNTS) == Home(Path("/sys/fs/cgroup/user.slice/me"), 2)
    inside = "35 31 0:32 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"  # a container sees its own part
    assert find_home("4:memory:/a/b\n", inside) == Home(Path("/sys/fs/cgroup/memory/b"), 1)


@pytest.mark.parametrize("groups", ["", "1:cpu:/\n", "4:memory:/\n"])
def test_a_machine_without_the_controller_is_an_error(groups: str) -> None:
    with pytest.raises(OSError, match="no memory controller"):
        find_home(groups, "24 23 0:5 / /dev rw - devtmpfs devtmpfs rw\n")


def new_group(memory_bytes: int) -> MemoryGroup:
    try:
        return MemoryGroup(memory_bytes)
    except OSError as error:
        pytest.skip(f"control groups: {error}")


@pytest.mark.parametrize("kind", ["memfd", "private"])
def test_what_passes_the_cap_is_killed_and_what_does_not_is_not(kind: str) -> None:
    group = new_group(64 * MIB)
    ends = {}
    for n_mib in (16, 256):
        command = [sys.executable, "-c", HOG, str(group.folder), kind, str(n_mib)]
        ends[n_mib] = subprocess.run(command, check=False).returncode
    group.remove()
    assert ends == {16: 0, 256: -signal.SIGKILL}
    assert not group.folder.exists()


def test_what_a_killed_supervisor_left_is_removed() -> None:
    group = new_group(64 * MIB)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    abandoned, ours = group.folder.parent / f"azr-{gone.pid}-0", group.folder.parent / f"azr-{os.getpid()}-none"
    for folder in (abandoned, ours):
        folder.mkdir()
    new_group(64 * MIB).remove()
    assert (abandoned.exists(), ours.exists()) == (False, True)
    ours.rmdir()
    group.remove()


def test_a_group_whose_last_process_lingers_is_removed_by_the_next() -> None:
    group = new_group(64 * MIB)
    command = [sys.executable, "-c", LINGER, str(group.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as lingers:
        assert lingers.stdout is not None
        lingers.stdout.readline()
        group.remove()
        assert group.folder.exists()
        lingers.kill()
    new_group(64 * MIB).remove()
    assert not group.folder.exists()
