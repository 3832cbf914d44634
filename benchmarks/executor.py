"""Programs a second per sandbox tier: `python benchmarks/executor.py [--json] [--tasks N] [--loops N] [TIER...]`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from azr_engine.verifiers.python.bench import run_bench

TIERS = ("namespaces", "process", "docker", "gvisor")


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tiers", nargs="*", metavar="TIER", help=f"of {', '.join(TIERS)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--tasks", type=int, default=240, help="tasks in the natural mix, eight answers each")
    parser.add_argument("--loops", type=int, default=40, help="endless answers among twenty times as many")
    arguments = parser.parse_args()
    results = run_bench(arguments.tiers or TIERS, n_tasks=arguments.tasks, n_loops=arguments.loops)
    print(json.dumps(results, indent=2) if arguments.json else table(results))


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


if __name__ == "__main__":
    main()
