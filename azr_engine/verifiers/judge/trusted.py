"""A judge on probation: audited all the time, and heard by the trainer only while its worth is shown.

Each (domain, kind) has its own belief about the judge's error rates. While the lower bound of J there has not cleared
the threshold, every verdict of that cell is an abstention, which moves no reward. A verdict that counts comes with an
estimate of what the answer deserves, which the audits of its batch make unbiased.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Answer, EstimatedVerdict, Task, Verdict, content_hash
from azr_engine.verifiers.judge.auditing import Audit, Auditor
from azr_engine.verifiers.judge.stand_in import StandIn, withheld
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.correction import audited_score
from azr_engine.verifiers.trust.rates import RIGHT, WRONG, ErrorRates, TrustBelief
from azr_engine.verifiers.trust.watch import Cell, FalsePassWatch


class TrustConfig(BaseModel):
    """When a judge is trusted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: Annotated[
        float, Field(ge=0, lt=1, description="J = 1 - r0 - r1 that a judge must exceed to train the policy.")
    ] = 0.3
    level: Annotated[float, Field(gt=0.5, lt=1, description="Posterior probability with which it must.")] = 0.95
    audit_share: Annotated[float, Field(gt=0, le=1, description="Audits per judged answer.")] = 0.1
    min_audits: Annotated[
        int, Field(ge=1, description="Audits of right and of wrong answers, each, before audits get rarer.")
    ] = 30
    decay: Annotated[float, Field(gt=0, le=1, description="Weight of an audit after one more batch.")] = 0.99
    tolerated: Annotated[
        float, Field(gt=0, lt=1, description="Rate at which audited wrong answers may pass before that is an alarm.")
    ] = 0.35
    false_alarm: Annotated[
        float, Field(gt=0, lt=1, description="Chance of ever raising that alarm for one kind without cause.")
    ] = 0.01


class TrustedVerifier(StandIn):
    """A verifier whose verdicts are a judge's, released cell by cell.

    Args:
        seed: which answers are audited follows from it and the number of the batch.
    """

    def __init__(
        self, truth: Verifier, voting: Voting, auditor: Auditor, config: TrustConfig | None = None, seed: int = 0
    ) -> None:
        super().__init__(truth, voting)
        self._auditor = auditor
        self._config = config or TrustConfig()
        self._seed = seed
        self._n_batches = 0
        self._beliefs: dict[Cell, TrustBelief] = {}
        self._withheld: list[Cell] = []
        self.wrong_passes = FalsePassWatch(self._config.tolerated, self._config.false_alarm)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """Judge with audits mixed in, learn from them, and release what is trusted.

        Those that count come with an estimate of the truth (`EstimatedVerdict`).
        """
        rng = random.Random(content_hash(self._seed, self._n_batches))
        cells = [(task.domain, task.kind) for task, _ in pairs]
        audits: list[Audit] = []
        truths: dict[int, float] = {}
        shares: dict[Cell, float] = {}
        # Of batches before this one: what its own audits say must not be in what they correct.
        before = {cell: self.belief(cell) for cell in sorted(set(cells))}
        for cell in before:
            own = [i for i, at in enumerate(cells) if at == cell]
            n = self._n_audits(cell, len(own))
            found = await self._auditor.audits([pairs[i] for i in own], n, rng)
            truths |= {own[a.place]: float(a.stratum == RIGHT) for a in found if a.place is not None}
            shares[cell] = n / len(own)
            audits += found
        asked = [*pairs, *((audit.task, audit.answer) for audit in audits)]
        verdicts = await self._voting.decide(asked)
        self._beliefs |= {cell: belief.aged(self._config.decay) for cell, belief in before.items()}
        self._learn(audits, verdicts[len(pairs) :])
        self._n_batches += 1
        quarantined = self.quarantined()
        released = [
            self._released(self._heard(verdict, task), quarantined.get(cell))
            for verdict, (task, _), cell in zip(verdicts, pairs, cells, strict=False)
        ]
        return [
            _estimated(verdict, before[cell], truths.get(i), shares[cell])
            for i, (verdict, cell) in enumerate(zip(released, cells, strict=True))
        ]

    def belief(self, cell: Cell) -> TrustBelief:
        """What is known of the judge there."""
        return self._beliefs.get(cell, TrustBelief())

    def rates(self, cell: Cell) -> ErrorRates | None:
        """The judge's error rates there, for correcting rewards; None where J is not positive."""
        rates = self.belief(cell).rates()
        return rates if rates.youden > 0.0 else None

    def news(self) -> list[str]:
        """A sentence for each cell that turned out untrustworthy since the last call, once there are enough audits."""
        withheld = {
            cell: bound for cell, bound in self.quarantined().items() if self._n_known(cell) >= self._config.min_audits
        }
        fresh = [cell for cell in withheld if cell not in self._withheld]
        self._withheld = sorted(withheld)
        return [
            f"{self.name} is not trusted with {domain}/{kind}: J is shown to exceed only {withheld[domain, kind]:.2f}, "
            f"not {self._config.threshold}; its verdicts are withheld"
            for domain, kind in fresh
        ]

    def fooled(self, step: int) -> list[str]:
        """A sentence for each cell where, by this step, more wrong answers of the policy pass than is tolerated."""
        return [
            f"{self.name} is being fooled in {domain}/{kind}: of the wrong answers to a task, "
            f"{100 * alarm.passed / alarm.n_tried:.0f}% passed on average, over {alarm.n_tried} tasks"
            for (domain, kind), alarm in self.wrong_passes.end_step(step).items()
        ]

    def quarantined(self) -> dict[Cell, float]:
        """The cells whose verdicts are withheld, with the lower bound of J there."""
        bounds = {cell: belief.youden_lower_bound(self._config.level) for cell, belief in self._beliefs.items()}
        return {cell: bound for cell, bound in bounds.items() if bound <= self._config.threshold}

    def state_dict(self) -> dict[str, Any]:
        """Beliefs and batches, JSON-able."""
        beliefs = [[*cell, belief.to_json()] for cell, belief in self._beliefs.items()]
        return {
            **super().state_dict(),
            "n_batches": self._n_batches,
            "beliefs": beliefs,
            "withheld": [list(cell) for cell in self._withheld],
            "wrong_passes": self.wrong_passes.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        super().load_state_dict(state)
        self._n_batches = state["n_batches"]
        self._withheld = [(domain, kind) for domain, kind in state["withheld"]]
        self.wrong_passes.load_state_dict(state["wrong_passes"])
        self._beliefs = {(domain, kind): TrustBelief.from_json(data) for domain, kind, data in state["beliefs"]}

    def _n_audits(self, cell: Cell, n_pairs: int) -> int:
        """As many as may be at first, the configured share later."""
        return (
            n_pairs if self._n_known(cell) < self._config.min_audits else math.ceil(self._config.audit_share * n_pairs)
        )

    def _learn(self, audits: Sequence[Audit], verdicts: Sequence[Verdict]) -> None:
        """Update beliefs, and tell the watch what share of the wrong answers to each task passed.

        A task is one observation, since a judge may err alike on all answers to it.
        """
        if self._panel:
            known = [(audit.task, audit.answer, audit.stratum == RIGHT) for audit in audits]
            self._panel.learn(known)
        wrong: defaultdict[tuple[Cell, str], list[bool]] = defaultdict(list)
        for audit, verdict in zip(audits, verdicts, strict=True):
            if verdict.scored:
                cell = (audit.task.domain, audit.task.kind)
                passed = verdict.status == "pass"
                self._beliefs[cell] = self.belief(cell).audited(audit.stratum, accepted=passed)
                if audit.stratum == WRONG and cell not in self._barred:
                    wrong[cell, audit.task.id].append(passed)
        for (cell, _), passes in wrong.items():
            self.wrong_passes.hear(cell, sum(passes) / len(passes))

    def _n_known(self, cell: Cell) -> float:
        """Audits of the rarer of right and wrong."""
        tallies = self.belief(cell).tallies
        return min(tallies[RIGHT].size, tallies[WRONG].size)

    def _released(self, verdict: Verdict, bound: float | None) -> Verdict:
        return verdict if bound is None else withheld(verdict, f"J of {self.name} is shown to exceed only {bound:.2f}")


def _estimated(verdict: Verdict, belief: TrustBelief, truth: float | None, share: float) -> Verdict:
    """The verdict, if it counts with what audits make of it."""
    if not verdict.scored:
        return verdict
    expected = belief.expected_score(accepted=verdict.status == "pass")
    said = (verdict.status, verdict.score, verdict.reason, verdict.calls, verdict.seconds)
    return EstimatedVerdict(*said, estimate=audited_score(expected, truth, share))
