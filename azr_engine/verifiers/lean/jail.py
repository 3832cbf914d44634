"""A root of our own around the calling process: Lean's compiled modules, read-only, and a small scratch folder.

Covered: files (nothing else is left to open; only the scratch folder can be written, in memory and bounded), network
(none), other processes, System V IPC, host name, capabilities, set-uid programs. Root becomes user 65534 first.
Not covered: CPU, memory, kernel bugs, and timing; see `server` for the first two and for the system call filter.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from azr_engine.verifiers.sandbox import libc, limits, namespaces, signals
from azr_engine.verifiers.sandbox.syscalls import this_machine

SCRATCH = "/scratch"
_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""Mount, cgroup, uts, ipc, pid, net: linux/sched.h."""
_USER_NAMESPACE = 0x10000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_PLAIN = _NOSUID | _NODEV | _NOEXEC
_ROOT_ROOM, _SCRATCH_ROOM = "size=1m,nr_inodes=1024,mode=755", "size=64m,nr_inodes=256,mode=700,uid={0},gid={0}"


def enter(folders: Sequence[str]) -> None:
    """Move into fresh namespaces where `folders`, given as absolute paths, are all there is, and cannot be written.

    Returns as pid 1 of a new pid namespace; the original process stays outside as a stub that ends with it.

    Raises:
        OSError: the kernel does not allow it here.
    """
    user = _unshare()
    _continue_as_first_process()
    _build_root(folders, user)
    if user:
        namespaces.become_nobody()
    libc.drop_capabilities()
    limits.die_with_parent()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)


def _unshare() -> int:
    """Leave the namespaces we are in; the user, as the new ones count them, that the scratch folder shall belong to."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        # Real root needs no user namespace, and mounts what an unprivileged user could not reach.
        with contextlib.suppress(PermissionError):
            libc.unshare(_NAMESPACES)
            return namespaces.NOBODY
    libc.unshare(_NAMESPACES | _USER_NAMESPACE)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    return 0


def _continue_as_first_process() -> None:
    pid = os.fork()
    if pid:
        signals.handle(signals.SIGTERM, lambda *_: os.kill(pid, signals.SIGKILL))
        os.closerange(0, 256)
        _, status = os.waitpid(pid, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)) & 0xFF)


def _build_root(folders: Sequence[str], user: int) -> None:
    opened = [(folder, os.open(folder, os.O_PATH | os.O_DIRECTORY)) for folder in folders]
    libc.mount(None, "/", None, _REC | _PRIVATE)
    libc.mount("none", "/tmp", "tmpfs", _PLAIN, _ROOT_ROOM)
    for path, descriptor in opened:
        target = f"/tmp{path}"
        Path(target).mkdir(parents=True, exist_ok=True)
        # Through the descriptor: a folder below /tmp has just been covered.
        libc.mount(f"/proc/self/fd/{descriptor}", target, None, _BIND | _REC)
        kept = os.fstatvfs(descriptor).f_flag & _PLAIN  # what a namespace inherits locked must stay
        libc.mount(None, target, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | kept)
        os.close(descriptor)
    Path(f"/tmp{SCRATCH}").mkdir()
    libc.mount("none", f"/tmp{SCRATCH}", "tmpfs", _PLAIN, _SCRATCH_ROOM.format(user))
    for name in ("bin", "dev"):
        Path("/tmp", name).mkdir()
    # Seeds Lean's generator of random numbers; a fixed one makes checks repeatable.
    Path("/tmp/dev/urandom").write_bytes(bytes(range(256)) * 16)
    Path("/tmp/proc").symlink_to(f"{SCRATCH}/proc")
    os.chdir("/tmp")
    here = ctypes.create_string_buffer(b".")
    libc.syscall(this_machine().numbers["pivot_root"], ctypes.addressof(here), ctypes.addressof(here))
    libc.detach(".")
    os.chdir("/")
    libc.mount(None, "/", None, _REMOUNT | _BIND | _RDONLY | _PLAIN)


def pretend_program() -> None:
    """Give this process the entry of /proc in which Lean looks for where its program lies; for a child, inside."""
    folder = Path(SCRATCH, "proc", str(os.getpid()))
    folder.mkdir(parents=True)
    (folder / "exe").symlink_to("/bin/lean")


def clear_scratch(folder: Path) -> None:
    """Remove what a check left behind, whatever it is."""
    for path in list(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
            clear_scratch(path)
            path.rmdir()
        else:
            path.unlink()
