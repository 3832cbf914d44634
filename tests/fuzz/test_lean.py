"""Whatever a model writes and whatever a module file holds, Lean's verifier has a word on it in time."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.domains.lean.domain import LeanDomain
from azr_engine.engine.types import Answer, Draft, Rejection, Task
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Limits
from azr_engine.verifiers.lean.installation import embedded, wheel_problem
from azr_engine.verifiers.lean.modules import Refused, compare
from azr_engine.verifiers.lean.olean import BadModule, Module
from azr_engine.verifiers.lean.verifier import LeanVerifier
from tests.fuzz.hostile import COMMANDS, LEAN, bounded, texts
from tests.verifiers.lean.test_lean_modules import small_module

pytestmark = pytest.mark.skipif(bool(wheel_problem()), reason=wheel_problem() or "the wheel is there")

LIMITS = Limits(cpu_seconds=1.0, memory_mb=512, heartbeats=5_000)
TEXTS = texts([*LEAN, *COMMANDS, "p", "goal", "False", "True", "Nat", "h", "simp", "intro h", "x"])
FALSE = "(p q : Prop) : p \u2228 q \u2192 p \u2227 q"
TASKS = [
    Task("0", "lean", "prove", {"statement": FALSE}, {}, "s"),
    Task("1", "lean", "repair", {"first": FALSE, "second": f"{FALSE} \u2227 p"}, {"holds": 1}, "s"),
    Task("2", "lean", "induct", {"instances": [FALSE]}, {"instances": [f"{FALSE} \u2227 q"]}, "s"),
]
SWAP = {"statement": "(p q : Prop) : p \u2227 q \u2192 q \u2227 p", "proof": "fun h => \u27e8h.2, h.1\u27e9"}
DRAFTS: dict[str, dict[str, Any]] = {
    "prove": SWAP,
    "repair": {**SWAP, "rival": FALSE, "refutation": "fun h => absurd (h True False (Or.inl trivial)) (by simp)"},
    "induct": {**SWAP, "instances": [f"(r : Prop) : r \u2227 {n} = {n} \u2192 {n} = {n} \u2227 r" for n in range(4)]},
}


@pytest.fixture(scope="module")
def lean(runner: asyncio.Runner) -> Iterator[dict[bool, LeanVerifier]]:
    """Verifiers that look at a text first, and that leave it all to Lean and the checks behind it."""
    pools = {lint: LeanPool("embedded", embedded, workers=1, limits=LIMITS, lint=lint) for lint in (True, False)}
    yield {lint: LeanVerifier(pool) for lint, pool in pools.items()}
    for pool in pools.values():
        runner.run(pool.close())


few = settings(max_examples=settings().max_examples // 6)


@few
@given(
    task=st.sampled_from(TASKS),
    text=TEXTS,
    claim=st.sampled_from(["", "1 ", "not 2 ", ": False := "]),
    lint=st.booleans(),
)
def test_nothing_proves_what_is_false(
    runner: asyncio.Runner, lean: dict[bool, LeanVerifier], task: Task, text: str, claim: str, lint: bool
) -> None:
    answer = Answer({"answer": claim + text}, claim + text)
    with bounded():
        verdict = runner.run(lean[lint].judge([(task, answer)]))[0]
    # "not 2" can be proved, but hardly by chance.
    assert verdict.status == "fail", verdict


@few
@given(data=st.data(), kind=st.sampled_from(sorted(DRAFTS)), text=TEXTS, lint=st.booleans())
def test_every_draft_is_a_task_or_refused(
    runner: asyncio.Runner, lean: dict[bool, LeanVerifier], data: st.DataObject, kind: str, text: str, lint: bool
) -> None:
    fields = dict(DRAFTS[kind])
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = [text, *fields[name][1:]] if name == "instances" else text
    draft = LeanDomain().draft(kind, fields)
    assert isinstance(draft, Draft)
    with bounded():
        outcome = runner.run(lean[lint].admit([draft]))[0]
    assert isinstance(outcome, Task | Rejection)
    assert not (isinstance(outcome, Rejection) and outcome.fault), outcome.detail


def test_a_number_of_thousands_of_digits_is_refused(runner: asyncio.Runner, lean: dict[bool, LeanVerifier]) -> None:
    number = "9" * 5000
    statement, proof = f"(n : Nat) : n + {number} = {number} + n", "Nat.add_comm n _"
    pair = (Task("3", "lean", "prove", {"statement": statement}, {}, "s"), Answer({"answer": proof}, proof))
    for verifier in lean.values():
        with bounded():
            outcome = runner.run(verifier.admit([Draft("lean", "prove", {"statement": statement, "proof": proof})]))[0]
            verdict = runner.run(verifier.judge([pair]))[0]
        assert isinstance(outcome, Rejection) and not outcome.fault
        assert verdict.status == "fail"


def read_all(data: bytes) -> None:
    """All that the checks of a submission read."""
    module = Module(data)
    for name in module.constants:
        constant = module.constant(name)
        for part in (constant.type, constant.value):
            if part is not None:
                module.digest(part)
                module.shape(part)
        module.uses(constant.type, constant.value)
        module.name_parts(constant.name)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real module in which words were exchanged for others: pointers elsewhere, huge counts, pieces moved."""
    data = bytearray(small_module())
    words = len(data) // 8
    base = struct.unpack_from("<Q", data, 0x50)[0]
    for _ in range(draw(st.integers(1, 8))):
        place = 8 * draw(st.integers(10, words - 1))
        match draw(st.sampled_from(["pointer", "copy", "number", "head", "move"])):
            case "pointer":
                value = base + 8 * draw(st.integers(0, words))
            case "copy":
                value = struct.unpack_from("<Q", data, 8 * draw(st.integers(10, words - 1)))[0]
            case "number":
                value = draw(st.sampled_from([0, 1, 3, len(data), 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
            case "head":
                tag, count = draw(st.integers(0, 255)), draw(st.integers(0, 255))
                value = (tag << 56) | (count << 48)
            case "move":
                length = draw(st.integers(1, 400))
                data[place : place + length] = data[: len(data[place : place + length])]
                continue
        struct.pack_into("<Q", data, place, value)
    return bytes(data)


@given(damaged())
def test_a_module_with_exchanged_words_is_read_or_refused(data: bytes) -> None:
    with bounded(), contextlib.suppress(BadModule):
        read_all(data)


@given(damaged())
def test_a_damaged_submission_states_what_was_asked_or_is_refused(data: bytes) -> None:
    reference = Module(small_module())
    wanted = reference.digest(reference.constant("goal").type)
    with bounded(), contextlib.suppress(BadModule, Refused, LookupError):
        submission = Module(data)
        compare(reference, submission, stated=["goal"], free=[], header={}, axioms_of=lambda name: frozenset())
        assert submission.digest(submission.constant("goal").type) == wanted
        assert submission.constant("goal").kind == "theorem"


class Image:
    """A module file in the making: objects, each after all that it points to."""

    BASE = 1 << 32

    def __init__(self) -> None:
        self._data = bytearray(0x60)
        self._data[:6] = b"olean\2"

    @property
    def end(self) -> int:
        """A pointer to the next object."""
        return self.BASE + len(self._data)

    def put(self, tag: int, count: int, body: bytes) -> int:
        """An object; a pointer to it."""
        at = self.end
        self._data += struct.pack("<IHBB", 0, 0, count, tag) + body + bytes(-len(body) % 8)
        return at

    def fields(self, tag: int, *pointers: int) -> int:
        """A constructor object."""
        return self.put(tag, len(pointers), struct.pack(f"<{len(pointers)}Q", *pointers))

    def array(self, *pointers: int) -> int:
        """An array."""
        return self.put(0xF6, 0, struct.pack(f"<QQ{len(pointers)}Q", len(pointers), len(pointers), *pointers))

    def name(self, prefix: int, text: str) -> int:
        """A name behind another, 1 for none."""
        encoded = text.encode() + b"\0"
        string = self.put(0xF9, 0, struct.pack("<QQQ", len(encoded), len(encoded), len(text)) + encoded)
        return self.fields(1, prefix, string)

    def theorem(self, name: int, type_: int) -> bytes:
        """The file with one theorem of this name and type, which proves itself."""
        value = self.fields(0, name, 1, type_)
        constant = self.fields(2, self.fields(0, value, type_, 1))
        root = self.fields(0, self.array(), self.array(name), self.array(constant))
        struct.pack_into("<QQ", self._data, 0x50, self.BASE, root)
        self._data += bytes(16)
        return bytes(self._data)


def test_an_image_of_ours_is_a_module() -> None:
    image = Image()
    name = image.name(image.name(1, "goal"), "part")
    module = Module(image.theorem(name, image.fields(4, name, 1)))
    assert module.constant("goal.part").kind == "theorem"
    assert module.uses(module.constant("goal.part").type) == {"goal.part"}


def test_a_name_of_many_parts_is_refused() -> None:
    image, name = Image(), 1
    for _ in range(40_000):
        name = image.name(name, "a")
    with bounded(), pytest.raises(BadModule):
        read_all(image.theorem(name, image.fields(3, 1)))


def test_a_number_of_many_digits_is_read_or_refused() -> None:
    image = Image()
    limbs = 200_000
    number = image.put(0xFA, 0, struct.pack("<IiQ", 0, limbs, image.end + 24) + b"\xff" * (8 * limbs))
    literal = image.fields(9, image.fields(0, number))
    with bounded(), contextlib.suppress(BadModule):
        read_all(image.theorem(image.name(1, "goal"), literal))


def test_many_constants_with_many_universes_are_refused() -> None:
    image = Image()
    name, levels = image.name(1, "goal"), 1
    level = image.fields(4, name)
    for _ in range(3000):
        levels = image.fields(1, level, levels)
    type_ = image.fields(4, name, levels)
    for _ in range(3000):
        type_ = image.fields(5, type_, image.fields(4, name, levels))
    with bounded(), pytest.raises(BadModule):
        read_all(image.theorem(name, type_))
