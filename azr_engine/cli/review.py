"""`azr-engine review`: what waits for a person, and the person's word on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.oversight.review import Item


def review(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    approve: Annotated[
        str | None, typer.Option(help="Let the run go on after the alarm of this id, or `all` that wait.")
    ] = None,
    reject: Annotated[
        str | None, typer.Option(help="Keep the run from going on after the alarm of this id, or `all` that wait.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    last: Annotated[int, typer.Option(help="Steps whose texts are read again.", min=1)] = 200,
    show: Annotated[int, typer.Option(help="Flagged texts to show.", min=0)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the alarms that paused a run, the texts that the monitor flags and the drift of proposals; or decide.

    Examples: `azr-engine review runs/first`, then `azr-engine review runs/first --approve all --note "read, harmless"`
    and `azr-engine run --resume --out runs/first`
    """
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.oversight.review import ReviewQueue

    directory = RunDirectory.open(run)
    queue = ReviewQueue(directory.path)
    if approve is not None and reject is not None:
        raise UserError("either --approve or --reject, one at a time")
    decided: list[Item] = []
    if approve is not None:
        decided = queue.decide(approve, "approve", note)
    elif reject is not None:
        decided = queue.decide(reject, "reject", note)
    if decided:
        _say(decided, as_json)
        return
    items = queue.items()
    result: dict[str, Any] = {
        "waiting": sum(item.decision is None for item in items),
        "alarms": [item.to_json() for item in items],
        **_look(directory, last, show),
    }
    if as_json:
        print(json.dumps(result))
    else:
        _print(run, result)


def _say(decided: list[Item], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"decided": [item.to_json() for item in decided]}))
        return
    for item in decided:
        print(f"{item.id} {item.alarm.name}: {'approved' if item.decision == 'approve' else 'rejected'}")


def _look(run: RunDirectory, last: int, show: int) -> dict[str, Any]:
    """The newest flagged texts and the drift by domain and kind, from the task store."""
    from azr_engine.engine.config import load_config
    from azr_engine.engine.store import TaskStore
    from azr_engine.oversight.inspector import drifts, flagged_texts, proposal_words

    if not run.tasks_path.is_file():
        return {"flagged": [], "drift": {}}
    window = load_config(run.config_path).oversight.drift_window
    with TaskStore(run.tasks_path, read_only=True) as store:
        end = store.last_step
        flagged = flagged_texts(store, range(max(1, end - last + 1), end + 1), show)
        found = drifts(lambda step: proposal_words(store, step), end, window) if end >= 2 * window else {}
    return {
        "flagged": [{**one, "score": one["score"].to_json()} for one in flagged],
        "drift": {"/".join(cell): round(bits, 4) for cell, bits in sorted(found.items())},
    }


def _print(run: Path, result: Mapping[str, Any]) -> None:
    from rich.console import Console

    from azr_engine.report.visible import one_line

    console = Console()

    def line(text: str) -> None:
        console.print(one_line(text, 400), soft_wrap=True, highlight=False, markup=False)

    if not result["alarms"]:
        line("no alarm has paused this run")
    for item in result["alarms"]:
        alarm, word = item["alarm"], item["decision"]
        state = "waits" if word is None else f"{'approved' if word == 'approve' else 'rejected'} {item['note']}".strip()
        line(f"{item['id']} step {alarm['step']} {alarm['name']}: {alarm['message']} [{state}]")
    for one in result["flagged"]:
        score = one["score"]["monitor_score"]
        head = f"flagged {score} in step {one['step']}, {one['role']}, {', '.join(one['flags'])}"
        line(f"{head}{': task ' + one['task'] if one['task'] else ''}: {one['excerpt']}")
    if not result["flagged"]:
        line("the monitor flags none of the texts that were read")
    for cell, bits in result["drift"].items():
        line(f"drift of proposals, {cell}: {bits:.3f} bits")
    if result["waiting"]:
        line(f"go on with: azr-engine review {run} --approve all, then azr-engine run --resume --out {run}")
