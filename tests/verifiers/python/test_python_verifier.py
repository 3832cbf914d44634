"""Admission and judging from end to end, on the namespaces tier."""

from __future__ import annotations

import asyncio
import marshal
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.python.executor import (
    Executor,
    Limits,
    Outcome,
    Request,
    choose_executor,
    probe_tier,
    probe_tiers,
)
from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.local import LocalHandle, LocalLauncher
from azr_engine.verifiers.python.policy import check_program
from azr_engine.verifiers.python.pool import WorkerPool
from azr_engine.verifiers.python.requests import Place
from azr_engine.verifiers.python.verifier import PythonVerifier, gold_text
from azr_engine.verifiers.python.wire import MAX_CHILDREN
from tests.conftest import PATIENCE_SECONDS

T = TypeVar("T")
HEALTH = probe_tier("namespaces")
pytestmark = pytest.mark.skipif(not HEALTH.works, reason=f"namespaces: {HEALTH.why}")
LIMITS = Limits(cpu_seconds=0.5, wall_seconds=5.0, memory_mb=128)
SQUARE = "def f(x): return x * x"


class Spy:
    """An executor that records what it was asked and passes it on."""

    def __init__(self, inner: Executor) -> None:
        self.name = inner.name
        self.inner = inner
        self.requests: list[Request] = []

    async def run(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        self.requests += requests
        return await self.inner.run(requests)

    async def close(self) -> None:
        await self.inner.close()


def with_verifier(use: Callable[[PythonVerifier, Spy], Awaitable[T]], limits: Limits = LIMITS) -> T:
    async def run() -> T:
        spy = Spy(choose_executor("namespaces", workers=2, limits=limits))
        verifier = PythonVerifier(spy)
        try:
            return await use(verifier, spy)
        finally:
            await verifier.close()

    return asyncio.run(run())


def draft(kind: str, program: str = SQUARE, text: str = "3") -> Draft:
    if kind == "induction":
        return Draft("python", kind, {"program": program, "inputs": ["1", "2", "3"], "message": "m"})
    return Draft("python", kind, {"program": program, "input": text})


def answer(text: str) -> Answer:
    return Answer({"answer": text}, text)


def admit(*drafts: Draft) -> list[Task | Rejection]:
    return with_verifier(lambda verifier, _: verifier.admit(drafts))


def test_it_is_a_verifier() -> None:
    assert isinstance(PythonVerifier(choose_executor("namespaces")), Verifier)


def test_each_kind_splits_into_given_and_gold() -> None:
    deduction, abduction, induction, error = (
        task for task in admit(*map(draft, ("deduction", "abduction", "induction")), draft("error", text="'a'"))
        if isinstance(task, Task)
    )  # fmt: skip
    assert (deduction.given, deduction.gold) == ({"program": SQUARE, "input": "3"}, "9")
    assert (abduction.given, abduction.gold) == ({"program": SQUARE, "output": "9"}, "3")
    shown = [{"input": "1", "output": "1"}, {"input": "2", "output": "4"}]
    assert induction.given == {"message": "m", "pairs": shown}
    assert induction.gold == {"program": SQUARE, "pairs": [{"input": "3", "output": "9"}]}
    assert error.gold == "TypeError"
    assert [gold_text(task) for task in (deduction, abduction, induction, error)] == ["9", "3", SQUARE, "TypeError"]


def test_gold_passes_and_nonsense_fails_for_every_kind() -> None:
    async def use(verifier: PythonVerifier, _: Spy) -> list[Verdict]:
        tasks = await verifier.admit([draft(kind) for kind in ("deduction", "abduction", "induction", "error")])
        pairs = [(task, answer(gold_text(task))) for task in tasks if isinstance(task, Task)]
        pairs += [(task, answer("'nonsense'")) for task in tasks if isinstance(task, Task)]
        return await verifier.judge([*pairs, (pairs[0][0], Answer({}, ""))])

    statuses = [verdict.status for verdict in with_verifier(use)]
    assert statuses == ["pass"] * 4 + ["fail"] * 5


def test_the_worker_that_runs_an_answer_is_never_sent_gold() -> None:
    secret = "'held back 7f3a'"
    program = f"def f(x): return {secret} if x == 3 else x"

    async def use(verifier: PythonVerifier, spy: Spy) -> list[Request]:
        tasks = await verifier.admit([draft("induction", program)])
        assert isinstance(tasks[0], Task)
        spy.requests.clear()
        await verifier.judge([(tasks[0], answer("def g(y): return y"))])
        return spy.requests

    requests = with_verifier(use)
    assert len(requests) == 1
    sent = marshal.dumps([requests[0].program.source, requests[0].program.code, [a.packed for a in requests[0].inputs]])
    assert b"7f3a" not in sent


def test_equal_answers_run_once_and_are_remembered() -> None:
    async def use(verifier: PythonVerifier, spy: Spy) -> tuple[int, list[Verdict]]:
        tasks = await verifier.admit([draft("abduction")])
        assert isinstance(tasks[0], Task)
        spy.requests.clear()
        pairs = [(tasks[0], answer(text)) for text in ("-3", "-3", " -3 ", "4")]
        verdicts = await verifier.judge(pairs) + await verifier.judge(pairs)
        return sum(len(request.inputs) for request in spy.requests), verdicts

    n_inputs, verdicts = with_verifier(use)
    assert n_inputs == 2
    assert [verdict.status for verdict in verdicts] == ["pass", "pass", "pass", "fail"] * 2


def test_one_program_answering_two_tasks_is_judged_for_each() -> None:
    async def use(verifier: PythonVerifier, _: Spy) -> list[Verdict]:
        looping = Draft("python", "induction", {"program": SQUARE, "inputs": ["1", "0", "-1", "-2"], "message": "m"})
        tasks = await verifier.admit([looping, draft("induction")])
        program = "def g(y):\n    while y < 0: pass\n    return y * y"
        return await verifier.judge([(task, answer(program)) for task in tasks if isinstance(task, Task)])

    verdicts = with_verifier(use)
    assert [(verdict.status, verdict.reason) for verdict in verdicts] == [("fail", "timeout"), ("pass", "")]


def test_same_behaviour_gives_the_same_signature() -> None:
    one, same, other = admit(
        draft("deduction", "def f(x): return x + x", "3"),
        draft("abduction", "def g(n): return 2 * n", "50"),
        draft("deduction", "def f(x): return x + 3", "3"),
    )
    assert isinstance(one, Task)
    assert isinstance(same, Task)
    assert isinstance(other, Task)
    assert one.signature == same.signature != other.signature


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "syntax"),
        ({"program": 3, "input": "1"}, "syntax"),
        ({"program": SQUARE}, "syntax"),
        ({"program": SQUARE, "inputs": ["1"], "message": "m"}, "syntax"),
        ({"program": SQUARE, "inputs": ["1", " 1"], "message": "m"}, "syntax"),
        ({"program": SQUARE, "inputs": ["1", "2"]}, "syntax"),
        ({"program": SQUARE, "inputs": "12", "message": "m"}, "syntax"),
        ({"program": SQUARE, "inputs": [str(n) for n in range(40)], "message": "m"}, "oversize"),
        ({"program": SQUARE, "inputs": ["1", "'a'"], "message": "m"}, "raises"),
    ],
)
def test_a_draft_with_wrong_fields_is_rejected(fields: dict[str, object], reason: str) -> None:
    kind = "induction" if "inputs" in fields else "deduction"
    result = admit(Draft("python", kind, fields))[0]
    assert isinstance(result, Rejection)
    assert (result.reason, result.fault) == (reason, False)


def test_a_looping_draft_delays_nobody() -> None:
    async def use(verifier: PythonVerifier, _: Spy) -> list[str]:
        order: list[str] = []

        async def note(name: str, program: str) -> None:
            await verifier.admit([draft("deduction", program)])
            order.append(name)

        loops = [note("loop", "def f(x):\n    while True: pass")]
        await asyncio.gather(*loops, *[note("quick", f"def f(x): return {n}") for n in range(20)])
        return order

    assert with_verifier(use)[-1] == "loop"


def test_killed_workers_lose_nothing() -> None:
    async def use(verifier: PythonVerifier, spy: Spy) -> list[list[Outcome]]:
        await spy.run([Request(check_program(SQUARE), (read_arguments("2"),))])
        slow = check_program("def f(x):\n    while x > 0: x -= 1\n    return x")
        requests = [Request(slow, (read_arguments(str(500_000 + n)),), hash_seed=0) for n in range(6)]
        pending = asyncio.ensure_future(spy.run(requests))
        await asyncio.sleep(0)  # lets the requests leave
        for slot in spy.inner._slots:  # type: ignore[attr-defined]
            slot.kill()
        return await pending

    assert [[outcome[:2] for outcome in outcomes] for outcomes in with_verifier(use)] == [[("ok", "0")]] * 6


def zygote(stub: int) -> int:
    """The first process of a worker's pid namespace, below the stub that we started."""
    return int(Path(f"/proc/{stub}/task/{stub}/children").read_text().split()[0])


def test_a_zygote_killed_in_the_middle_of_a_batch_loses_nothing() -> None:
    async def use(verifier: PythonVerifier, spy: Spy) -> list[list[Outcome]]:
        square = Request(check_program(SQUARE), (read_arguments("2"),), hash_seed=0)
        await spy.run([square])
        counting = check_program("def f(x):\n    for _ in range(x): pass\n    return x")
        requests = [Request(counting, (read_arguments(str(200_000 + n)),), hash_seed=0) for n in range(40)]
        first = asyncio.ensure_future(spy.run(requests[:1]))
        rest = asyncio.ensure_future(spy.run(requests[1:]))
        await first  # by then the others are under way
        handle = spy.inner._slots[0]._handle  # type: ignore[attr-defined]
        os.kill(zygote(handle._process.pid), signal.SIGKILL)
        return [*await first, *await rest]

    outcomes = with_verifier(use)
    assert [outcome[0][:2] for outcome in outcomes] == [("ok", str(200_000 + n)) for n in range(40)]


def test_a_worker_sits_in_a_control_group_that_goes_with_it() -> None:
    """Where this machine lets us make one."""

    async def use(verifier: PythonVerifier, spy: Spy) -> Path | None:
        await spy.run([Request(check_program(SQUARE), (read_arguments("2"),), hash_seed=0)])
        handle = spy.inner._slots[0]._handle  # type: ignore[attr-defined]
        if handle._group is None:
            return None
        folder: Path = handle._group.folder
        members = {int(line) for line in (folder / "cgroup.procs").read_text().split()}
        assert {handle._process.pid, zygote(handle._process.pid)} <= members
        caps = [folder / name for name in ("memory.limit_in_bytes", "memory.max")]
        assert [int(cap.read_text()) for cap in caps if cap.exists()] == [LIMITS.worker_memory_mb << 20]
        return folder

    folder = with_verifier(use)
    if folder is None:
        pytest.skip("no control group can be made here")
    assert not folder.exists()


class DoomedLauncher(LocalLauncher):
    """Kills each worker as soon as it is ready."""

    def __init__(self) -> None:
        super().__init__("namespaces")
        self.n_launched = 0

    async def launch(self, place: Place, limits: Limits) -> LocalHandle:
        handle = await super().launch(place, limits)
        await handle.link.ready
        self.n_launched += 1
        os.kill(zygote(handle._process.pid), signal.SIGKILL)
        return handle


def test_a_worker_that_dies_twice_is_a_fault() -> None:
    launcher = DoomedLauncher()

    async def run() -> tuple[list[Task | Rejection], int]:
        verifier = PythonVerifier(WorkerPool(launcher, n_workers=1, limits=LIMITS))
        try:
            return await verifier.admit([draft("deduction")]), launcher.n_launched
        finally:
            await verifier.close()

    results, n_launched = asyncio.run(run())
    assert isinstance(results[0], Rejection)
    assert (results[0].reason, results[0].fault) == ("crash", True)
    assert n_launched == 2


def test_endless_programs_leave_lanes_to_others() -> None:
    """More of them than a worker has children, all before one quick request, none done when it is."""

    limits = Limits(cpu_seconds=0.3, wall_seconds=120.0)  # a busy machine must not make the wall limit strike first

    async def use(verifier: PythonVerifier, spy: Spy) -> bool:
        endless = check_program("def f(x):\n    while True: x += 1")
        loops = [Request(endless, (read_arguments(str(n)),), hash_seed=0) for n in range(3 * MAX_CHILDREN)]
        pending = asyncio.ensure_future(spy.run(loops))
        await asyncio.sleep(0)  # lets the requests leave
        await spy.run([Request(check_program(SQUARE), (read_arguments("2"),), hash_seed=0)])
        early = not pending.done()
        outcomes = await pending
        assert {outcome[0].status for outcome in outcomes} == {"timeout"}
        assert all(outcome[0].cpu_seconds >= limits.cpu_seconds for outcome in outcomes)
        return early

    assert with_verifier(use, limits)


def test_a_killed_supervisor_leaves_no_process() -> None:
    """The workers hear the connection close; a looping child goes with its worker."""
    reading, writing = os.pipe()
    source = "def f(x):\n    while True: pass"
    code = f"""
import asyncio, os
from azr_engine.verifiers.python.executor import Limits, Request, choose_executor
from azr_engine.verifiers.python.literals import read_arguments
from azr_engine.verifiers.python.policy import check_program
executor = choose_executor("namespaces", workers=1, limits=Limits(cpu_seconds=600, wall_seconds=600))
async def main():
    quick = Request(check_program("def f(x): return x"), (read_arguments("1"),), hash_seed=0)
    endless = Request(check_program({source!r}), (read_arguments("1"),), hash_seed=0)
    pending = asyncio.ensure_future(executor.run([endless]))
    await executor.run([quick])
    print(executor._slots[0]._handle._process.pid, flush=True)
    await pending
asyncio.run(main())
"""
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        stub = int(output.readline())
        watch = os.pidfd_open(stub)
        supervisor.kill()
        supervisor.wait()
        # A process descriptor is readable once the process has ended; the stub ends after all inside have.
        readable, _, _ = select.select([watch], [], [], PATIENCE_SECONDS)
    os.close(watch)
    assert readable, "the worker outlived its supervisor"


def test_an_executor_outlives_its_event_loop() -> None:
    executor = choose_executor("namespaces", workers=1, limits=LIMITS)
    request = Request(check_program(SQUARE), (read_arguments("5"),))
    first = asyncio.run(executor.run([request]))
    second = asyncio.run(executor.run([request]))
    asyncio.run(executor.close())
    assert first[0][0].text == second[0][0].text == "25"


def test_no_tier_is_had_by_accident() -> None:
    with pytest.raises(UserError, match="i-know-this-is-not-a-sandbox"):
        choose_executor("process")
    with pytest.raises(UserError, match="no sandbox named 'chroot'"):
        choose_executor("chroot")
    with pytest.raises(UserError, match="no sandbox to fall back to named 'process'"):
        choose_executor("namespaces", fallback="process")
    assert {health.name for health in probe_tiers()} == {"gvisor", "namespaces", "docker", "process"}
