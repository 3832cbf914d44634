"""`admit` and `judge` as processes between pipes: order, bounded memory, answers at once, no tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from azr_engine.verifiers.python.executor import probe_tier
from tests.conftest import Command

HEALTH = probe_tier("namespaces")
pytestmark = pytest.mark.skipif(not HEALTH.works, reason=f"namespaces: {HEALTH.why}")
PROGRAM = "def f(x):\n    return x + 1"
TASK = {
    "id": "t", "domain": "python", "kind": "deduction", "given": {"program": PROGRAM, "input": "3"}, "gold": "4",
    "skeleton": "",
}  # fmt: skip


def command(name: str) -> list[str]:
    words = [name, "--domain", "python", "--sandbox", "namespaces"]
    return [sys.executable, "-c", "from azr_engine.cli import main; main()", *words]


class Piped:
    """A command between two pipes, fed by a thread while its output is read here."""

    def __init__(self, name: str) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command(name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[str] = self.process.stdin
        self.stdout: IO[str] = self.process.stdout

    def answers(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        def feed() -> None:
            with self.stdin:
                for line in lines:
                    self.stdin.write(json.dumps(line) + "\n")

        feeder = threading.Thread(target=feed)
        feeder.start()
        yield from map(json.loads, self.stdout)
        feeder.join()
        self.stdout.close()
        assert self.process.wait() == 0

    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def drafts(n_lines: int) -> Iterator[dict[str, Any]]:
    """Most of them rejected before anything runs, so that many go through in little time."""
    for n in range(n_lines):
        program = f"def f(x):\n    return x + {n}" if n % 50 == 0 else f"import os\ndef f(x):\n    return {n}"
        yield {"kind": "deduction", "draft": {"program": program, "input": "1"}}


def judged(n_lines: int) -> Iterator[dict[str, Any]]:
    for n in range(n_lines):
        yield {"task": {**TASK, "id": str(n), "gold": str(n % 7)}, "answer": "3", "padding": "x" * 200}


def peak_after(name: str, lines: Iterator[dict[str, Any]], n_lines: int) -> float:
    """Peak memory of the command when its last answers have come."""
    piped = Piped(name)
    peak, count = 0.0, 0
    for count, _ in enumerate(piped.answers(lines), start=1):
        if count == n_lines:
            peak = piped.peak_memory_mb()
    assert count == n_lines
    return peak


def test_admit_keeps_order() -> None:
    results = list(Piped("admit").answers(drafts(1000)))
    assert len(results) == 1000
    for n, result in enumerate(results):
        if n % 50 == 0:
            assert result["task"]["gold"] == str(n + 1)
        else:
            assert (result["admitted"], result["reason"]) == (False, "banned")


def test_judge_keeps_order() -> None:
    statuses = [result["status"] for result in Piped("judge").answers(judged(5000))]
    assert statuses == ["pass" if n % 7 == 3 else "fail" for n in range(5000)]


@pytest.mark.parametrize(("name", "lines"), [("admit", drafts), ("judge", judged)])
def test_memory_does_not_grow_with_the_input(name: str, lines: Any) -> None:
    small = peak_after(name, lines(1000), 1000)
    large = peak_after(name, lines(10_000), 10_000)
    assert large < small + 12


def test_a_line_is_answered_before_the_next_is_written() -> None:
    piped = Piped("judge")
    for answer, status in [("4", "pass"), ("5", "fail"), ("4", "pass")]:
        piped.stdin.write(json.dumps({"task": TASK, "answer": answer}) + "\n")
        piped.stdin.flush()
        assert json.loads(piped.stdout.readline())["status"] == status
    piped.stdin.close()
    assert piped.stdout.read() == ""
    piped.stdout.close()
    assert piped.process.wait() == 0


@pytest.mark.parametrize(
    ("kind", "given", "gold"),
    [
        ("deduction", {}, None),
        ("deduction", {}, ["4"]),
        ("error", {"program": PROGRAM}, {}),
        ("abduction", {}, "3"),
        ("abduction", {"program": PROGRAM}, "3"),
        ("abduction", {"program": 7, "output": "4"}, "3"),
        ("abduction", {"program": "import os", "output": "4"}, "3"),
        ("abduction", {"program": PROGRAM, "output": 4}, "3"),
        ("induction", {}, None),
        ("induction", {}, {"program": PROGRAM}),
        ("induction", {}, {"program": PROGRAM, "pairs": []}),
        ("induction", {}, {"program": PROGRAM, "pairs": [{"input": "1"}]}),
        ("induction", {}, {"program": PROGRAM, "pairs": [["1", "2"]]}),
        ("induction", {}, {"program": PROGRAM, "pairs": [{"input": 1, "output": 2}]}),
        ("induction", {}, {"program": PROGRAM, "pairs": "12"}),
    ],
)
def test_a_task_that_lacks_what_its_kind_needs_is_a_fault(azr: Command, kind: str, given: Any, gold: Any) -> None:
    line = {"task": {**TASK, "kind": kind, "given": given, "gold": gold}, "answer": PROGRAM}
    if kind != "induction":
        line["answer"] = "3"
    result = azr(["judge", "--domain", "python", "--sandbox", "namespaces"], stdin=json.dumps(line) + "\n")
    assert result.returncode == 0, result.stderr
    verdict = json.loads(result.stdout)
    assert (verdict["status"], verdict["reason"]) == ("fault", "the task is incomplete")


def test_a_line_that_cannot_be_read_ends_the_stream_after_those_before_it(azr: Command) -> None:
    good = {"task": TASK, "answer": "4"}
    bad: Sequence[tuple[Any, str]] = [
        ({"task": {**TASK, "domain": "math"}, "answer": "4"}, "line 3 is a task of the domain 'math'"),
        ({"task": {key: value for key, value in TASK.items() if key != "gold"}, "answer": "4"}, "line 3: Task lacks"),
        ({"task": {**TASK, "extra": 1}, "answer": "4"}, "line 3: Task has no field 'extra'"),
        ({"task": "t", "answer": "4"}, "line 3 needs 'task', an object"),
        ({"task": TASK}, "line 3 needs 'answer', a text"),
        ({"kind": "deduction", "answer": "4"}, "line 3 needs 'draft', an object"),
    ]
    for line, message in bad:
        stdin = "".join(json.dumps(entry) + "\n" for entry in (good, good, line, good))
        result = azr(["judge", "--domain", "python", "--sandbox", "namespaces"], stdin=stdin)
        assert result.returncode == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert [json.loads(text)["status"] for text in result.stdout.splitlines()] == ["pass", "pass"]


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    process = subprocess.Popen(
        command("judge"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    with pytest.raises(BrokenPipeError):
        for _ in range(1000):
            process.stdin.write("[" * 65_536)
            process.stdin.flush()
    _, stderr = process.communicate()
    assert process.returncode == 2
    assert "line 1 is longer than 4000000 bytes" in stderr
