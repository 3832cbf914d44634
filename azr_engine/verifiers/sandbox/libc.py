"""The few C library calls that Python has no name for, with errors raised as `OSError`."""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable

_bare_libc = ctypes.CDLL(None)  # keeps no copy of errno, which would cost a child some pages
_libc = ctypes.CDLL(None, use_errno=True)
_fork = getattr(ctypes.PyDLL(None), "_Fork", None)  # POSIX 2024: keeps the interpreter's lock, runs no hooks
_libc.syscall.restype = ctypes.c_long
_libc.syscall.argtypes = [ctypes.c_long] * 3 + [ctypes.c_void_p]
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int) -> None:
    """Set a process attribute.

    Raises:
        OSError: the kernel refused.
    """
    _checked(_libc.prctl(option, value, 0, 0, 0), f"prctl({option})")


def prepared_prctl(option: int, value: int, address: int) -> Callable[[], int]:
    """A call to make later, its arguments converted now; it returns 0 for success.

    For a freshly forked child, where each page that ctypes would touch to convert them is copied.
    """
    arguments = ctypes.c_int(option), ctypes.c_ulong(value), ctypes.c_void_p(address)
    call = _bare_libc.prctl  # looked up here, for the same reason
    return lambda: call(*arguments)


def fork() -> int:
    """`os.fork` for a process of one thread, without what Python does around it, which touches 20 pages in each child.

    Raises:
        OSError: no process to be had.
    """
    if _fork is None:
        return os.fork()
    pid: int = _fork()
    if pid < 0:
        raise OSError("no process")
    return pid


def trim_heap() -> None:
    """Give free memory back to the kernel, where the C library can: each page of it costs something at a fork."""
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags`.

    Raises:
        OSError: not allowed here.
    """
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount, or change a mount.

    Raises:
        OSError: not allowed here, or no such place.
    """
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    _checked(_libc.mount(*encoded, flags, None if options is None else options.encode()), f"mount {target}")


def detach(target: str) -> None:
    """Unmount `target` as soon as nothing uses it.

    Raises:
        OSError: not a mount.
    """
    mnt_detach = 2
    _checked(_libc.umount2(target.encode(), mnt_detach), f"umount {target}")


def syscall(number: int, first: int, second: int, third: int | None = None) -> int:
    """A raw system call of up to three arguments; addresses are passed as integers.

    Raises:
        OSError: it failed.
    """
    return _checked(_libc.syscall(number, first, second, third), f"syscall {number}")


def drop_capabilities() -> None:
    """Give up every capability, and the means to get one back.

    Raises:
        OSError: the kernel refused.
    """
    last_known = 63
    for capability in range(last_known + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails past the kernel's last one, which is fine
    version_3 = (0x20080522).to_bytes(4, "little") + bytes(4)
    _checked(_libc.capset(version_3, bytes(24)), "capset")
