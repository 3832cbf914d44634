"""A cap on all the memory of a group of processes together, by a control group, where the machine lets us make one.

Covered: everything the kernel charges to the group: private and shared memory, tmpfs, memfd, page tables, pipe buffers.
The process that hits the cap is killed (SIGKILL).
Not covered: machines where no group can be made below our own, which needs the memory controller and the right to
write there: root as a rule, or a group delegated to the user. Under cgroup v2 the controller must also be on for the
groups below ours (`cgroup.subtree_control`), which the kernel refuses to a group that holds processes itself, unless it
is the root group. Resource limits alone hold then; see `limits`.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import NamedTuple

_NAME = "azr-{pid}-{number}"
_numbers = itertools.count()
_REMOVAL_SECONDS = 2.0
_left: set[Path] = set()
"""Groups of this process whose last processes took too long to end."""
_CAPS = {1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), 2: ("memory.max", "memory.swap.max")}
"""By version: the file of the memory cap, and that of the swap cap (v1: of both together), which may be absent."""


class Home(NamedTuple):
    """The group that this process is in: its folder, and which version of control groups has the memory controller."""

    folder: Path
    version: int


class MemoryGroup:
    """A group below our own with a cap; processes move in by `join`. `remove` it when they have ended.

    Args:
        memory_bytes: the cap, for memory and swap together.

    Raises:
        OSError: no group can be made here; the message says why.
    """

    def __init__(self, memory_bytes: int) -> None:
        home = find_home(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
        remove_abandoned(home.folder)
        if home.version == 2 and "memory" not in (home.folder / "cgroup.subtree_control").read_text().split():
            (home.folder / "cgroup.subtree_control").write_text("+memory")
        self.folder = home.folder / _NAME.format(pid=os.getpid(), number=next(_numbers))
        self.folder.mkdir()
        memory, swap = (self.folder / name for name in _CAPS[home.version])
        try:
            memory.write_text(str(memory_bytes))
            if swap.exists():
                swap.write_text(str(memory_bytes if home.version == 1 else 0))
        except OSError:
            self.folder.rmdir()
            raise

    def remove(self) -> None:
        """Take the group away; its last process may still be on its way out.

        A group whose processes outlast a short wait is taken away by `remove_abandoned`.
        """
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while True:
            try:
                return self.folder.rmdir()
            except FileNotFoundError:
                return None
            except OSError:
                if time.monotonic() > deadline:
                    _left.add(self.folder)
                    return None
                time.sleep(0.005)


def find_home(groups: str, mounts: str) -> Home:
    """Where this process is, from the texts of /proc/self/cgroup and /proc/self/mountinfo (cgroups(7), proc(5)).

    Raises:
        OSError: the memory controller is not there.
    """
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in groups.splitlines())}
    old = [path for controllers, path in paths.items() if "memory" in controllers.split(",")]
    # The controller belongs to one version at a time; version 2 may have it where version 1 has not.
    version, path = (1, old[0]) if old else (2, paths.get("", ""))
    for line in mounts.splitlines() if path else ():
        before, _, after = line.partition(" - ")
        root, place = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if (kind, version) == ("cgroup2", 2) or ((kind, version) == ("cgroup", 1) and "memory" in options.split(",")):
            return Home(Path(os.path.normpath(f"{place}/{os.path.relpath(path, root)}")), version)
    raise OSError("no memory controller of control groups is mounted")


def remove_abandoned(folder: Path) -> None:
    """Remove what is left below `folder` of killed supervisors and, of this process, what `remove` had to leave."""
    for entry in folder.glob(_NAME.format(pid="*", number="*")):
        pid = entry.name.split("-")[1]
        if entry in _left or not Path("/proc", pid).exists():
            try:
                entry.rmdir()
            except OSError:
                continue  # its processes live on
            _left.discard(entry)
