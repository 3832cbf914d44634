"""`judge/majority`: an answer is right if most tries at the task gave it: self-consistency labels, without any truth.

Source: TTRL, arXiv 2504.16084, section 2. It teaches the policy what it believes already, so it needs watching.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Task
from azr_engine.verifiers.judge.protocol import ABSTENTION, Vote


def _squeezed(answer: Answer) -> str:
    return " ".join(answer.raw.split())


class MajorityJudge:
    """Accepts the answer given most often in the batch; abstains on a tie at the top and where there are few tries.

    Args:
        canonical: what makes two answers the same; by default their text without surplus white space.
        min_tries: tries at a task below which no majority counts.
    """

    name = "judge/majority"
    nature: Nature = "sampled"
    compares = True

    def __init__(self, canonical: Callable[[Answer], str] = _squeezed, min_tries: int = 3) -> None:
        self._canonical, self._min_tries = canonical, min_tries

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`. The batch must hold all tries at a task, and repeats are not forgotten for each other."""
        groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for task, answer in pairs:
            groups[task.id][self._canonical(answer)] += 1
        return [self._vote(groups[task.id], self._canonical(answer)) for task, answer in pairs]

    def _vote(self, counts: Counter[str], text: str) -> Vote:
        total = counts.total()
        ranked = counts.most_common(2)
        if total < self._min_tries or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return ABSTENTION
        return Vote(text == ranked[0][0], counts[text] / total)

    async def close(self) -> None:
        """Nothing is held."""
