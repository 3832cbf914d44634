"""A judge in the place of a verifier, and what a run can take from it again: being heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azr_engine.engine.protocols import Nature, Verifier
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict
from azr_engine.verifiers.judge.panel import PanelJudge
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.watch import Cell


class StandIn:
    """A judge taken at its word, but where it was barred: what training without any other safeguard does.

    Args:
        truth: the verifier that the judge stands in for. It admits drafts; its own judge is not asked here.
    """

    def __init__(self, truth: Verifier, voting: Voting) -> None:
        self.name: str = voting.judge.name
        self.nature: Nature = voting.nature
        self.truth = truth
        self._voting = voting
        self._panel = voting.judge if isinstance(voting.judge, PanelJudge) else None
        self._barred: set[Cell] = set()

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """As the verifier does."""
        return await self.truth.admit(drafts)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """What the votes amount to."""
        verdicts = await self._voting.decide(pairs)
        return [self._heard(verdict, task) for verdict, (task, _) in zip(verdicts, pairs, strict=True)]

    async def close(self) -> None:
        """Release judge and verifier."""
        await self._voting.judge.close()
        await self.truth.close()

    def bar(self, cells: Iterable[Cell]) -> None:
        """Hear the judge no more in these cells: its verdicts there are abstentions, which move no reward."""
        self._barred |= set(cells)

    def alike(self) -> list[str]:
        """A sentence for each member of a panel that fell silent since the last call."""
        return self._panel.news() if self._panel else []

    def state_dict(self) -> dict[str, Any]:
        """JSON-able."""
        own = {"barred": [list(cell) for cell in sorted(self._barred)]}
        return own | ({"panel": self._panel.state_dict()} if self._panel else {})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` described."""
        self._barred = {(domain, kind) for domain, kind in state["barred"]}
        if self._panel:
            self._panel.load_state_dict(state["panel"])

    def _heard(self, verdict: Verdict, task: Task) -> Verdict:
        if (task.domain, task.kind) not in self._barred:
            return verdict
        return withheld(verdict, f"{self.name} was fooled in this kind")


def withheld(verdict: Verdict, why: str) -> Verdict:
    """An abstention in place of a verdict that would count."""
    return Verdict("abstain", 0.0, f"withheld: {why}", verdict.calls, verdict.seconds) if verdict.scored else verdict
