"""Programs a second per sandbox tier: `python benchmarks/executor.py [--json] [--tasks N] [--loops N] [TIER...]`."""

from __future__ import annotations

import argparse
import json

from azr_engine.verifiers.python.bench import TIERS, run_bench, table


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


if __name__ == "__main__":
    main()
