"""How fast Lean proofs are checked, and how a Lean other than the embedded one does on the corpora: prints tables.

    python benchmarks/lean.py [--workers W] [--repeat N]            throughput, latency, memory, limits
    python benchmarks/lean.py --corpus [--backend toolchain]        the test corpora on that Lean

Targets: 25 checks per second on two quiet cores, under 0.3 s for a single check with a fresh server, and a proof that
loops stopped at its limit with the server alive. Checks per second of CPU time are what a
core does when nothing else runs; other work on the machine disturbs them less than wall time.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from azr_engine.verifiers.lean.backends import LeanPool, open_backend
from azr_engine.verifiers.lean.checking import Checker, Goal, Limits
from azr_engine.verifiers.lean.config import LeanConfig
from azr_engine.verifiers.lean.link import Server

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.verifiers.lean.corpus_bad import BAD
from tests.verifiers.lean.corpus_cheats import ALONE, BEFORE_OURS
from tests.verifiers.lean.corpus_good import GOOD, LOGIC

ENDLESS = (
    ": (Nat.rec (motive := fun _ => Nat → Nat) (fun x => x + 1) (fun _ f x => f (f x)) 40 : Nat → Nat) 0 = 0",
    "by decide +kernel",
)


def cpu_seconds() -> float:
    """CPU time of this process, without its workers."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


async def speed(workers: int | None, repeat: int) -> None:
    """Latency of one check, throughput of many, and what a loop costs."""
    config = LeanConfig()
    cold: list[float] = []
    for _ in range(3):
        pool = open_backend(config, workers=1)
        started = time.perf_counter()
        await pool.check(*LOGIC[0][1:])
        cold.append(time.perf_counter() - started)
        started = time.perf_counter()
        await pool.check(LOGIC[1][1], "fun h => And.intro h.2 h.1")
        warm = time.perf_counter() - started
        await pool.close()
    pool = open_backend(config, workers=workers)
    await pool.check_files([[Goal(statement, proof)] for _, statement, proof in LOGIC])
    files = [[Goal(statement, proof)] for _, statement, proof in LOGIC] * repeat
    started, used = time.perf_counter(), cpu_seconds()
    verdicts = await pool.check_files(files)
    seconds = time.perf_counter() - started
    spent = sum(verdict.seconds for verdict in verdicts)
    peak = max(server.peak_mb for server in pool._servers)
    await pool.close()
    used = cpu_seconds() - used
    print(f"{'one check, fresh server':34}{min(cold):10.3f} s")
    print(f"{'one check, warm server':34}{warm:10.3f} s")
    print(f"{'checks':34}{len(files):10}   {dict(Counter(v.status for v in verdicts))}, {pool.n_workers} workers")
    print(f"{'checks/s, wall':34}{len(files) / seconds:10.1f}")
    print(f"{'checks/s of Lean processes, CPU':34}{len(files) / spent:10.1f}")
    print(f"{'checks/s of our own process, CPU':34}{len(files) / used:10.1f}")
    print(f"{'peak resident memory of a check':34}{peak:10} MiB, most of it shared with its server")
    await sharing(repeat)
    await loops()


async def sharing(repeat: int) -> None:
    """CPU time of a check by what checks share: nothing, the imports (as built), or a whole process and environment."""
    pool = open_backend(LeanConfig(), workers=1)
    alone = [[Goal(statement, proof)] for _, statement, proof in LOGIC]
    together = [Goal(statement, proof, f"goal_{i}") for i, (_, statement, proof) in enumerate(LOGIC)]

    def ways(checker: Checker, server: Server, files: list[list[Goal]]) -> dict[str, float]:
        reading = Checker(checker.installation, replace(checker._header, snapshot=None), checker._kernels)
        seconds = {"imports read by each check": 0.0, "imports read once, as built": 0.0, "one process for all": 0.0}
        for round_ in range(repeat + 1):
            for goals in files:
                slow, quick = (each.check(server, goals, pool.limits).seconds for each in (reading, checker))
                if round_:  # the first round compiles the statements
                    seconds["imports read by each check"] += slow
                    seconds["imports read once, as built"] += quick
            if round_:
                seconds["one process for all"] += checker.check(server, together, pool.limits).seconds
            else:
                checker.check(server, together, pool.limits)
        return seconds

    (seconds,) = await pool.run(ways, [alone])
    await pool.close()
    built = seconds["imports read once, as built"]
    for way, spent in seconds.items():
        each = 1000 * spent / (repeat * len(alone))
        print(f"{way:34}{each:10.1f} ms of CPU for each check, {spent / built:.2f} of what is built")


async def loops() -> None:
    """A proof that never ends, between two that do."""
    pool = open_backend(LeanConfig(), workers=1)
    limits = Limits(cpu_seconds=1.0, heartbeats=10**9)
    for name, statement, proof in (
        ("before", ": True", "trivial"),
        ("endless", *ENDLESS),
        ("after", ": True", "trivial"),
    ):
        started = time.perf_counter()
        verdict = await pool.check(statement, proof, limits=limits)
        seconds = time.perf_counter() - started
        print(f"{name:34}{seconds:10.3f} s   {verdict.status} {verdict.reason} ({verdict.seconds:.2f} s of CPU)")
    await pool.close()


async def corpus(backend: str, workers: int | None) -> None:
    """What a Lean says of the corpora: all good ones must pass, all others fail."""
    config = LeanConfig(backend="toolchain" if backend == "toolchain" else "embedded", cpu_seconds=60)
    alone = {
        "good": [[Goal(statement, proof)] for _, statement, proof in GOOD],
        "bad": [[Goal(statement, proof)] for statement, proof, _ in BAD],
        "cheats": [[Goal(statement, proof)] for _, statement, proof in ALONE],
        "cheats before ours": [
            [Goal(": True", text, free=True), Goal(ours, proof, "instance_1")] for _, text, ours, proof in BEFORE_OURS
        ],
    }
    for lint in (True, False):
        found = open_backend(config, workers=workers)
        pool = LeanPool(found.name, found._find, workers=workers, limits=found.limits, lint=lint)
        for name, files in alone.items():
            verdicts = await pool.check_files(files)
            print(
                f"lint {'on ' if lint else 'off'}  {name:20}{len(files):5}  {dict(Counter(v.status for v in verdicts))}"
            )
            for goals, verdict in zip(files, verdicts, strict=True):
                if (verdict.status == "pass") != (name == "good"):
                    print(f"    {goals[-1].statement}  {goals[-1].proof!r}: {verdict.status} {verdict.reason}")
        await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=None, help="Lean servers; default one per core")
    parser.add_argument("--repeat", type=int, default=10, help="times the 23 propositional proofs are checked")
    parser.add_argument("--corpus", action="store_true", help="run the test corpora instead")
    parser.add_argument("--backend", choices=("embedded", "toolchain"), default="embedded", help="for --corpus")
    options = parser.parse_args()
    asyncio.run(corpus(options.backend, options.workers) if options.corpus else speed(options.workers, options.repeat))


if __name__ == "__main__":
    main()
