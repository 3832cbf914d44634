"""The system calls that Lean may make while it reads a submission: files, memory, threads and clocks.

No process, no socket, no tracing, no program, no executable memory. `clone` makes threads only; `clone3`, whose flags
a filter cannot see, is answered with ENOSYS, upon which libc falls back to `clone`.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from azr_engine.verifiers.sandbox import libc
from azr_engine.verifiers.sandbox.seccomp import assemble
from azr_engine.verifiers.sandbox.syscalls import Machine, this_machine

_CALLS = """
    read write close fstat lseek munmap mremap brk madvise rt_sigaction rt_sigprocmask rt_sigreturn sched_yield
    sigaltstack futex getpid gettid getuid getgid geteuid getegid getppid exit exit_group clock_gettime clock_getres
    getrusage set_robust_list rseq getrandom fcntl pipe2 poll ppoll prlimit64
    open openat stat lstat newfstatat statx access faccessat readlink readlinkat getcwd pread64 readv writev ftruncate
    unlink unlinkat rename renameat renameat2 getdents64 uname sysinfo sched_getaffinity clock_nanosleep eventfd2
    epoll_create1 epoll_ctl epoll_wait epoll_pwait
"""
_MORE_NUMBERS = {
    0xC000003E: """
        open=2 stat=4 lstat=6 pread64=17 readv=19 writev=20 access=21 uname=63 ftruncate=77 getcwd=79 rename=82
        unlink=87 readlink=89 sysinfo=99 sched_getaffinity=204 getdents64=217 clock_nanosleep=230 epoll_wait=232
        epoll_ctl=233 openat=257 newfstatat=262 unlinkat=263 renameat=264 readlinkat=267 faccessat=269
        epoll_pwait=281 eventfd2=290 epoll_create1=291 renameat2=316 statx=332
    """,
    0xC00000B7: """
        getcwd=17 eventfd2=19 epoll_create1=20 epoll_ctl=21 epoll_pwait=22 unlinkat=35 renameat=38 ftruncate=46
        faccessat=48 openat=56 getdents64=61 readv=65 writev=66 pread64=67 readlinkat=78 newfstatat=79
        clock_nanosleep=115 sched_getaffinity=123 uname=160 sysinfo=179 renameat2=276 statx=291
    """,
}
"""By AUDIT_ARCH number, beside those that `sandbox.syscalls` knows; same sources."""
_CLONE3 = 435
_CLONE_THREAD = 0x00010000
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16


class LeanFilter:
    """The compiled filter, built before any fork.

    Raises:
        OSError: no table for this machine.
    """

    def __init__(self) -> None:
        code = _program(this_machine())
        self._code = ctypes.create_string_buffer(code, len(code))
        head = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(self._code))
        self._head = ctypes.create_string_buffer(head, len(head))

    def install(self) -> None:
        """Bind this process for good.

        Raises:
            OSError: the kernel refused.
        """
        filter_mode = 2
        if libc.prepared_prctl(libc.PR_SET_SECCOMP, filter_mode, ctypes.addressof(self._head))() != 0:
            raise OSError("the kernel refused the seccomp filter")


def _program(machine: Machine) -> bytes:
    numbers = dict(machine.numbers)
    for entry in _MORE_NUMBERS[machine.audit].split():
        name, number = entry.split("=")
        numbers[name] = int(number)
    first = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, machine.audit, no=7),
        _instruction(_LOAD, _NUMBER_AT),
        _instruction(_JUMP_EQUAL, _CLONE3, no=1),
        _instruction(_RETURN, _ERROR | errno.ENOSYS),
        _instruction(_JUMP_EQUAL, numbers["clone"], no=3),
        _instruction(_LOAD, _FIRST_ARGUMENT_AT),
        _instruction(_JUMP_ANY_BIT, _CLONE_THREAD, no=1),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(first) + assemble(Machine(machine.audit, numbers, machine.compat_bit), _CALLS.split())


def _instruction(operation: int, operand: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One `struct sock_filter`."""
    return struct.pack("=HBBI", operation, yes, no, operand)
