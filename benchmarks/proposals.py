"""How varied and how sound a model's proposals are, before any training.

    python benchmarks/proposals.py [--model azr-tiny] [--n 256] [--seed 0] [--set NAME=VALUE] [--json]

For each domain, `n` proposals spread evenly over its kinds, with grammar seeds as references: the share that is well
formed, the share admitted, and the number of distinct skeletons per proposal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from azr_engine.engine.config import RunConfig, load_config
from azr_engine.engine.randomness import derived_rng
from azr_engine.engine.session import open_session, set_up
from azr_engine.engine.types import Malformed, Task
from azr_engine.plugins.manager import Plugins


async def measure(config: RunConfig, n: int, seed: int) -> dict[str, dict[str, float]]:
    """Shares by domain, from a fresh store in a temporary run directory."""
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with open_session(set_up(config, Plugins()), Path(folder) / "run", resume=False) as loop:
            await loop.play(lambda metrics: None)
            for name, domain in loop.parts.domains.items():
                each, rest = divmod(n, len(domain.kinds))
                plan = {(name, kind): each + (number < rest) for number, kind in enumerate(domain.kinds)}
                proposed = loop.parts.proposer.propose(plan, derived_rng(seed, 0, name), seed)
                settled = await loop.parts.proposer.admit(proposed, step=1)
                tasks = [p.outcome for p in settled if isinstance(p.outcome, Task)]
                result[name] = {
                    "well_formed": sum(not isinstance(p.outcome, Malformed) for p in settled) / n,
                    "admitted": len(tasks) / n,
                    "distinct_skeletons": len({task.skeleton for task in tasks}) / n,
                }
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="azr-tiny")
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="a setting of the run, such as play.temperature=0.7")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    config = load_config(None, arguments.set, {"model.name": arguments.model, "steps": 0})
    result = asyncio.run(measure(config, arguments.n, arguments.seed))
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'domain':10} {'well formed':>12} {'admitted':>10} {'distinct skeletons':>20}")
    for name, shares in result.items():
        cells = [f"{100 * shares[key]:.1f}%" for key in ("well_formed", "admitted", "distinct_skeletons")]
        print(f"{name:10} {cells[0]:>12} {cells[1]:>10} {cells[2]:>20}")


if __name__ == "__main__":
    main()
