"""The reader of compiled modules ends with an answer or `BadModule` on any bytes."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.verifiers.lean.installation import Installation, compile_modules, embedded, wheel_problem
from azr_engine.verifiers.lean.modules import Refused, compare
from azr_engine.verifiers.lean.olean import BadModule, Module

needs_wheel = pytest.mark.skipif(bool(wheel_problem()), reason=wheel_problem() or "the wheel is there")


SOURCE = """
theorem goal (p q : Prop) (a : Nat) : p ∧ q → a + 1180591620717411303424 = a + 1180591620717411303424 ∧ q
  | ⟨_, b⟩ => ⟨rfl, b⟩
"""


@functools.cache
def small_module() -> bytes:
    """A module of a few kilobytes with a bit of everything."""
    lean = embedded()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Small.lean").write_text(SOURCE)
        (folder / "Init.olean").symlink_to(lean.search_path[0] / "Init.olean")
        (folder / "Init").symlink_to(lean.search_path[0] / "Init")
        compile_modules(lean.library, folder, folder, ["Small"])
        return (folder / "Small.olean").read_bytes()


def read_all(data: bytes) -> int:
    module = Module(data)
    for name in module.constants:
        constant = module.constant(name)
        module.digest(constant.type)
        module.shape(constant.type)
        module.uses(constant.type, constant.value)
    return len(module.constants)


@needs_wheel
def test_a_real_module_is_read() -> None:
    module = Module((embedded().search_path[0] / "Init" / "Logic.olean").read_bytes())
    assert module.version == "4.35.0"
    assert "Init.Lemmas" in module.imports
    assert module.constant("and_comm").kind == "theorem"
    assert module.constant("Classical.choose").kind == "def"
    assert module.uses(module.constant("and_comm").type) == {"And", "Iff"}


@needs_wheel
@given(place=st.integers(0, 10**6), bits=st.integers(1, 255))
def test_a_damaged_module_never_breaks_the_reader(place: int, bits: int) -> None:
    data = bytearray(small_module())
    data[place % len(data)] ^= bits
    with contextlib.suppress(BadModule):
        read_all(bytes(data))


@needs_wheel
@given(length=st.integers(0, 10**6))
def test_a_module_cut_short_never_breaks_the_reader(length: int) -> None:
    data = small_module()
    with contextlib.suppress(BadModule):
        read_all(data[: length % len(data)])


@given(st.binary(max_size=300))
def test_noise_is_no_module(data: bytes) -> None:
    with pytest.raises(BadModule):
        read_all(data)
    with pytest.raises(BadModule):
        read_all(b"olean\x02\x01" + data)


@needs_wheel
def test_another_format_is_refused() -> None:
    data = bytearray(small_module())
    data[5] = 3
    with pytest.raises(BadModule, match="format 2"):
        Module(bytes(data))


def test_a_pointer_to_what_comes_later_is_refused(installation: Installation) -> None:
    """Objects lie behind what they point to, so a ring of pointers, which would never end, cannot be written."""
    data = bytearray((installation.search_path[0] / "Init.olean").read_bytes())
    base = int.from_bytes(data[0x50:0x58], "little")
    data[0x68:0x70] = (base + len(data) - 16).to_bytes(8, "little")
    with pytest.raises(BadModule):
        read_all(bytes(data))


def test_other_imports_are_refused(installation: Installation) -> None:
    folder = installation.search_path[0] / "Init"
    one, other = (Module((folder / name).read_bytes()) for name in ("Logic.olean", "List.olean"))
    with pytest.raises((Refused, KeyError)):
        compare(one, other, stated=[], free=["and_comm"], header={}, axioms_of=lambda name: frozenset())
