"""Debate as a judge (`judge.py`), and a domain on which one can see what it is worth (`domain.py`)."""

from __future__ import annotations

from azr_debate.domain import Chain, chat, on_probation
from azr_debate.judge import DebateJudge
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Verifier
from azr_engine.plugins import hookimpl

__all__ = ["Chain", "DebateJudge", "chat", "on_probation"]


@hookimpl
def azr_domains(config: RunConfig) -> list[Chain]:
    """The domain."""
    return [Chain()]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """Its verifier; no model is asked before the first answer."""
    return [on_probation(chat(), config)]
