"""What the loop drives, built by the session and handed over as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from azr_engine.curriculum.anchors import Anchors
from azr_engine.curriculum.novelty import NoveltyGate
from azr_engine.curriculum.protocol import Cell, Curriculum
from azr_engine.curriculum.quarantine import Quarantine
from azr_engine.curriculum.watch import Watch
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.protocols import Domain, Policy, Verifier
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.solving import Solver
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Alarm, Attempt, Drop, Episode, Event
from azr_engine.trainer.protocol import Trainer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop drives. `cells` are the (domain, kind) pairs to play; the last four are the plugins' voices."""

    domains: Mapping[str, Domain]
    cells: Sequence[Cell]
    verifiers: Mapping[str, Verifier]
    policy: Policy
    trainer: Trainer
    curriculum: Curriculum
    anchors: Anchors
    reward: RewardRule
    proposer: Proposer
    solver: Solver
    store: TaskStore
    novelty: NoveltyGate
    quarantine: Quarantine
    watch: Watch
    run: RunDirectory
    bonus: Callable[[Attempt], float | None]
    gate: Callable[[Episode], Drop | None]
    observe: Callable[[Event], None]
    on_alarm: Callable[[Alarm], str]
