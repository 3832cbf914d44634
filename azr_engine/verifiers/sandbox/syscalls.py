"""System call numbers of the two machines we run on, from the kernel's own tables.

x86-64: arch/x86/entry/syscalls/syscall_64.tbl. arm64: include/uapi/asm-generic/unistd.h. A call that a machine
does not have (`fork` on arm64, where libc uses `clone`) is left out of its table.
"""

from __future__ import annotations

import os


class Machine:
    """`audit` is the AUDIT_ARCH number that a seccomp filter sees; `compat_bit` marks calls of a foreign ABI."""

    def __init__(self, audit: int, numbers: dict[str, int], compat_bit: int | None = None) -> None:
        self.audit, self.numbers, self.compat_bit = audit, numbers, compat_bit


def this_machine() -> Machine:
    """The table for the running machine.

    Raises:
        OSError: there is none.
    """
    name = os.uname().machine.lower()
    if name not in MACHINES:
        raise OSError(f"no system call table for the machine {name!r}; known: {', '.join(MACHINES)}")
    return MACHINES[name]


def _table(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in (entry.split("=") for entry in text.split())}


_X86_64 = Machine(
    audit=0xC000003E,
    compat_bit=0x40000000,
    numbers=_table("""
        read=0 write=1 close=3 fstat=5 poll=7 lseek=8 mmap=9 mprotect=10 munmap=11 brk=12 rt_sigaction=13
        rt_sigprocmask=14 rt_sigreturn=15 sched_yield=24 mremap=25 madvise=28 dup=32 dup2=33 getitimer=36
        setitimer=38 getpid=39 clone=56 fork=57 exit=60 wait4=61 kill=62 fcntl=72 getrlimit=97 getrusage=98 getuid=102
        getgid=104 geteuid=107 getegid=108 getppid=110 sigaltstack=131 pivot_root=155 prctl=157 setrlimit=160
        gettid=186 time=201 futex=202 clock_gettime=228 clock_getres=229 exit_group=231 tgkill=234 waitid=247
        ppoll=271 set_robust_list=273 dup3=292 pipe2=293 prlimit64=302 seccomp=317 getrandom=318 rseq=334
        close_range=436
    """),
)

_ARM64 = Machine(
    audit=0xC00000B7,
    numbers=_table("""
        dup=23 dup3=24 fcntl=25 pivot_root=41 close=57 pipe2=59 lseek=62 read=63 write=64 ppoll=73 fstat=80
        exit=93 exit_group=94 waitid=95 futex=98 set_robust_list=99 getitimer=102 setitimer=103
        clock_gettime=113 clock_getres=114 sched_yield=124 kill=129 tgkill=131 sigaltstack=132 rt_sigaction=134
        rt_sigprocmask=135 rt_sigreturn=139 getrlimit=163 setrlimit=164 getrusage=165 prctl=167 getpid=172 getppid=173
        getuid=174 geteuid=175 getgid=176 getegid=177 gettid=178 brk=214 munmap=215 mremap=216 clone=220
        mmap=222 mprotect=226 madvise=233 wait4=260 prlimit64=261 seccomp=277 getrandom=278 rseq=293
        close_range=436
    """),
)

MACHINES: dict[str, Machine] = {"x86_64": _X86_64, "amd64": _X86_64, "aarch64": _ARM64, "arm64": _ARM64}
