"""The domain `haiku`: `domain.py` says what a task is, `judge.py` who judges it, and this registers both."""

from __future__ import annotations

from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Verifier
from azr_engine.plugins import hookimpl
from azr_judge_haiku.domain import Haiku
from azr_judge_haiku.judge import chat, on_probation

__all__ = ["Haiku", "chat", "on_probation"]


@hookimpl
def azr_domains(config: RunConfig) -> list[Haiku]:
    """The domain."""
    return [Haiku()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """Its verifier; nothing is asked of the judge before the first answer."""
    return [on_probation(chat(), config.judge.trust, config.seed)]
