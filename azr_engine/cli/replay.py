"""`azr-engine replay`: the answers of a run, judged again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig
    from azr_engine.engine.protocols import Verifier
    from azr_engine.engine.rewards import RewardRule
    from azr_engine.evaluation.replay import Flip


def replay(
    run: Annotated[Path, typer.Argument(help="Run directory; the run may still be going on.")],
    verifier: Annotated[
        str | None, typer.Option(help="Who judges now: a verifier by its name; default: as the run's settings say.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="Judge these domains alone, separated by commas; default: all.")
    ] = None,
    steps: Annotated[str | None, typer.Option(help="Steps from A to B, as A:B; default: all.")] = None,
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another setting of the run's, such as judge.*, for the verifiers."),
    ] = None,
    show: Annotated[int, typer.Option(help="Flips to print; all go to --out.", min=0)] = 20,
    out: Annotated[Path | None, typer.Option(help="Write every flip into this file, one JSON object a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures and flips as JSON.")] = False,
) -> None:
    """Judge every recorded answer again, list the verdicts that flip, and say what the advantages would have been.

    Example: `azr-engine replay runs/first --verifier strict --plugin strict.py --domain python --out flips.jsonl`
    """
    import asyncio

    asyncio.run(_replay(run, verifier, domain, steps, plugin or [], set_ or [], show, out, as_json))


async def _replay(
    folder: Path,
    name: str | None,
    domain: str | None,
    steps: str | None,
    plugins: list[str],
    settings: list[str],
    show: int,
    out: Path | None,
    as_json: bool,
) -> None:
    from contextlib import AsyncExitStack

    from azr_engine.engine.config import load_config
    from azr_engine.engine.durable import storage_errors
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.engine.store import TaskStore
    from azr_engine.evaluation.replay import Replayer

    run = RunDirectory.open(folder)
    config = load_config(run.config_path, settings)
    async with AsyncExitStack() as stack:
        rule, verifiers = _parts(config, name, domain, plugins)
        for one in {id(one): one for one in verifiers.values()}.values():
            stack.push_async_callback(one.close)
        store = stack.enter_context(TaskStore(run.tasks_path, read_only=True))
        replayer = Replayer(store, config, rule, verifiers)
        shown: list[Flip] = []
        with storage_errors(out or folder):
            file = stack.enter_context(out.open("w", encoding="utf-8")) if out else None
            for step in _steps(steps, store.last_step):
                flips = await replayer.step(step)
                shown += flips[: max(0, show - len(shown))]
                if file:
                    file.writelines(json.dumps(flip.to_json()) + "\n" for flip in flips)
        result = {
            "run": str(folder),
            "verifiers": {part: one.name for part, one in sorted(verifiers.items())},
            **replayer.found.to_json(),
        }
    if as_json:
        print(json.dumps({**result, "flips": [flip.to_json() for flip in shown]}))
    else:
        _print(result, shown)


def _parts(
    config: RunConfig, name: str | None, domain: str | None, plugins: list[str]
) -> tuple[RewardRule, dict[str, Verifier]]:
    """The run's reward rule, and who judges each domain now. Raises UserError for what is unknown."""
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.session import choose_domains
    from azr_engine.plugins.manager import Plugins

    loaded = Plugins([*config.plugins, *(item for item in plugins if item not in config.plugins)])
    domains, own = choose_domains(config, loaded)
    wanted = [part.strip() for part in domain.split(",")] if domain else list(domains)
    for part in wanted:
        if part not in domains:
            raise UserError(f"the run plays no domain {part!r}; its domains: {', '.join(domains)}")
    if name is None:
        verifiers = {part: own[domains[part].verifier] for part in wanted}
    else:
        known = loaded.verifiers(config)
        if name not in known:
            raise UserError(f"unknown verifier {name!r}; known: {', '.join(sorted(known))}")
        verifiers = dict.fromkeys(wanted, known[name])
    return loaded.reward(config.play.reward), verifiers


def _steps(text: str | None, last: int) -> range:
    from azr_engine.engine.errors import UserError

    if text is None:
        return range(1, last + 1)
    first, colon, end = text.partition(":")
    if not colon or not all(part.isascii() and part.isdigit() for part in (first, end) if part):
        raise UserError(f"--steps {text!r} is not of the form A:B, such as 10:20")
    return range(max(1, int(first or 1)), min(last, int(end or last)) + 1)


def _print(result: Mapping[str, Any], flips: list[Flip]) -> None:
    from rich.table import Table

    from azr_engine.cli.tables import table_console
    from azr_engine.report.visible import one_line

    console = table_console()
    names = ", ".join(f"{domain} by {verifier}" for domain, verifier in result["verifiers"].items())
    changes = sorted({change for counts in result["by_kind"].values() for change in counts})
    table = Table("kind", "tries", *changes, title=f"judged again: {names}")
    for kind, counts in result["by_kind"].items():
        table.add_row(kind, str(sum(counts.values())), *(str(counts.get(change, 0)) for change in changes))
    console.print(table)
    for flip in flips:
        before, after = flip.before, flip.after
        line = (
            f"step {flip.step} {flip.domain}/{flip.kind} {flip.task}: {before['status']} -> {after['status']} "
            f"({one_line(str(after['reason'] or before['reason']), 60)}), advantage {before['advantage']:+.2f} -> "
            f"{after['advantage']:+.2f}: {one_line(flip.answer, 60)}"
        )
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    moved = result["advantages"]
    console.print(
        f"{result['flipped']} of {result['tries']} verdicts flip; {moved['moved']} advantages would have been others, "
        f"{moved['turned']} of the other sign; groups that carry a gradient: {moved['groups_before']} -> "
        f"{moved['groups_after']}; {result['proposals_repaid']} proposals would have been paid otherwise",
        soft_wrap=True,
        highlight=False,
    )
