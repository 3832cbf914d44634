"""`azr-engine judge`: tasks (or drafts) with answers in, verdicts out, as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from azr_engine.cli.lines import Line
    from azr_engine.engine.protocols import Domain, Verifier
    from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task

    Problem = Task | Draft | Malformed


def judge(
    domain: Annotated[str, typer.Option(help="Domain of the tasks.")],
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load.")] = None,
    sandbox: Annotated[str | None, typer.Option(help="auto, docker, gvisor, namespaces or process.")] = None,
    unsafe: Annotated[bool, typer.Option("--i-know-this-is-not-a-sandbox", help="Allow --sandbox process.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Accepted for uniformity; the output is always JSON.")] = True,
) -> None:
    """Judge answers from standard input, one JSON object per line, in order.

    Example: `echo '{"kind":"deduction","draft":{"program":"def f(x): return x+1","input":"3"},"answer":"4"}' |
    azr-engine judge --domain python`
    """
    import asyncio

    asyncio.run(_judge(domain, plugin or [], sandbox, unsafe))


async def _judge(name: str, plugins: Sequence[str], sandbox: str | None, unsafe: bool) -> None:
    from azr_engine.cli.lines import stream, text_field
    from azr_engine.cli.parts import domain_and_verifier

    async with domain_and_verifier(name, plugins=plugins, sandbox=sandbox, unsafe=unsafe) as (domain, verifier):

        def read(number: int, line: Line) -> tuple[Problem, str]:
            return _problem(domain, number, line), text_field(number, line, "answer")

        async def work(batch: Sequence[tuple[Problem, str]]) -> list[dict[str, Any]]:
            return await _judge_batch(domain, verifier, batch)

        await stream(read, work)


def _problem(domain: Domain, number: int, line: Line) -> Problem:
    """What a line asks about: a task, or a draft of one. Raises UserError naming the line."""
    from azr_engine.cli.lines import object_field, text_field
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.types import Task

    if "task" not in line:
        return domain.draft(text_field(number, line, "kind"), object_field(number, line, "draft"))
    try:
        task = Task.from_json(object_field(number, line, "task"))
    except (TypeError, ValueError) as error:
        raise UserError(f"line {number}: {error}") from None
    if task.domain != domain.name:
        raise UserError(f"line {number} is a task of the domain {task.domain!r}, not {domain.name!r}")
    return task


async def _judge_batch(
    domain: Domain, verifier: Verifier, batch: Sequence[tuple[Problem, str]]
) -> list[dict[str, Any]]:
    from azr_engine.engine.types import Answer, Task, Verdict

    tasks = await _tasks(verifier, [problem for problem, _ in batch])
    pairs: list[tuple[Task, Answer]] = []
    settled: list[Verdict | None] = []
    for task, (_, text) in zip(tasks, batch, strict=True):
        answer = _answer(domain, task, text) if isinstance(task, Task) else None
        if isinstance(task, Task) and isinstance(answer, Answer):
            pairs.append((task, answer))
            settled.append(None)
        elif answer is not None and not isinstance(answer, Answer):
            settled.append(Verdict("fail", 0.0, f"malformed: {answer.reason}", calls=0))
        else:
            settled.append(Verdict("fault", 0.0, f"draft rejected: {getattr(task, 'reason', '')}", calls=0))
    verdicts = iter(await verifier.judge(pairs) if pairs else [])
    return [(verdict or next(verdicts)).to_json() for verdict in settled]


async def _tasks(verifier: Verifier, problems: Sequence[Problem]) -> list[Task | Rejection | Malformed]:
    """The task of each problem, admitted where it is a draft; equal drafts are admitted once."""
    from azr_engine.engine.types import Draft, canonical_json

    keys = [canonical_json(problem.to_json()) if isinstance(problem, Draft) else "" for problem in problems]
    drafts = {key: problem for key, problem in zip(keys, problems, strict=True) if isinstance(problem, Draft)}
    # A verifier that can pose a task without its gold does: what is asked for here is a verdict alone.
    make = getattr(verifier, "pose", verifier.admit)
    admitted = dict(zip(drafts, await make(list(drafts.values())) if drafts else [], strict=True))
    return [
        admitted[key] if isinstance(problem, Draft) else problem for key, problem in zip(keys, problems, strict=True)
    ]


def _answer(domain: Domain, task: Task, text: str) -> Answer | Malformed:
    """The answer in `text`, bare or inside the chat format's tags."""
    from azr_engine.engine.solving import public
    from azr_engine.engine.styles import extract_answer, strip_fence

    tagged = extract_answer(text)
    return domain.parse_answer(public(task), {"answer": strip_fence(text if tagged is None else tagged)})
