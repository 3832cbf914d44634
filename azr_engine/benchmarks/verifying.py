"""How many answers a second the built-in verifiers judge, each beside what the same check costs without them.

Python and math stand beside a fresh interpreter for every check, Lean beside a fresh server. Wall-clock time, since the
work is done in other processes: other work on the machine lowers both sides. Start of the workers is not counted.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from azr_engine.benchmarks.figures import Figure, times
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.types import Answer, Task

FRESH = 5
"""Fresh processes that a floor is the median of."""


def executor() -> list[Figure]:
    """Programs judged in the strongest tier that works, beside `python -c` each and `exec` without isolation."""
    from azr_engine.verifiers.python.bench import TIERS, run_bench
    from azr_engine.verifiers.python.executor import probe_tier

    tier = next((name for name in TIERS if name != "process" and probe_tier(name).works), None)
    if tier is None:
        raise UserError("no sandbox tier works here; see azr-engine doctor")
    found = run_bench([tier], n_tasks=60, n_loops=4)
    rates, floor, ceiling = found["tiers"][tier], found["floor"], found["ceiling"]
    answers, admissions = rates["answers_per_second"], rates["admissions_per_second"]
    return [
        times(f"answers, {tier}", answers, "1/s", "python -c for each", floor),
        times(f"answers, {tier}", answers, "1/s", "exec in this process", ceiling),
        times(f"admissions of 3 runs, {tier}", admissions, "1/s", "python -c for each run", floor / 3),
    ]


def math() -> list[Figure]:
    """Held-out tasks with their own answer and a wrong one, beside an interpreter that imports SymPy for each."""
    from azr_engine.evaluation.heldout import load_heldout
    from azr_engine.verifiers.math import gold_text

    tasks = [task for task in load_heldout() if task.domain == "math"][::4]
    texts = [(task, text) for task in tasks for text in (gold_text(task), f"{gold_text(task)}+1")]
    rate = asyncio.run(_judged("math", [(task, Answer({"answer": text}, text)) for task, text in texts]))
    return [times("answers", rate, "1/s", "python -c 'import sympy' for each", _fresh("import sympy"))]


def lean() -> list[Figure]:
    """Statements from the grammar with their own proofs, on warm servers, beside a fresh server for each."""
    rate, fresh = asyncio.run(_lean())
    return [times("proofs", rate, "1/s", "a fresh server for each", fresh)]


def _open(name: str) -> tuple[Domain, Verifier]:
    from azr_engine.engine.config import load_config
    from azr_engine.engine.session import choose_domains
    from azr_engine.plugins.manager import Plugins

    domains, verifiers = choose_domains(load_config(None, [], {"domains": [name]}), Plugins())
    return domains[name], verifiers[domains[name].verifier]


async def _judged(name: str, pairs: Sequence[tuple[Task, Answer]]) -> float:
    """Answers a second, after a first few that start the workers."""
    _, verifier = _open(name)
    try:
        await verifier.judge(pairs[:8])
        started = time.perf_counter()
        await verifier.judge(pairs)
        return len(pairs) / (time.perf_counter() - started)
    finally:
        await verifier.close()


async def _lean() -> tuple[float, float]:
    domain, verifier = _open("lean")
    try:
        seeds = (draft for draft in domain.seeds(random.Random(1)) if draft.kind == "prove")
        drafts = [next(iter(seeds)) for _ in range(60)]
        tasks = [(t, d) for t, d in zip(await verifier.admit(drafts), drafts, strict=True) if isinstance(t, Task)]
    finally:
        await verifier.close()
    pairs = [(task, Answer({"answer": draft.fields["proof"]}, draft.fields["proof"])) for task, draft in tasks]
    seconds = []
    for pair in pairs[:FRESH]:
        _, fresh = _open("lean")
        try:
            started = time.perf_counter()
            await fresh.judge([pair])
            seconds.append(time.perf_counter() - started)
        finally:
            await fresh.close()
    return await _judged("lean", pairs), 1 / statistics.median(seconds)


def _fresh(program: str) -> float:
    """Programs a second, each in an interpreter of its own."""
    seconds = []
    for _ in range(FRESH):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        seconds.append(time.perf_counter() - started)
    return 1 / statistics.median(seconds)
