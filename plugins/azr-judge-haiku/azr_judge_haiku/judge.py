"""Who judges: a chat model told by a rubric, on probation.

Nothing can tell a good haiku for sure, so no verifier shadows the judge. It is audited with poems of known worth
instead: right ones, right ones for another subject, and cheats. Until J = 1 - r0 - r1 is shown to be large enough its
verdicts are withheld, and no reward moves.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict, task_id
from azr_engine.verifiers.judge.attacks import as_answer, attacks
from azr_engine.verifiers.judge.auditing import Audit
from azr_engine.verifiers.judge.endpoint import ChatEndpoint
from azr_engine.verifiers.judge.llm import Chat, LLMJudge, LocalChat, Messages
from azr_engine.verifiers.judge.rubric import RUBRIC as GENERAL_RUBRIC
from azr_engine.verifiers.judge.trusted import TrustConfig, TrustedVerifier
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.rates import RIGHT, WRONG
from azr_judge_haiku.domain import KNOWN, Haiku, misshapen

RUBRIC = GENERAL_RUBRIC + (
    " The answer is correct if it is a haiku in plain English that makes sense and is clearly about the given subject. "
    "A poem about something else is wrong, however good it is."
)


def chat() -> Chat:
    """The model AZR_HAIKU_MODEL: behind AZR_HAIKU_URL (its key in AZR_HAIKU_KEY), of Transformers without an URL."""
    url, model = os.environ.get("AZR_HAIKU_URL", ""), os.environ.get("AZR_HAIKU_MODEL", "")
    if url:
        return ChatEndpoint(url, model or "judge", key_variable="AZR_HAIKU_KEY")
    return LocalChat(model) if model else _NoModel()


def on_probation(model: Chat, trust: TrustConfig, seed: int) -> TrustedVerifier:
    """The verifier `haiku`, which is heard once its audits allow it."""
    verifier = TrustedVerifier(KnownPoems(), voting(model), PoemAuditor(), trust, seed)
    verifier.name = "haiku"
    return verifier


def voting(model: Chat) -> Voting:
    """One vote for each poem."""
    return Voting(LLMJudge(model, Haiku().solve_prompt, rubric=RUBRIC, temperature=0.0))


class _NoModel:
    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        raise UserError("the domain haiku needs a judge: set AZR_HAIKU_MODEL, and AZR_HAIKU_URL where a server has it")


class KnownPoems:
    """Admits subjects by rule, and judges the poems of `KNOWN` and no others."""

    name = "haiku"
    nature: Nature = "deterministic"

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """A task for each subject of one to four words."""
        return [_admit(draft) for draft in drafts]

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """A verdict where the poem is known, an abstention where it is not."""
        return [_judge(task, answer) for task, answer in pairs]

    async def close(self) -> None:
        """Nothing is held."""


def _admit(draft: Draft) -> Task | Rejection:
    subject = draft.fields.get("subject")
    if not isinstance(subject, str) or not 1 <= len(words := subject.split(" ")) <= 4 or len(subject) > 40:
        return Rejection("syntax", "not one to four words")
    if not all(word.isascii() and word.isalpha() and word.islower() for word in words):
        return Rejection("syntax", "not words in lower case")
    given = {"subject": subject}
    identity = task_id(draft.domain, draft.kind, given)
    return Task(identity, draft.domain, draft.kind, given, None, subject, draft=dict(draft.fields))


def _judge(task: Task, answer: Answer) -> Verdict:
    text = answer.fields.get("answer")
    subject = next((subject for subject, poem in KNOWN.items() if poem == text), None)
    if subject is None:
        wrong = not isinstance(text, str) or misshapen(text)
        return Verdict("fail", 0.0, "no haiku") if wrong else Verdict("abstain", 0.0, "nobody knows")
    return Verdict("pass", 1.0) if subject == task.given["subject"] else Verdict("fail", 0.0, "another subject")


class PoemAuditor:
    """Audits from `KNOWN`, half of them right, and a cheat for each, on a task of the batch."""

    async def audits(self, pairs: Sequence[tuple[Task, Answer]], n: int, rng: random.Random) -> list[Audit]:
        """See `azr_engine.verifiers.judge.auditing.Auditor`."""
        found = []
        domain, kind = Haiku.name, Haiku.kinds[0]
        for _ in range(n if pairs else 0):
            subject, poem = rng.choice(list(KNOWN.items()))
            right = rng.random() < 0.5
            shown = subject if right else rng.choice([other for other in KNOWN if other != subject])
            task = _admit(Draft(domain, kind, {"subject": shown}))
            assert isinstance(task, Task)
            found.append(Audit(task, Answer({"answer": poem}, poem), RIGHT if right else WRONG))
            target = rng.choice(list(pairs))[0]
            attack = rng.choice(list(attacks(Haiku().solve_prompt(target))))
            found.append(Audit(target, as_answer(attack), f"cheat {attack.name}"))
        return found
