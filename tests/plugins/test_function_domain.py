"""Domains made of one function: what is admitted, what is judged how, and that `run` is locked in."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.domains.function import FunctionDomain, FunctionVerifier, read_literal, write_literal
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task, Verdict

calls = itertools.count()


class Tricks(FunctionDomain):
    """Programs are the names of things that a `run` should not do, besides `double` and `same`."""

    name = "tricks"
    propose = "Write `double` or `same`, and a whole number."
    solve = "The program doubles the number or leaves it."
    probes = ("1", "2")

    def run(self, program: str, input: str) -> str:
        tricks: dict[str, Callable[[], Any]] = {
            "double": lambda: str(2 * int(input)),
            "same": lambda: input,
            "zero": lambda: "0",
            "loop": lambda: str(all(True for _ in itertools.count())),
            "hog": lambda: "x" * 10**10,
            "long": lambda: "x" * 10**5,
            "chance": lambda: str(random.random()),
            "hash": lambda: str(hash("salt")),
            "state": lambda: str(next(calls)),
            "number": lambda: int(input),
            "exit": lambda: os._exit(3),
            "read": lambda: Path("/etc/hostname").read_text(),
            "connect": lambda: socket.create_connection(("127.0.0.1", 9)) and "connected",
            "start": lambda: os.execvp("true", ["true"]),
        }
        if program not in tricks:
            raise ValueError(f"no trick {program!r}")
        result: str = tricks[program]()
        return result

    def draw_program(self, rng: random.Random) -> str:
        return rng.choice(["double", "same"])

    def draw_input(self, rng: random.Random, program: str) -> str:
        return str(rng.randint(0, 99))


DOMAIN = Tricks()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def verifier(loop: asyncio.AbstractEventLoop) -> Iterator[FunctionVerifier]:
    verifier = FunctionVerifier(DOMAIN, workers=1, cpu_seconds=0.3, memory_mb=64)
    yield verifier
    loop.run_until_complete(verifier.close())


def admit(loop: Any, verifier: FunctionVerifier, *drafts: tuple[str, dict[str, Any]]) -> list[Task | Rejection]:
    made = [Draft("tricks", kind, fields) for kind, fields in drafts]
    outcomes: list[Task | Rejection] = loop.run_until_complete(verifier.admit(made))
    return outcomes


def judge(loop: Any, verifier: FunctionVerifier, task: Task, texts: Sequence[str]) -> list[Verdict]:
    pairs = [(task, Answer({"answer": text}, text)) for text in texts]
    verdicts: list[Verdict] = loop.run_until_complete(verifier.judge(pairs))
    return verdicts


def test_it_is_a_domain_and_a_verifier(verifier: FunctionVerifier) -> None:
    assert isinstance(DOMAIN, Domain)
    assert isinstance(verifier, Verifier)
    assert DOMAIN.verifier == verifier.name == "tricks"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("loop", "timeout"),
        ("hog", "memory"),
        ("long", "oversize"),
        ("chance", "nondeterministic"),
        ("hash", "nondeterministic"),
        ("state", "nondeterministic"),
        ("exit", "crash"),
        ("read", "raises"),
        ("connect", "raises"),
        ("start", "raises"),
        ("unheard-of", "raises"),
    ],
)
def test_what_a_run_must_not_do_is_rejected(loop: Any, verifier: FunctionVerifier, program: str, reason: str) -> None:
    bad, good = admit(
        loop,
        verifier,
        ("deduction", {"program": program, "input": "3"}),
        ("deduction", {"program": "double", "input": "3"}),
    )
    assert isinstance(bad, Rejection)
    assert (bad.reason, bad.fault) == (reason, False)
    assert isinstance(good, Task)
    assert good.gold == "6"


def test_a_run_that_gives_no_text_is_the_domains_own_fault(loop: Any, verifier: FunctionVerifier) -> None:
    (outcome,) = admit(loop, verifier, ("deduction", {"program": "number", "input": "3"}))
    assert outcome == Rejection("crash", "run gave a int, not a text", fault=True)


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("deduction", {"program": "double", "input": ""}, "syntax"),
        ("deduction", {"program": "double"}, "syntax"),
        ("deduction", {"program": "double", "input": 3}, "syntax"),
        ("deduction", {"program": "double", "input": "1" * 2001}, "oversize"),
        ("induction", {"program": "double", "inputs": ["1", "1"], "message": ""}, "syntax"),
        ("induction", {"program": "double", "inputs": ["1", "2"], "message": "try dou ble"}, "banned"),
        ("induction", {"program": "double", "inputs": [str(i) for i in range(33)], "message": ""}, "oversize"),
        ("dream", {"program": "double", "input": "1"}, "syntax"),
    ],
)
def test_malformed_drafts_are_rejected_without_a_run(
    loop: Any, verifier: FunctionVerifier, kind: str, fields: dict[str, Any], reason: str
) -> None:
    (outcome,) = admit(loop, verifier, (kind, fields))
    assert isinstance(outcome, Rejection)
    assert outcome.reason == reason


def test_each_kind_is_judged_by_what_the_program_does(loop: Any, verifier: FunctionVerifier) -> None:
    deduction, abduction, induction = admit(
        loop,
        verifier,
        ("deduction", {"program": "double", "input": "3"}),
        ("abduction", {"program": "double", "input": "3"}),
        ("induction", {"program": "double", "inputs": ["0", "3", "5"], "message": "a multiple"}),
    )
    assert isinstance(deduction, Task)
    assert isinstance(abduction, Task)
    assert isinstance(induction, Task)
    assert (deduction.gold, abduction.gold, abduction.given["output"]) == ("6", "3", "6")
    assert [v.status for v in judge(loop, verifier, deduction, ["6", "3", "06"])] == ["pass", "fail", "fail"]
    assert [v.status for v in judge(loop, verifier, abduction, ["3", " 3", "6", "x"])] == [
        "pass",
        "pass",
        "fail",
        "fail",
    ]
    assert [v.status for v in judge(loop, verifier, induction, ["double", "same", "loop"])] == ["pass", "fail", "fail"]
    # What fits the shown pair alone must not pass.
    assert [pair["input"] for pair in induction.given["pairs"]] == ["0", "3"]
    assert [pair["input"] for pair in induction.gold["pairs"]] == ["5"]


def test_programs_that_do_nothing_or_always_the_same_are_marked(loop: Any, verifier: FunctionVerifier) -> None:
    tasks = admit(loop, verifier, *(("deduction", {"program": p, "input": "3"}) for p in ("same", "zero", "double")))
    marks = [
        task.signature.partition(":")[0] if ":" in task.signature else "" for task in tasks if isinstance(task, Task)
    ]
    assert marks == ["identity", "constant", ""]


def test_a_class_that_no_worker_could_import_is_refused() -> None:
    class Local(Tricks):
        pass

    with pytest.raises(ValueError, match="top level of its module"):
        FunctionVerifier(Local())


@pytest.mark.parametrize("style", STYLES)
@given(kind=st.sampled_from(DOMAIN.kinds), seed=st.integers(0, 10**6))
def test_what_a_proposer_writes_comes_back_as_the_draft(style: str, kind: str, seed: int) -> None:
    draft = next(draft for draft in DOMAIN.seeds(random.Random(seed)) if draft.kind == kind)
    prompt = DOMAIN.propose_prompt(kind, [])
    text = STYLES[style].render_return(DOMAIN._draft_sections(kind, draft.fields))
    sections = STYLES[style].parse(prompt, text)
    assert not isinstance(sections, Malformed)
    assert DOMAIN.parse_draft(kind, sections) == draft


@given(
    st.recursive(
        st.integers() | st.text() | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.tuples(inner)
    )
)
def test_literals_have_one_spelling(value: object) -> None:
    text = write_literal(value)
    assert read_literal(text) == value
    assert write_literal(read_literal(f" {text} ")) == text
