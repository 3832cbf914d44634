"""What a third domain that cannot be learned costs the other two: real runs, beside one without it.

    python benchmarks/balance.py [--steps 100] [--seeds 1] [--curriculum balanced] [--out benchmarks/results/balance.md]

Plays python and math alone, then with `hopeless`, whose tasks nobody solves, and with `obvious`, which anybody does
(`stuck_domains.py`), everything else as shipped. Effective tries are those that carry a gradient; they are counted per
step over all of a run, the first steps included, in which nothing is known of the third domain. The other two should
keep nine tenths of theirs, and the third its floor of proposals. Counts per step do not depend on the machine's speed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PLUGIN = Path(__file__).with_name("stuck_domains.py")
LEARNABLE = ("python", "math")
THIRDS = ("hopeless", "obvious")
BLOCK, N_BOOTSTRAPS = 10, 4000

Lines = list[dict[str, Any]]


def play(folder: Path, domains: Sequence[str], options: Sequence[str]) -> Lines:
    """The metrics of a run, played unless it is there; one that was cut off goes on."""
    again = ["--resume"] if (folder / "config.resolved.toml").exists() else []
    command = ["run", "--domains", ",".join(domains), "--plugin", str(PLUGIN), "--out", str(folder), *again, *options]
    print("playing: azr-engine", " ".join(command), flush=True)
    subprocess.run([sys.executable, "-m", "azr_engine", *command], check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def total(line: Mapping[str, Any], domains: Sequence[str], key: str) -> float:
    """A figure of one step, summed over domains."""
    return float(sum(line["domains"][name][key] for name in domains))


def kept(alone: Sequence[Lines], beside: Sequence[Lines]) -> tuple[float, float, float]:
    """The learnable domains' effective tries beside a third domain, over those without it, and a 95% interval.

    The interval is a bootstrap over blocks of `BLOCK` steps, since neighbouring steps are alike.
    """
    rng = np.random.default_rng(0)
    sums = [[total(line, LEARNABLE, "effective") for run in runs for line in run] for runs in (beside, alone)]
    means = [[np.mean(one[n : n + BLOCK]) for n in range(0, len(one), BLOCK)] for one in sums]
    drawn = [rng.choice(one, (N_BOOTSTRAPS, len(one))).mean(axis=1) for one in means]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return float(np.mean(sums[0]) / np.mean(sums[1])), float(low), float(high)


def row(name: str, alone: Sequence[Lines], runs: Sequence[Lines]) -> str:
    """One third domain's line of the table."""
    lines = [line for run in runs for line in run]
    late = [line for run in runs for line in run[len(run) // 2 :]]

    def share(key: str) -> str:
        return f"{100 * sum(total(r, [name], key) for r in late) / sum(total(r, r['domains'], key) for r in late):.1f}%"

    value, low, high = kept(alone, runs)
    starved = [line["step"] for line in lines if "starvation" in line["alarms"]]
    cells = [
        name,
        f"{100 * value:.1f}% [{100 * low:.1f}, {100 * high:.1f}]",
        *(share(key) for key in ("proposed", "anchored", "replayed")),
        ", ".join(map(str, starved)) or "never",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Play what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--curriculum", default="balanced")
    parser.add_argument("--set", action="append", default=[], help="a setting of every run, as section.name=value")
    parser.add_argument("--work", type=Path, default=Path("runs/balance"), help="where the run directories go")
    parser.add_argument("--out", type=Path, help="a file for the table as well")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    options = ["--steps", str(arguments.steps), "--curriculum", arguments.curriculum]
    options += [part for one in arguments.set for part in ("--set", one)]

    def runs(*third: str) -> list[Lines]:
        names, work = (*LEARNABLE, *third), arguments.work
        return [play(work / f"{'-'.join(names)}-{s}", names, ["--seed", str(s), *options]) for s in seeds]

    alone = runs()
    text = "\n".join(
        [
            "# A third domain that cannot be learned",
            "",
            f"Curriculum `{arguments.curriculum}`, {arguments.steps} steps, seeds {arguments.seeds}"
            f"{''.join(f', {one}' for one in arguments.set)}. Kept: effective tries of python and math per step, over "
            "those of a run without the third domain, with a 95% interval. Shares are the third domain's in the second "
            "half of the run.",
            "",
            "| third domain | kept | of proposals | of anchors | of replayed tasks | starvation alarm in step |",
            "|---|---|---|---|---|---|",
            *(row(name, alone, runs(name)) for name in THIRDS),
        ]
    )
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
