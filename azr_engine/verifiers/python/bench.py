"""How many programs a second each tier admits and judges, between a floor and a ceiling measured in the same run.

The natural mix is deduction, abduction and induction in equal parts with eight different answers to each task, all
programs and answers distinct so that no cache helps. Floor: `python -c` per program. Ceiling: `exec` in this process,
without any isolation.

Rates are wall-clock and fall when other work shares the cores. Beside them stand the CPU milliseconds per item, of
the supervisor and its workers together, and the `undisturbed` rate: items * cores / (our CPU time + idle time of the
cores), which is the wall-clock rate with the time that others took left out. Both leave out the start of the workers,
measured on its own, and are unknown for containers, whose processes belong to a daemon.

With loops: beside every twenty ordinary answers one never ends and burns its whole CPU limit. The loops' own CPU time,
as their verdicts tell it, is taken off: from the wall time as a share of the cores, from the CPU time as it is. Each
task's answers are a call of their own, and `seconds_until_ordinary_done` is how long those without a loop took.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from azr_engine.engine.types import Answer, Draft, Task, task_id
from azr_engine.verifiers.python.executor import Limits, choose_executor, probe_tier
from azr_engine.verifiers.python.verifier import PythonVerifier

N_ANSWERS = 8
TIERS = ("namespaces", "process", "docker", "gvisor")
_KINDS = ("deduction", "abduction", "induction")
_BATCH = 96
_LOOP = "def g(x):\n    while True:\n        x += {n}"


def run_bench(
    tiers: Sequence[str] = TIERS,
    *,
    n_tasks: int = 240,
    n_loops: int = 40,
    workers: int | None = None,
) -> dict[str, Any]:
    """Measure every tier that works here.

    Returns a JSON-able dictionary: `floor` and `ceiling` in programs per second; and per tier either `unavailable`, or
    `admissions_per_second` (at least 3 runs each), `answers_per_second`, the CPU milliseconds of each, the same with
    `n_loops` endless answers among twenty times as many (`with_loops`), `latency_ms` of single calls, and memory.
    """
    results = {name: _measure(name, n_tasks, n_loops, workers) for name in tiers}
    cores = len(os.sched_getaffinity(0))
    return {"cores": cores, "floor": _floor(), "ceiling": _ceiling(), "tiers": results}


def table(results: dict[str, Any]) -> str:
    """The figures as text, one tier a line."""
    groups = ("admissions/s", "undisturbed", "CPU ms", "answers/s", "undisturbed", "CPU ms")
    columns = (*groups, "with loops", "undisturbed", "CPU ms", "p95 admit ms", "p95 judge ms")
    rows = [f"{'tier':12}" + "".join(f"{column:>13}" for column in columns)]
    for name, figures in results["tiers"].items():
        if "unavailable" in figures:
            rows.append(f"{name:12}unavailable: {figures['unavailable']}")
            continue
        loops, latency = figures["with_loops"], figures["latency_ms"]
        rates = [figures[key] for key in figures if "_per_" in key]
        cells = [*rates, *list(loops.values())[:3], latency["admission"]["p95"], latency["judging"]["p95"]]
        rows.append(f"{name:12}" + "".join(f"{'-' if cell is None else cell:>13}" for cell in cells))
    rows.append(f"python -c per program {results['floor']}/s; exec in process {results['ceiling']}/s")
    rows.append(f"{results['cores']} usable cores; 'with loops' leaves out the endless answers' CPU time")
    return "\n".join(rows)


def _measure(name: str, n_tasks: int, n_loops: int, workers: int | None) -> dict[str, Any]:
    health = probe_tier(name)
    if not health.works:
        return {"unavailable": health.why}
    return asyncio.run(_measure_tier(name, n_tasks, n_loops, workers))


async def _measure_tier(name: str, n_tasks: int, n_loops: int, workers: int | None) -> dict[str, Any]:
    starting = await _phase(name, workers, _nothing)
    admitting = await _phase(name, workers, lambda verifier: _admit_mix(verifier, n_tasks))
    judging = await _phase(name, workers, lambda verifier: _judge_mix(verifier, n_tasks))
    looping = await _phase(name, workers, lambda verifier: _judge_with_loops(verifier, n_loops))
    waiting = await _phase(name, workers, _latency)
    loop_cpu = looping.facts["loop_cpu_seconds"]
    cores = len(os.sched_getaffinity(0))
    return {
        "admissions_per_second": round(admitting.n / admitting.wall, 1),
        "admissions_per_second_undisturbed": admitting.undisturbed(starting),
        "cpu_ms_per_admission": admitting.cpu_ms(starting),
        "answers_per_second": round(judging.n / judging.wall, 1),
        "answers_per_second_undisturbed": judging.undisturbed(starting),
        "cpu_ms_per_answer": judging.cpu_ms(starting),
        "with_loops": {
            "answers_per_second": round(looping.n / max(looping.wall - loop_cpu / cores, 1e-9), 1),
            "answers_per_second_undisturbed": looping.undisturbed(starting, loop_cpu),
            "cpu_ms_per_answer": looping.cpu_ms(starting, loop_cpu),
            **looping.facts,
        },
        "latency_ms": waiting.facts,
        "largest_worker_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        "supervisor_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


class _Phase:
    """`n` items, from its making to `stop`; `cpu` seconds went into them and the start of the workers, if known."""

    def __init__(self) -> None:
        self.cpu: float | None = None
        self.facts: dict[str, Any] = {}
        self._start = time.perf_counter(), _idle_seconds()

    def stop(self, n: int) -> _Phase:
        self.n = n
        self.wall, self.idle = time.perf_counter() - self._start[0], _idle_seconds() - self._start[1]
        return self

    def cpu_ms(self, starting: _Phase, besides: float = 0.0) -> float | None:
        """Milliseconds of CPU time per item, without the start of the workers and without `besides` seconds."""
        if self.cpu is None or starting.cpu is None:
            return None
        return round((self.cpu - starting.cpu - besides) / self.n * 1e3, 3)

    def undisturbed(self, starting: _Phase, besides: float = 0.0) -> float | None:
        """Items per second of the time that this work kept the cores busy or left them idle."""
        cpu_ms = self.cpu_ms(starting, besides)
        if cpu_ms is None:
            return None
        return round(len(os.sched_getaffinity(0)) / max(cpu_ms / 1e3 + self.idle / self.n, 1e-9), 1)


async def _phase(name: str, workers: int | None, work: Callable[[PythonVerifier], Awaitable[_Phase]]) -> _Phase:
    """Do one piece of work with workers of its own, so that their CPU time is known when they have ended."""
    executor = choose_executor(name, workers=workers, limits=Limits(cpu_seconds=1.0), i_know_this_is_not_a_sandbox=True)
    verifier = PythonVerifier(executor)
    before = _cpu_seconds()
    try:
        await verifier.admit(_drafts(10_000_000, 15))  # starts every worker
        phase = await work(verifier)
    finally:
        await verifier.close()
    if name in ("namespaces", "process"):
        phase.cpu = _cpu_seconds() - before
    return phase


async def _nothing(verifier: PythonVerifier) -> _Phase:
    return _Phase().stop(0)


async def _admit_mix(verifier: PythonVerifier, n_tasks: int) -> _Phase:
    phase = _Phase()
    await _admit(verifier, _drafts(0, n_tasks))
    return phase.stop(n_tasks)


async def _judge_mix(verifier: PythonVerifier, n_tasks: int) -> _Phase:
    pairs = [(task, _answer(task, n)) for task in _tasks(0, n_tasks) for n in range(N_ANSWERS)]
    phase = _Phase()
    await _judge(verifier, pairs)
    return phase.stop(len(pairs))


async def _judge_with_loops(verifier: PythonVerifier, n_loops: int) -> _Phase:
    """The mix with an endless answer among every twenty, all at once."""
    tasks = _tasks(1_000_000, max(3, 20 * n_loops // N_ANSWERS))
    induction = next(task for task in tasks if task.kind == "induction")
    endless = [verifier.judge([(induction, Answer({"answer": _LOOP.format(n=n)}, ""))]) for n in range(n_loops)]
    ordinary = [verifier.judge([(task, _answer(task, n)) for n in range(N_ANSWERS)]) for task in tasks]
    phase = _Phase()
    loops = [asyncio.ensure_future(call) for call in endless]
    await asyncio.gather(*ordinary)
    ordinary_done = phase.stop(0).wall
    verdicts = [verdict for verdicts in await asyncio.gather(*loops) for verdict in verdicts]
    phase.stop(len(ordinary) * N_ANSWERS)
    phase.facts = {
        "loop_cpu_seconds": round(sum(verdict.seconds for verdict in verdicts), 2),
        "seconds_until_ordinary_done": round(ordinary_done, 2),
        "seconds": round(phase.wall, 2),
    }
    return phase


def _drafts(first: int, n_tasks: int) -> list[Draft]:
    return [_draft(_KINDS[n % len(_KINDS)], first + n) for n in range(n_tasks)]


def _draft(kind: str, n: int) -> Draft:
    program = f"def f(x):\n    total = {n}\n    for i in range(x):\n        total += i * i\n    return total"
    if kind == "induction":
        return Draft("python", kind, {"program": program, "inputs": ["3", "4", "5", "6"], "message": f"squares on {n}"})
    return Draft("python", kind, {"program": program, "input": "7"})


def _tasks(first: int, n_tasks: int) -> list[Task]:
    """The tasks that admission makes of `_drafts`, without the admission."""
    tasks = []
    for draft in _drafts(first, n_tasks):
        program = draft.fields["program"]
        scope: dict[str, Any] = {}
        exec(program, scope)  # noqa: S102 - our own text
        pairs = [{"input": text, "output": str(scope["f"](int(text)))} for text in draft.fields.get("inputs", ["7"])]
        given, gold = {
            "deduction": ({"program": program, "input": "7"}, pairs[0]["output"]),
            "abduction": ({"program": program, "output": pairs[0]["output"]}, "7"),
            "induction": ({"message": "", "pairs": pairs[:2]}, {"program": program, "pairs": pairs[2:]}),
        }[draft.kind]
        tasks.append(Task(task_id("python", draft.kind, given), "python", draft.kind, given, gold, "", ""))
    return tasks


def _answer(task: Task, n: int) -> Answer:
    texts = {
        "deduction": lambda: str(n),
        "abduction": lambda: str(n + 1),
        "induction": lambda: str(task.gold["program"]).replace("i * i", f"i * i + {n}"),
    }
    text = texts[task.kind]()
    return Answer({"answer": text}, text)


async def _admit(verifier: PythonVerifier, drafts: Sequence[Draft]) -> list[Task]:
    tasks: list[Task] = []
    for start in range(0, len(drafts), _BATCH):
        for result in await verifier.admit(drafts[start : start + _BATCH]):
            assert isinstance(result, Task), result
            tasks.append(result)
    return tasks


async def _judge(verifier: PythonVerifier, pairs: Sequence[tuple[Task, Answer]]) -> list[str]:
    statuses: list[str] = []
    for start in range(0, len(pairs), _BATCH * N_ANSWERS):
        verdicts = await verifier.judge(pairs[start : start + _BATCH * N_ANSWERS])
        statuses += [verdict.status for verdict in verdicts]
    return statuses


async def _latency(verifier: PythonVerifier) -> _Phase:
    """Of one call with one item, nothing else under way."""
    phase, admitting, judging = _Phase(), [], []
    for draft, task in zip(_drafts(2_000_000, 60), _tasks(3_000_000, 60), strict=True):
        start = time.perf_counter()
        await _admit(verifier, [draft])
        admitted = time.perf_counter()
        await verifier.judge([(task, _answer(task, 1))])
        admitting.append(admitted - start)
        judging.append(time.perf_counter() - admitted)
    phase.facts = {"admission": _percentiles(admitting), "judging": _percentiles(judging)}
    return phase.stop(0)


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"p{p}": round(cuts[p - 1] * 1e3, 2) for p in (50, 95, 99)}


def _floor(n_programs: int = 20) -> float:
    """Programs per second when each gets an interpreter of its own."""
    source = str(_draft("deduction", 1).fields["program"]) + "\nprint(f(7))"
    start = time.perf_counter()
    for _ in range(n_programs):
        subprocess.run([sys.executable, "-c", source], capture_output=True, check=True)
    return round(n_programs / (time.perf_counter() - start), 1)


def _ceiling(n_programs: int = 2000) -> float:
    """Programs per second compiled and run in this very process."""
    sources = [str(_draft("deduction", n).fields["program"]) for n in range(n_programs)]
    start = time.perf_counter()
    for source in sources:
        scope: dict[str, Any] = {}
        exec(source, scope)  # noqa: S102 - our own text, to know what isolation costs
        scope["f"](7)
    return round(n_programs / (time.perf_counter() - start), 1)


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


def _idle_seconds() -> float:
    """What all cores of the machine idled since it started (proc_stat(5): the fourth and fifth count)."""
    idle, waiting = Path("/proc/stat").read_text().split("\n", 1)[0].split()[4:6]
    return (int(idle) + int(waiting)) / os.sysconf("SC_CLK_TCK")
