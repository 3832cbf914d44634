"""A seccomp filter from a list of allowed system calls: everything else fails with EPERM.

Covered: a call not on the list, a call through a foreign ABI (the process is killed), new executable memory, a `clone`
that is more than a fork, and other processes' limits.
Not covered: what else an allowed call does with its arguments. Time read through the vDSO is no system call and passes.

A filter is classic BPF over `struct seccomp_data` (number at byte 0, architecture at 4, arguments from 16, each
8 bytes): linux/seccomp.h, linux/filter.h.
"""

from __future__ import annotations

import ctypes
import struct

from azr_engine.verifiers.sandbox import libc
from azr_engine.verifiers.sandbox.syscalls import Machine, this_machine

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Iterable

_EPERM = 1
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL_PROCESS, _ALLOW, _DENY = 0x80000000, 0x7FFF0000, 0x00050000 | _EPERM
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_PROT_EXEC = 4
_PLAIN_FORK = 0x01200011
"""The flags of a fork by the C library: CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID, SIGCHLD (linux/sched.h)."""

_ALL_BITS = 0xFFFFFFFF
_REFUSED_BITS = {
    "mmap": (2, _PROT_EXEC),
    "mprotect": (2, _PROT_EXEC),
    "clone": (0, _ALL_BITS ^ _PLAIN_FORK),  # threads, new namespaces
    "prlimit64": (0, _ALL_BITS),  # other processes' limits
}
"""Calls that pass only without these bits in that argument."""
_SECCOMP_MODE_FILTER = 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


class Filter:
    """A compiled filter, kept in memory so that a forked child can install it without building anything."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """`allowed` names system calls; names that this machine lacks are skipped.

        Raises:
            OSError: no table for this machine.
        """
        code = assemble(this_machine(), allowed)
        self._buffer = ctypes.create_string_buffer(code, len(code))
        self._program = _Program(len(code) // 8, ctypes.cast(self._buffer, ctypes.c_void_p))
        address = ctypes.addressof(self._program)
        self._install = libc.prepared_prctl(libc.PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, address)

    def install(self) -> None:
        """Bind this thread, and all it will fork, to the filter for good. Needs no_new_privs.

        Raises:
            OSError: the kernel refused.
        """
        if self._install() != 0:
            raise OSError("the kernel refused the seccomp filter")


def assemble(machine: Machine, allowed: Iterable[str]) -> bytes:
    """The filter's instructions, 8 bytes each."""
    numbers = machine.numbers
    code = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, machine.audit, yes=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_AT),
    ]
    if machine.compat_bit is not None:
        code += [_instruction(_JUMP_AT_LEAST, machine.compat_bit, no=1), _instruction(_RETURN, _KILL_PROCESS)]
    names = {"mmap", "mprotect", *allowed} & numbers.keys()
    for name in sorted(names & _REFUSED_BITS.keys()):
        argument, bits = _REFUSED_BITS[name]
        code += [
            _instruction(_JUMP_EQUAL, numbers[name], no=4),
            _instruction(_LOAD, _ARGUMENTS_AT + 8 * argument),  # its lower half, which holds all that the kernel reads
            _instruction(_JUMP_ANY_BIT, bits, no=1),
            _instruction(_RETURN, _DENY),
            _instruction(_RETURN, _ALLOW),
        ]
    plain = sorted(numbers[name] for name in names - _REFUSED_BITS.keys())
    code += [_instruction(_JUMP_EQUAL, number, yes=len(plain) - i) for i, number in enumerate(plain)]
    code += [_instruction(_RETURN, _DENY), _instruction(_RETURN, _ALLOW)]
    return b"".join(code)


def _instruction(operation: int, operand: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One `struct sock_filter`: `yes` and `no` are how many instructions a jump skips."""
    return struct.pack("=HBBI", operation, yes, no, operand)
