"""How the task store answers as it grows: reference sampling, duplicate lookup, novelty lookup and one step's commit.

    python benchmarks/store_size.py [--tasks 1000000] [--attempts 10] [--folder runs/store]

Fills a store with made-up tasks, each with its tries, and stops at 1,000, 10,000, ... tasks to ask each question many
times. Prints medians and 99th percentiles in milliseconds, and the load average of the minute before each row.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from azr_engine.curriculum.novelty import NoveltyConfig, NoveltyGate
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Answer, Attempt, Completion, Task, Verdict, task_id

CELLS = [(domain, kind) for domain in ("python", "math") for kind in ("deduction", "abduction", "induction", "error")]
PER_STEP = 1000
N_QUESTIONS = 200
CAPACITY = 4096


def made_up(number: int, rng: random.Random) -> Task:
    """A task that looks like one of azr-tiny's."""
    domain, kind = CELLS[number % len(CELLS)]
    given = {"program": f"def f(x):\n return x*{number}+{number % 7}", "input": str(number % 99)}
    skeleton, signature = f"skeleton {rng.randrange(10**6)}", f"signature {rng.randrange(10**6)}"
    return Task(task_id(domain, kind, given), domain, kind, given, str(number % 97), skeleton, signature, draft=given)


def tried(task: Task, n: int, step: int, rng: random.Random) -> list[Attempt]:
    """Tries at a task with one solve rate."""
    rate = rng.random()
    texts = [str(rng.randrange(9)) for _ in range(n)]
    verdicts = [Verdict("pass", 1.0) if rng.random() < rate else Verdict("fail", 0.0, "differs") for _ in range(n)]
    completions = [Completion((1,), (2, 3, 4), (-0.5,) * 3, text, "stop", step) for text in texts]
    return [
        Attempt(task, completion, Answer({"value": text}, text), verdict, verdict.score)
        for text, completion, verdict in zip(texts, completions, verdicts, strict=True)
    ]


def timed(question: Callable[[], object], n: int = N_QUESTIONS) -> tuple[float, float]:
    """Median and 99th percentile of n calls, in milliseconds."""
    seconds = []
    for _ in range(n):
        started = time.perf_counter()
        question()
        seconds.append(time.perf_counter() - started)
    median, high = np.percentile(seconds, [50, 99])
    return 1000 * float(median), 1000 * float(high)


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--attempts", type=int, default=10, help="tries at each task")
    parser.add_argument("--folder", type=Path, default=Path("runs/store"))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    rng, gate, n_tasks, step = random.Random(1), NoveltyGate(NoveltyConfig()), 0, 0
    stops = [10**power for power in range(3, 12) if 10**power < options.tasks] + [options.tasks]
    print("| tasks | tries | size | references | known ids of 64 | novelty of 1 | commit of 1,000 tasks | load |")
    print("|---|---|---|---|---|---|---|---|")
    with TaskStore(options.folder / "tasks.sqlite") as store:
        for stop in stops:
            commits = []
            while n_tasks < stop:
                step += 1
                tasks = [made_up(n_tasks + n, rng) for n in range(min(PER_STEP, stop - n_tasks))]
                attempts = [a for task in tasks for a in tried(task, options.attempts, step, rng)]
                started = time.perf_counter()
                store.commit_step(step, tasks, [], attempts, capacity=CAPACITY)
                commits.append(time.perf_counter() - started)
                n_tasks += len(tasks)
            asked = [made_up(rng.randrange(2 * n_tasks), rng).id for _ in range(64)]  # about half of them known
            for domain, kind in CELLS:
                newest = store.tasks(domain, kind, NoveltyConfig().window, newest_first=True)
                gate.restore(domain, kind, ((task, 0.5, 1) for task in newest))
            figures = [
                timed(lambda: store.references("python", "deduction", 3, rng)),
                timed(partial(store.known_ids, asked)),
                timed(lambda: gate.admit(made_up(rng.randrange(10**9), rng))),
            ]
            size = sum(file.stat().st_size for file in options.folder.iterdir()) / 2**20
            cells = [f"{median:.2f} (99%: {high:.2f}) ms" for median, high in figures]
            last = 1000 * float(np.median(commits[-20:]))
            row = [f"{n_tasks:,}", f"{n_tasks * options.attempts:,}", f"{size:,.0f} MiB", *cells, f"{last:.0f} ms"]
            row.append(f"{os.getloadavg()[0]:.1f}")
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
