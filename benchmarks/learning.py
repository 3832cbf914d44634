"""Does self-play teach anything, and what of it matters: the full system against its controls, over several seeds.

    python benchmarks/learning.py [--arms full,no-gate,uniform,frozen,grammar,random-reward] [--seeds 1,2,3]
        [--minutes 30] [--jobs 1] [--processes 1] [--threads 1] [--suite heldout]
        [--out benchmarks/results/learning]

Every arm starts from the same model and plays for the same time, in --processes processes of --threads threads. Each
(arm, seed) leaves one JSON file in --out; those that are there already, made with the same settings and the same
weights of the model, are not played again, and a run that was cut off goes on where it was, so an experiment can be
spread over several evenings. Then all files are summed up: `summary.md` sets the arms side by side at equal time and at
equal generated tokens, with 95% intervals, `curves.svg` and `kinds.svg` draw them over time, and `play.svg` what they
played. Needs the extra `plot`.

Tune on `--suite dev` alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from experiment import play
from learning_plot import plot_kinds, plot_play

from azr_engine.engine.trained import load_trained
from azr_engine.evaluation.cache import weights_hash
from azr_engine.evaluation.compare import Arm, Budget, compare
from azr_engine.evaluation.compare_plot import plot

UNIFORM = ("--curriculum", "uniform")
NO_LEASH = ("--set", "trainer.kl_propose=0")
NO_LEASHES = (*NO_LEASH, "--set", "trainer.kl_solve=0")
NO_ANCHORS = ("--set", "play.anchors=0")
NO_REPLAY = ("--set", "play.replay=0")
UNPROTECTED = (*UNIFORM, *NO_LEASHES, *NO_ANCHORS, *NO_REPLAY, "--set", "play.propose_weight=1")
"""Self-play as first described: nothing but its own new tasks, no leash."""
ARMS: Mapping[str, tuple[str, ...]] = {
    "full": (),
    "no-gate": ("--no-gate",),
    "uniform": UNIFORM,
    "frozen": ("--proposer", "frozen"),
    "grammar": ("--proposer", "grammar"),
    "random-reward": ("--reward", "random"),
    "shuffled-reward": ("--reward", "shuffled"),
    "one-example": ("--proposer", "one-example"),
    "accuracy": ("--reward", "accuracy"),
    "naive": ("--no-gate", *UNPROTECTED),
    "gate-alone": UNPROTECTED,
    "no-anchors": NO_ANCHORS,
    "no-replay": NO_REPLAY,
    "no-leash": NO_LEASH,
    "no-leashes": NO_LEASHES,
    "no-leash-no-gate": (*NO_LEASH, "--no-gate"),
}
STANDARD = ("full", "no-gate", "uniform", "frozen", "grammar", "random-reward")


def summarise(out: Path) -> None:
    """`summary.md` and `curves.svg` from the result files in `out`."""
    results = [json.loads(file.read_text(encoding="utf-8")) for file in out.glob("*-*.json")]
    results.sort(key=lambda result: (list(ARMS).index(result["arm"]), result["seed"]))
    names = list(dict.fromkeys(result["arm"] for result in results))
    own = {name: [result for result in results if result["arm"] == name] for name in names}
    arms = [Arm(name, tuple(tuple(result["evals"]) for result in own[name])) for name in names]
    ks = sorted({1, results[0]["evals"][0]["attempts"]})
    budgets: tuple[Budget, ...] = ("seconds", "tokens")
    ends = {at: compare(arms, ks, at) for at in budgets}
    text = [
        "# Learning, against controls",
        "",
        f"Settings: `{json.dumps(results[0]['settings'])}`. Intervals are 95% bootstraps over tasks and seeds; "
        "scores are means over kinds, in per cent.",
        *_mixed(results),
        "",
        *(line for at in ends for line in _arms_table(ends[at], at, ks)),
        *_kinds_table(ends["seconds"]),
        *_play_table(own),
    ]
    (out / "summary.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    plot(ends["seconds"], out / "curves.svg")
    plot_kinds(arms, ks, out / "kinds.svg")
    plot_play(own, out / "play.svg")
    print("\n".join(text))


def _mixed(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings where results differ in their settings, in the version of the package, or in the machine."""
    warnings = []
    keys = sorted({key for result in results for key in result["settings"]})
    differing = [key for key in keys if len({json.dumps(result["settings"].get(key)) for result in results}) > 1]
    if differing:
        warnings += ["", f"**The settings above are {results[0]['arm']}'s; others differ in {', '.join(differing)}.**"]
    if {"minutes", "set"} & set(differing):
        warnings += [
            "",
            "**A run's step size falls towards the end of its minutes (`trainer.anneal`), which moves pass@k by points."
            " Arms whose minutes or settings differ are not compared fairly at equal time or tokens.**",
        ]
    for key, what, then in (
        ("code", "versions of the code", ""),
        ("machine", "machines", " At equal seconds these are compared as well; read the table at equal tokens."),
    ):
        found = sorted({result.get(key, "unknown") for result in results})
        if len(found) > 1:
            warnings += ["", f"**Played with {len(found)} {what}: {'; '.join(found)}.{then}**"]
    return warnings


def _arms_table(result: Mapping[str, Any], at: Budget, ks: Sequence[int]) -> list[str]:
    first = next(iter(result["arms"]))
    head = ["arm", "seeds", "steps", "tokens", *(f"pass@{k} | gain" for k in ks), f"pass@1, {first} minus it"]
    rows = [f"## At equal {at}", "", f"| {' | '.join(head)} |", "|---" * (4 + 2 * len(ks) + 1) + "|"]
    against = {found["arm"]: found for found in result["differences"] if found["k"] == 1}
    for name, arm in result["arms"].items():
        cells = [name, str(arm["runs"]), f"{arm['step']:.0f}", f"{arm['tokens']:.0f}"]
        for k in ks:
            found = arm["pass_at_k"][str(k)]
            cells += [f"{100 * found['value']:.1f}", _signed(found["gain"])]
        cells.append(_signed(_turned(against[name])) if name in against else "")
        rows.append(f"| {' | '.join(cells)} |")
    return [*rows, ""]


def _kinds_table(result: Mapping[str, Any]) -> list[str]:
    names = list(result["arms"])
    rows = ["## Gain in pass@1 by kind, at equal seconds", "", f"| kind | {' | '.join(names)} |"]
    rows.append("|---" * (len(names) + 1) + "|")
    for kind in result["arms"][names[0]]["by_kind"]:
        cells = [_signed(result["arms"][name]["by_kind"][kind]["1"]["gain"]) for name in names]
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    return [*rows, ""]


def _play_table(own: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What was played: unique skeletons, effective shares, and how hard the tasks were."""
    rows = [
        "## The tasks they played",
        "",
        "Unique: different (kind, skeleton) pairs among a step's tasks, over the run and in its worst ten steps. "
        "Effective: the domain's part of the tries that carried a gradient. Solve rates: part of the tasks at 0, to "
        "1/4, between, from 3/4, and at 1.",
        "",
        "| arm | domain | tasks per step | unique | worst unique | effective | solve rates |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, results in own.items():
        windows = [window["domains"] for result in results for window in result["windows"]]
        n_steps = sum(result["windows"][-1]["step"] for result in results)
        everything = sum(one["effective"] for window in windows for one in window.values())
        for domain in windows[0]:
            mine = [window[domain] for window in windows]
            admitted = sum(one["admitted"] for one in mine)
            rates = [one["unique_skeletons"] / one["admitted"] for one in mine if one["admitted"]]
            hist = [sum(one["solve_rates"][key] for one in mine) for key in mine[0]["solve_rates"]]
            cells = [
                name,
                domain,
                f"{admitted / max(1, n_steps):.1f}",
                f"{100 * sum(one['unique_skeletons'] for one in mine) / max(1, admitted):.0f}%",
                f"{100 * min(rates):.0f}%" if rates else "-",
                f"{100 * sum(one['effective'] for one in mine) / max(1, everything):.0f}%",
                " ".join(f"{100 * count / max(1, sum(hist)):.0f}%" for count in hist),
            ]
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _turned(difference: Mapping[str, Any]) -> dict[str, Any]:
    """The difference seen from the other side."""
    low, high = difference["ci95"]
    words = {"better": "worse", "worse": "better"}
    return {
        "value": 0.0 - difference["value"],
        "ci95": [0.0 - high, 0.0 - low],
        "verdict": words.get(difference["verdict"], difference["verdict"]),
    }


def _signed(found: Mapping[str, Any]) -> str:
    low, high = (100 * bound for bound in found["ci95"])
    return f"{100 * found['value']:+.1f} [{low:+.1f}, {high:+.1f}] {found['verdict']}"


def main() -> None:
    """Play what is missing, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", default=",".join(STANDARD), help=f"of {', '.join(ARMS)}")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--minutes", type=float, default=30.0, help="of play per run; evaluations come on top")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument(
        "--processes", type=int, default=1, help="of each run; two use two cores better than threads do"
    )
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--suite", default="heldout")
    parser.add_argument("--every", type=int, default=100, help="steps between evaluations")
    parser.add_argument("--domains", default="python,math")
    parser.add_argument("--model", default="azr-tiny")
    parser.add_argument("--set", action="append", default=[], help="a setting of every arm, as section.name=value")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/learning"))
    parser.add_argument("--work", type=Path, default=Path("runs/learning"), help="where the run directories go")
    parser.add_argument("--summary-only", action="store_true", help="play nothing, sum up what is there")
    arguments = parser.parse_args()
    names = [name.strip() for name in arguments.arms.split(",")]
    if unknown := [name for name in names if name not in ARMS]:
        parser.error(f"unknown arm {unknown[0]!r}; there are {', '.join(ARMS)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    settings = {
        key: getattr(arguments, key) for key in ("minutes", "threads", "suite", "every", "domains", "model", "set")
    }
    if arguments.processes > 1:
        settings["processes"] = arguments.processes
    if not arguments.summary_only:
        settings["weights"] = weights_hash(load_trained(arguments.model))[:16]
        runs = [(name, int(seed)) for seed in arguments.seeds.split(",") for name in names]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(
                pool.map(lambda run: play(run[0], ARMS[run[0]], run[1], settings, arguments.out, arguments.work), runs)
            )
    summarise(arguments.out)


if __name__ == "__main__":
    main()
