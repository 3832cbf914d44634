"""Two domains that cannot be learned, as a plugin: `hopeless`, whose tasks nobody solves, and `obvious`, which anybody
does. Their tasks are proposed, admitted and tried as Python's are; only the verdict on an answer is always the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.config import RunConfig
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.types import PASS, Answer, Prompt, Task, Verdict
from azr_engine.plugins import hookimpl
from azr_engine.verifiers.python.executor import choose_executor
from azr_engine.verifiers.python.requests import Executor
from azr_engine.verifiers.python.verifier import PythonVerifier

VERDICTS = {"hopeless": Verdict("fail", 0.0), "obvious": PASS}


class StuckDomain(PythonDomain):
    """Python's tasks under another name; the model reads that they are Python's."""

    def __init__(self, name: str) -> None:
        self.name = self.verifier = name

    def propose_prompt(self, kind: str, references: Sequence[Task]) -> Prompt:
        """As for the domain `python`."""
        return replace(super().propose_prompt(kind, references), domain="python")

    def solve_prompt(self, task: Task) -> Prompt:
        """As for the domain `python`."""
        return replace(super().solve_prompt(task), domain="python")


class StuckVerifier(PythonVerifier):
    """Admits what Python's verifier admits, and says the same of every answer."""

    def __init__(self, name: str, executor: Executor) -> None:
        super().__init__(executor)
        self.name = name

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """The domain's one verdict, whatever was answered."""
        return [VERDICTS[self.name] for _ in pairs]


@hookimpl
def azr_domains(config: RunConfig) -> list[Domain]:
    """Those of the two that the run plays."""
    return [StuckDomain(name) for name in VERDICTS if name in config.domains]


@hookimpl
def azr_verifiers(config: RunConfig) -> list[Verifier]:
    """Their verifiers, in the configured sandbox."""
    own = config.sandbox
    return [
        StuckVerifier(name, choose_executor(own.tier, workers=own.workers, fallback=own.fallback))
        for name in VERDICTS
        if name in config.domains
    ]
