"""`azr-engine admit`: drafts in, tasks or reasons out, as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def admit(
    domain: Annotated[str, typer.Option(help="Domain of the drafts.")],
    run: Annotated[Path | None, typer.Option(help="Run directory whose tasks count as duplicates.")] = None,
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load.")] = None,
    sandbox: Annotated[str | None, typer.Option(help="auto, docker, gvisor, namespaces or process.")] = None,
    unsafe: Annotated[bool, typer.Option("--i-know-this-is-not-a-sandbox", help="Allow --sandbox process.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Accepted for uniformity; the output is always JSON.")] = True,
) -> None:
    """Admit drafts from standard input, one JSON object per line, in order.

    Example: `echo '{"kind":"deduction","draft":{"program":"def f(x): return x+1","input":"3"}}' | azr-engine admit
    --domain python`
    """
    import asyncio

    asyncio.run(_admit(domain, run, plugin or [], sandbox, unsafe))


async def _admit(name: str, run: Path | None, plugins: Sequence[str], sandbox: str | None, unsafe: bool) -> None:
    from contextlib import ExitStack

    from azr_engine.cli.lines import Line, object_field, stream, text_field
    from azr_engine.cli.parts import domain_and_verifier
    from azr_engine.engine.rundir import RunDirectory
    from azr_engine.engine.store import TaskStore
    from azr_engine.engine.types import Draft, Malformed, Rejection, Task

    with ExitStack() as stack:
        store: TaskStore | None = None
        if run is not None:
            store = stack.enter_context(TaskStore(RunDirectory.open(run).tasks_path, read_only=True))
        async with domain_and_verifier(name, plugins=plugins, sandbox=sandbox, unsafe=unsafe) as (domain, verifier):

            def read(number: int, line: Line) -> Draft | Malformed:
                return domain.draft(text_field(number, line, "kind"), object_field(number, line, "draft"))

            async def work(drafts: Sequence[Draft | Malformed]) -> list[dict[str, Any]]:
                outcomes = iter(await verifier.admit([draft for draft in drafts if isinstance(draft, Draft)]))
                return [_line(draft if isinstance(draft, Malformed) else next(outcomes)) for draft in drafts]

            def _line(outcome: Malformed | Rejection | Task) -> dict[str, Any]:
                if isinstance(outcome, Malformed):
                    return {"admitted": False, "reason": "malformed", "detail": outcome.reason}
                if isinstance(outcome, Rejection):
                    return {"admitted": False, "reason": outcome.reason, "detail": outcome.detail}
                if store is not None and store.has(outcome.id):
                    return {"admitted": False, "reason": "duplicate", "detail": outcome.id}
                return {"admitted": True, "reason": "", "task": outcome.to_json()}

            await stream(read, work)
