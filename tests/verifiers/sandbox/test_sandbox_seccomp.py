"""Filters mean what they say, on both machines: the assembled program is run by a small BPF interpreter."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.sandbox.seccomp import assemble
from azr_engine.verifiers.sandbox.syscalls import MACHINES, Machine

KILL, DENY, ALLOW = 0x80000000, 0x00050001, 0x7FFF0000
MACHINE_NAMES = sorted(MACHINES)


def verdict(code: bytes, number: int, audit: int, *, first: int = 0, third: int = 0) -> int:
    """Run classic BPF over one `struct seccomp_data` whose arguments are zero but for these."""
    data = struct.pack("<IIQ6Q", number, audit, 0, first, 0, third, 0, 0, 0)
    program = list(struct.iter_unpack("=HBBI", code))
    at, accumulator = 0, 0
    while True:
        operation, yes, no, operand = program[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, operand)[0]
        elif operation == 0x06:
            return int(operand)
        else:
            taken = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}
            at += yes if taken[operation] else no


@pytest.mark.parametrize("name", MACHINE_NAMES)
@given(data=st.data())
def test_exactly_the_named_calls_pass(name: str, data: st.DataObject) -> None:
    machine = MACHINES[name]
    allowed = data.draw(st.sets(st.sampled_from(sorted(machine.numbers))))
    code = assemble(machine, allowed)
    for call, number in machine.numbers.items():
        expected = ALLOW if call in allowed or call in ("mmap", "mprotect") else DENY
        assert verdict(code, number, machine.audit) == expected
    unknown = data.draw(st.integers(min_value=500, max_value=2**29))
    assert verdict(code, unknown, machine.audit) == DENY


@pytest.mark.parametrize("name", MACHINE_NAMES)
def test_executable_memory_is_denied(name: str) -> None:
    machine = MACHINES[name]
    code = assemble(machine, ["mmap", "mprotect"])
    for call in ("mmap", "mprotect"):
        assert verdict(code, machine.numbers[call], machine.audit, third=3) == ALLOW
        assert verdict(code, machine.numbers[call], machine.audit, third=7) == DENY


@pytest.mark.parametrize("name", MACHINE_NAMES)
def test_a_clone_is_a_fork_or_nothing(name: str) -> None:
    machine = MACHINES[name]
    code = assemble(machine, ["clone"])
    plain, thread, new_user, new_pid = 0x01200011, 0x003D0F00, 0x10000011, 0x20000011
    verdicts = [verdict(code, machine.numbers["clone"], machine.audit, first=flags) for flags in (plain, 17)]
    assert verdicts == [ALLOW, ALLOW]
    for flags in (thread, new_user, new_pid, plain | 1 << 31):
        assert verdict(code, machine.numbers["clone"], machine.audit, first=flags) == DENY


@pytest.mark.parametrize("name", MACHINE_NAMES)
def test_limits_are_ones_own(name: str) -> None:
    machine = MACHINES[name]
    code = assemble(machine, ["prlimit64"])
    assert verdict(code, machine.numbers["prlimit64"], machine.audit) == ALLOW
    assert verdict(code, machine.numbers["prlimit64"], machine.audit, first=1) == DENY


@pytest.mark.parametrize("name", MACHINE_NAMES)
def test_a_foreign_machine_is_killed(name: str) -> None:
    machine = MACHINES[name]
    code = assemble(machine, ["read"])
    assert verdict(code, machine.numbers["read"], machine.audit ^ 1) == KILL
    if machine.compat_bit is not None:
        assert verdict(code, machine.compat_bit | machine.numbers["read"], machine.audit) == KILL


def test_numbers_are_distinct() -> None:
    machines: list[Machine] = list(MACHINES.values())
    assert all(len(set(machine.numbers.values())) == len(machine.numbers) for machine in machines)
