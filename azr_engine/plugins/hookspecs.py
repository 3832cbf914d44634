"""The hooks a plugin may implement. A plugin is a module: take the hooks you need by name.

from azr_engine.plugins import hookimpl

@hookimpl
def azr_domains(config):
    return [MyDomain()]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pluggy

from azr_engine.engine.types import Alarm, Attempt, Draft, Drop, Episode, Event, Refusal

if TYPE_CHECKING:
    import typer

    from azr_engine.curriculum.protocol import Curriculum
    from azr_engine.engine.config import RunConfig
    from azr_engine.engine.protocols import Domain, Verifier
    from azr_engine.engine.rewards import RewardRule

PROJECT = "azr_engine"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

AlarmAction = Literal["continue", "pause", "halt"]


@hookspec
def azr_domains(config: RunConfig) -> Sequence[Domain]:  # type: ignore[empty-body]
    """Domains this plugin brings. Called once at start; must be cheap.

    >>> @hookimpl
    ... def azr_domains(config):
    ...     return []
    """


@hookspec
def azr_verifiers(config: RunConfig) -> Sequence[Verifier]:  # type: ignore[empty-body]
    """Verifiers this plugin brings. Called once at start; start workers at first use, not here.

    >>> @hookimpl
    ... def azr_verifiers(config):
    ...     return []
    """


@hookspec
def azr_rewards() -> Sequence[RewardRule]:  # type: ignore[empty-body]
    """Reward rules by name, for `--reward`.

    >>> @hookimpl
    ... def azr_rewards():
    ...     return []
    """


@hookspec
def azr_curricula() -> Mapping[str, Callable[[], Curriculum]]:  # type: ignore[empty-body]
    """Curricula by name, for `--curriculum`: each value makes a fresh one.

    >>> @hookimpl
    ... def azr_curricula():
    ...     return {}
    """


@hookspec
def azr_screen_draft(draft: Draft) -> Refusal | None:
    """May refuse a draft before any verifier sees it. Fails closed: an exception refuses the draft.

    >>> @hookimpl
    ... def azr_screen_draft(draft):
    ...     return Refusal("too long") if len(str(draft.fields)) > 10_000 else None
    """


@hookspec
def azr_bonus(attempt: Attempt) -> float | None:
    """How good a right answer is beside being right, from 0 to 1; None where the plugin has no opinion.

    Asked of tries that passed, and of no others. The mean of the plugins' opinions adds at most a fifth of what
    separates right from wrong to the try's reward; proposers and verdicts do not hear of it. An exception, or anything
    but a number from 0 to 1, counts as 0. The answer is a model's text: read it, never run it.

    >>> @hookimpl
    ... def azr_bonus(attempt):
    ...     return 1.0 if len(attempt.completion.ids) < 200 else 0.0
    """


@hookspec
def azr_gate_group(episode: Episode) -> Drop | None:
    """May keep a judged group out of the update. Fails closed: an exception drops the group.

    >>> @hookimpl
    ... def azr_gate_group(episode):
    ...     return Drop("too few tries") if len(episode.scored) < 2 else None
    """


@hookspec
def azr_observe(event: Event) -> None:
    """Sees what happens. Its exceptions are logged and swallowed, and what it returns is ignored.

    >>> @hookimpl
    ... def azr_observe(event):
    ...     print(event.name, event.step)
    """


@hookspec
def azr_on_alarm(alarm: Alarm) -> AlarmAction | None:
    """Decides what an alarm does: `continue`, `pause` or `halt`; the strictest answer wins.

    >>> @hookimpl
    ... def azr_on_alarm(alarm):
    ...     return "pause" if alarm.severity == "critical" else None
    """


@hookspec
def azr_cli(app: typer.Typer) -> None:
    """Adds commands to `azr-engine`.

    >>> @hookimpl
    ... def azr_cli(app):
    ...     app.command("hello")(lambda: print("hello"))
    """
