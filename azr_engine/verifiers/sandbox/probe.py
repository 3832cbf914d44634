"""What this kernel lets this user do, found out by doing it in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from azr_engine.verifiers.sandbox import libc, namespaces
from azr_engine.verifiers.sandbox.boot import worker_command
from azr_engine.verifiers.sandbox.seccomp import Filter

_SECONDS = 30


def refusals() -> dict[str, str]:
    """Each isolation primitive with the reason why it cannot be had, empty where it can."""
    return {name: _refusal(name) for name in _ATTEMPTS}


def main(arguments: list[str]) -> None:
    """Try one primitive; a refusal ends in an exception."""
    _ATTEMPTS[arguments[0]]()


def _refusal(name: str) -> str:
    command = worker_command(__name__, name)
    tried = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd="/")
    if tried.returncode == 0:
        return ""
    lines = tried.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {tried.returncode}"


def _filter_calls() -> None:
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    everyday = "read write close fstat lseek mmap munmap brk rt_sigaction rt_sigprocmask futex exit exit_group"
    Filter(everyday.split()).install()


_ATTEMPTS: dict[str, Callable[[], None]] = {"namespaces": namespaces.enter, "seccomp": _filter_calls}
