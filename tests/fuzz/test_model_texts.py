"""Whatever a model writes, the parsers of our own process answer within bounds, and with no errors but their own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from azr_engine.domains.lean.domain import LeanDomain
from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.domains.reasoning_gym.domain import ReasoningGymDomain
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.styles import STYLES, extract_answer, strip_fence
from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task, Verdict
from azr_engine.oversight.policy import load_policy
from azr_engine.verifiers.judge.rubric import read_vote, well_formed
from azr_engine.verifiers.lean import lint
from azr_engine.verifiers.math.answers import read_answer
from azr_engine.verifiers.math.grammar import ParseError, parse
from azr_engine.verifiers.python.leakage import reveals
from azr_engine.verifiers.python.literals import canonical, read_arguments
from azr_engine.verifiers.python.policy import check_program
from azr_engine.verifiers.python.skeleton import program_skeleton
from tests.fuzz.hostile import LEAN, MARKUP, MATH, PYTHON, bounded, texts

DOMAINS: list[Domain] = [PythonDomain(), MathDomain(), LeanDomain(), ReasoningGymDomain("gcd")]
CELLS = [(domain, kind) for domain in DOMAINS for kind in domain.kinds]
REPLIES = texts([*MARKUP, *PYTHON, *MATH, *LEAN])
POLICY = load_policy()


def any_task(domain: Domain, kind: str) -> Task:
    """A task of the kind as far as parsing an answer goes."""
    return Task("0" * 16, domain.name, kind, {}, None, "")


@given(st.sampled_from(CELLS), st.sampled_from(sorted(STYLES)), REPLIES)
def test_a_proposal_becomes_a_draft_or_is_malformed(cell: tuple[Domain, str], style: str, text: str) -> None:
    domain, kind = cell
    prompt = domain.propose_prompt(kind, [])
    with bounded():
        sections = STYLES[style].parse(prompt, text)
        draft = sections if isinstance(sections, Malformed) else domain.parse_draft(kind, sections)
        if isinstance(draft, Draft):
            POLICY.refusal(draft)
    assert isinstance(draft, Draft | Malformed)
    if isinstance(sections, Malformed):
        return
    assert set(sections) == {section.name for section in prompt.returns}


@given(st.sampled_from(CELLS), REPLIES)
def test_an_answer_is_read_or_is_malformed(cell: tuple[Domain, str], text: str) -> None:
    domain, kind = cell
    with bounded():
        found = extract_answer(text)
        answer = domain.parse_answer(any_task(domain, kind), {"answer": strip_fence(text if found is None else found)})
    assert isinstance(answer, Answer | Malformed)


@given(texts(PYTHON))
def test_python_texts_are_read_or_refused(text: str) -> None:
    for read in (check_program, program_skeleton, canonical, read_arguments):
        with bounded(), contextlib.suppress(ValueError):
            read(text)
    with bounded():
        reveals(text, "def f(x):\n return x")


@given(texts(MATH))
def test_math_texts_are_read_or_refused(text: str) -> None:
    for read in (parse, read_answer):
        with bounded(), contextlib.suppress(ParseError):
            read(text)


@given(texts(LEAN))
def test_lean_texts_are_read_or_refused(text: str) -> None:
    for read in (lint.check_proof, lint.check_statement, lint.split_statement, lint.split_definition):
        with bounded(), contextlib.suppress(lint.LintError):
            read(text)


@given(texts(["Verdict:", "pass", "fail", "PASS", "score", "1", "0.5", *MARKUP]))
def test_a_judges_reply_is_a_vote(text: str) -> None:
    with bounded():
        read_vote(text)
        well_formed(text)


@given(data=st.data())
def test_a_verifier_has_a_verdict_on_every_answer(
    data: st.DataObject, runner: asyncio.Runner, verifiers: dict[str, Verifier], tasks: list[Task]
) -> None:
    task = data.draw(st.sampled_from(tasks))
    text = data.draw(texts(PYTHON if task.domain == "python" else MATH))
    with bounded():
        verdict = runner.run(verifiers[task.domain].judge([(task, Answer({"answer": text}, text))]))[0]
    assert isinstance(verdict, Verdict)
    assert verdict.status != "fault", verdict.reason


@given(data=st.data())
def test_a_verifier_has_a_word_on_every_draft(
    data: st.DataObject, runner: asyncio.Runner, verifiers: dict[str, Verifier], tasks: list[Task]
) -> None:
    task = data.draw(st.sampled_from(tasks))
    name = data.draw(st.sampled_from(sorted(task.draft)))
    text = data.draw(texts(PYTHON if task.domain == "python" else MATH))
    fields = dict(task.draft) | {name: [text, text + "1"] if isinstance(task.draft[name], list) else text}
    draft = dataclasses.replace(Draft(task.domain, task.kind, task.draft), fields=fields)
    with bounded():
        outcome = runner.run(verifiers[task.domain].admit([draft]))[0]
    assert isinstance(outcome, Task | Rejection)
    assert not (isinstance(outcome, Rejection) and outcome.fault), outcome.detail
