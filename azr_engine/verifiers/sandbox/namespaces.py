"""New namespaces around the calling process, with an empty read-only root and no capabilities.

Covered: files (the root is a 4 KiB read-only tmpfs with nothing in it, so nothing is left to open and no tmpfs to
fill), network (none, not even loopback up), other processes (own pid namespace, no /proc), System V IPC, host name,
capabilities, and set-uid programs (no_new_privs). Root becomes user 65534 first.
Not covered: CPU, memory, kernel bugs, and timing. Use `limits` and `seccomp` for what they cover.
"""

from __future__ import annotations

import ctypes
import os

from azr_engine.verifiers.sandbox import libc, signals
from azr_engine.verifiers.sandbox.syscalls import this_machine

_NEW_NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_NOTHING_SPECIAL = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
NOBODY = 65534


def become_nobody() -> None:
    """If root, take user and group 65534 for good and keep no other group."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        libc.prctl(libc.PR_SET_DUMPABLE, 1)  # the change of user took away the right to write our own uid_map


def enter() -> None:
    """Move the caller into fresh namespaces; it returns as pid 1 of a new pid namespace.

    The original process stays outside as a stub that waits for pid 1 and exits with its status; SIGTERM to the stub
    ends pid 1, and with it the kernel ends everything in the namespace. Import all that is needed before: no file is
    left afterwards.

    Raises:
        OSError: the kernel does not allow it here; the message names the step.
    """
    become_nobody()
    user, group = os.getuid(), os.getgid()
    libc.unshare(sum(_NEW_NAMESPACES.values()))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    _fork_first_process()
    _empty_root()
    libc.drop_capabilities()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)


def _fork_first_process() -> None:
    """Only a child lives in the new pid namespace; the parent stays as a stub and holds no pipe open."""
    signals.mask(signals.SIG_BLOCK, [signals.SIGTERM])
    pid = os.fork()
    if pid:
        signals.handle(signals.SIGTERM, lambda *_: os.kill(pid, signals.SIGKILL))
        signals.mask(signals.SIG_UNBLOCK, [signals.SIGTERM])
        os.closerange(0, 64)
        _, status = os.waitpid(pid, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)) & 0xFF)
    signals.mask(signals.SIG_UNBLOCK, [signals.SIGTERM])
    libc.prctl(libc.PR_SET_PDEATHSIG, signals.SIGKILL)


def _empty_root() -> None:
    libc.mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    libc.mount("none", "/tmp", "tmpfs", _NOTHING_SPECIAL, "size=4k,nr_inodes=2,mode=555")
    os.chdir("/tmp")
    _pivot_here()
    libc.detach(".")
    os.chdir("/")
    libc.mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _NOTHING_SPECIAL)


def _pivot_here() -> None:
    """Make the working folder the root, with the old root stacked on the same place for `detach` to remove."""
    here = ctypes.create_string_buffer(b".")
    libc.syscall(this_machine().numbers["pivot_root"], ctypes.addressof(here), ctypes.addressof(here))
