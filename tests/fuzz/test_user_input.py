"""Whatever a person or a file hands in is taken, or refused in one line, within bounds."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azr_engine.cli.judge import _judge_batch, _problem
from azr_engine.cli.lines import batches
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.chain import verify_chain
from azr_engine.engine.config import RunConfig, load_config, to_toml
from azr_engine.engine.config import settings as known_settings
from azr_engine.engine.durable import whole_lines
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Verifier
from azr_engine.engine.sources import read_fixed
from azr_engine.engine.types import Draft, Task
from azr_engine.evaluation.suites import _read as read_suite_file
from azr_engine.oversight.policy import load_policy
from azr_engine.oversight.review import ReviewQueue
from tests.fuzz.hostile import COMMON, CONFIG, NUMBERS, PYTHON, bounded, texts

NAMES = [name for name, _ in known_settings(RunConfig)]
WORDS = texts([*COMMON, *NUMBERS])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(PYTHON)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
TASK: dict[str, Any] = {
    "id": "t", "domain": "python", "kind": "deduction", "given": {"program": "def f(x): return x", "input": "3"},
    "gold": "3", "skeleton": "", "draft": {"program": "def f(x): return x", "input": "3"},
}  # fmt: skip
ALARM = {"id": "a", "alarm": {"name": "faults", "step": 3, "message": "m", "severity": "warning"}}
DECISION = {"id": "a", "decision": "approve", "note": "", "time": "2026-01-01T00:00:00+00:00"}
FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def spoilt(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """`good` with a field changed, added or taken away."""
    names = st.one_of(st.sampled_from(sorted(good)), st.text(max_size=8))
    changed = st.builds(lambda name, value: {**good, name: value}, names, JSON)
    without = st.sampled_from(sorted(good)).map(lambda name: {k: v for k, v in good.items() if k != name})
    return st.one_of(st.just(good), changed, without)


def file_of(*good: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Bytes of a file of JSON lines that are right, spoilt, or nothing of the kind."""
    line = st.one_of(
        *(spoilt(one).map(lambda value: json.dumps(value, ensure_ascii=False)) for one in good),
        JSON.map(json.dumps),
        texts(['{"', '":', "[", ",", "null", json.dumps(good[0])]),
    ).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.one_of(st.lists(line, max_size=4).map(b"\n".join), st.binary(max_size=200))


@given(texts(CONFIG))
def test_a_configuration_file_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded():
        refused_in_a_line(lambda: to_toml(load_config(file)))


@given(st.sampled_from(NAMES), texts(CONFIG))
def test_a_set_option_is_taken_or_refused(name: str, text: str) -> None:
    for assignment in (f"{name}={text}", text):
        with bounded():
            refused_in_a_line(lambda a=assignment: to_toml(load_config(None, [a])))


@given(
    st.lists(
        st.sampled_from([b"{}", b"{", b"[]", b"1", b'"', b"\n", b"\r\n", b"\xff", b"\0", b"[" * 50_000]), max_size=9
    )
)
def test_lines_are_read_or_refused(pieces: list[bytes]) -> None:
    with bounded():
        for _, error in batches(io.BytesIO(b"".join(pieces)), lambda number, line: (number, line)):
            assert error is None or "\n" not in str(error)


@given(content=file_of(TASK, {"domain": "python", "kind": "deduction", "draft": TASK["draft"]}))
@FILE
def test_a_file_of_tasks_is_taken_or_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_bytes(content)
    with bounded():
        entries = refused_in_a_line(lambda: read_suite_file(file))
        fixed = refused_in_a_line(lambda: read_fixed(f"fixed:{file}"))
    assert all(isinstance(entry, Task | Draft) for entry in entries or ())
    assert all(isinstance(task, Task) for tasks in (fixed or {}).values() for task in tasks)


@given(content=file_of(ALARM, DECISION))
@FILE
def test_a_review_file_is_taken_or_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "review.jsonl").write_bytes(content)
    queue = ReviewQueue(tmp_path)
    with bounded():
        refused_in_a_line(queue.items)
        refused_in_a_line(queue.require_approved)
        whole_lines(tmp_path / "review.jsonl")
        refused_in_a_line(lambda: verify_chain(tmp_path / "review.jsonl"))


@given(text=texts(["[[deny]]\n", 'name = "a"\n', "pattern = '", "'\n", "(a+)+", "imports = ", '["os"]\n', *CONFIG]))
@FILE
def test_a_policy_file_is_taken_or_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded():
        refused_in_a_line(lambda: load_policy(str(file)))


def refused_in_a_line(action: Any) -> Any:
    """What the action gives, or None where it says in one line what is wrong."""
    try:
        return action()
    except UserError as error:
        assert "\n" not in str(error), str(error)
        return None


LINES = st.one_of(
    st.builds(lambda task, answer: {"task": task, "answer": answer}, spoilt(TASK), texts(PYTHON)),
    st.builds(
        lambda kind, draft, answer: {"kind": kind, "draft": draft, "answer": answer},
        st.sampled_from(["deduction", "abduction", "induction", "error", "prove", ""]),
        spoilt(TASK["draft"]),
        texts(PYTHON),
    ),
)


@given(line=LINES)
def test_a_line_for_judge_gets_a_verdict_or_is_refused(
    runner: asyncio.Runner, verifiers: dict[str, Verifier], line: dict[str, Any]
) -> None:
    domain = PythonDomain()
    with bounded():
        problem = refused_in_a_line(lambda: _problem(domain, 1, line))
        if problem is not None:
            verdicts = runner.run(_judge_batch(domain, verifiers["python"], [(problem, line["answer"])]))
            assert json.dumps(verdicts, ensure_ascii=False).encode()
