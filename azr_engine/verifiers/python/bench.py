"""How many programs a second each tier admits and judges, between a floor and a ceiling measured in the same run.

The natural mix is deduction, abduction and induction in equal parts with eight different answers to each task, all
programs and answers distinct so that no cache helps. Floor: `python -c` per program. Ceiling: `exec` in this process,
without any isolation. Rates are wall-clock and fall when other work shares the cores; CPU seconds stand beside them.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Task
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
    `admissions_per_second` (at least 3 runs each), `answers_per_second`, the same with `n_loops` endless answers among
    twenty times as many (`with_loops`), `latency_ms` of single calls, CPU seconds and memory.
    """
    results = {name: _measure(name, n_tasks, n_loops, workers) for name in tiers}
    cores = len(os.sched_getaffinity(0))
    return {"cores": cores, "floor": _floor(), "ceiling": _ceiling(), "tiers": results}


def table(results: dict[str, Any]) -> str:
    """The figures as text, one tier a line."""
    rows = [
        f"{'tier':12}{'admissions/s':>14}{'answers/s':>14}{'with loops':>14}{'p95 admit ms':>14}{'p95 judge ms':>14}"
    ]
    for name, figures in results["tiers"].items():
        if "unavailable" in figures:
            rows.append(f"{name:12}unavailable: {figures['unavailable']}")
            continue
        rows.append(
            f"{name:12}{figures['admissions_per_second']:>14}{figures['answers_per_second']:>14}"
            f"{figures['with_loops']['answers_per_second_without_loop_cpu']:>14}"
            f"{figures['latency_ms']['admission']['p95']:>14}{figures['latency_ms']['judging']['p95']:>14}"
        )
    rows.append(f"python -c per program {results['floor']}/s; exec in process {results['ceiling']}/s")
    rows.append(f"{results['cores']} usable cores; 'with loops' leaves out the CPU time of the endless answers")
    return "\n".join(rows)


def _measure(name: str, n_tasks: int, n_loops: int, workers: int | None) -> dict[str, Any]:
    health = probe_tier(name)
    if not health.works:
        return {"unavailable": health.why}
    return asyncio.run(_measure_tier(name, n_tasks, n_loops, workers))


async def _measure_tier(name: str, n_tasks: int, n_loops: int, workers: int | None) -> dict[str, Any]:
    executor = choose_executor(name, workers=workers, limits=Limits(cpu_seconds=1.0), i_know_this_is_not_a_sandbox=True)
    verifier = PythonVerifier(executor)
    used_before = _cpu_seconds()
    try:
        await verifier.admit(_drafts(10_000_000, 15))  # starts every worker
        start = time.perf_counter()
        tasks = await _admit(verifier, _drafts(0, n_tasks))
        admitting = time.perf_counter() - start
        pairs = [(task, _answer(task, n)) for task in tasks for n in range(N_ANSWERS)]
        start = time.perf_counter()
        await _judge(verifier, pairs)
        judging = time.perf_counter() - start
        loops = await _with_loops(verifier, n_loops)
        latency = await _latency(verifier)
    finally:
        await verifier.close()
    used = _cpu_seconds() - used_before
    return {
        "admissions_per_second": round(len(tasks) / admitting, 1),
        "answers_per_second": round(len(pairs) / judging, 1),
        "with_loops": loops,
        "latency_ms": latency,
        "cpu_seconds_outside_containers": round(used, 2),
        "largest_worker_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        "supervisor_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _drafts(first: int, n_tasks: int) -> list[Draft]:
    return [_draft(_KINDS[n % len(_KINDS)], first + n) for n in range(n_tasks)]


def _draft(kind: str, n: int) -> Draft:
    program = f"def f(x):\n    total = {n}\n    for i in range(x):\n        total += i * i\n    return total"
    if kind == "induction":
        return Draft("python", kind, {"program": program, "inputs": ["3", "4", "5", "6"], "message": f"squares on {n}"})
    return Draft("python", kind, {"program": program, "input": "7"})


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


async def _with_loops(verifier: PythonVerifier, n_loops: int) -> dict[str, float]:
    """A fresh mix in which one answer in twenty never ends, counted without the CPU time that those burn by right."""
    n_tasks = max(3, 20 * n_loops // N_ANSWERS)
    tasks = await _admit(verifier, _drafts(1_000_000, n_tasks))
    pairs = [(task, _answer(task, n)) for task in tasks for n in range(N_ANSWERS)]
    induction = next(task for task in tasks if task.kind == "induction")
    endless = [(induction, Answer({"answer": text}, text)) for text in (_LOOP.format(n=n) for n in range(n_loops))]
    step = max(1, len(pairs) // max(1, n_loops))
    for position, pair in enumerate(endless):
        pairs.insert(position * step, pair)
    start = time.perf_counter()
    verdicts = await verifier.judge(pairs)
    wall = time.perf_counter() - start
    burnt = sum(verdict.seconds for verdict in verdicts if verdict.reason == "timeout")
    cores = len(os.sched_getaffinity(0))
    rest = max(wall - burnt / cores, 1e-9)
    answered = len(pairs) - n_loops
    return {
        "answers_per_second": round(answered / wall, 1),
        "answers_per_second_without_loop_cpu": round(answered / rest, 1),
        "loop_cpu_seconds": round(burnt, 2),
    }


async def _latency(verifier: PythonVerifier) -> dict[str, dict[str, float]]:
    """Of one call with one item, nothing else under way."""
    drafts = _drafts(2_000_000, 60)
    tasks, admitting, judging = [], [], []
    for draft in drafts:
        start = time.perf_counter()
        tasks += await _admit(verifier, [draft])
        admitting.append(time.perf_counter() - start)
    for task in tasks:
        start = time.perf_counter()
        await verifier.judge([(task, _answer(task, 1))])
        judging.append(time.perf_counter() - start)
    return {"admission": _percentiles(admitting), "judging": _percentiles(judging)}


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
