"""The judge that the settings ask for, put in place of the verifiers that know the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from azr_engine.engine.protocols import Domain, Nature, Verifier
from azr_engine.engine.types import Answer, Draft, Prompt, Rejection, Task, Verdict
from azr_engine.verifiers.judge.auditing import ShadowAuditor
from azr_engine.verifiers.judge.config import JudgeConfig
from azr_engine.verifiers.judge.protocol import Judge
from azr_engine.verifiers.judge.trusted import TrustedVerifier
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.rates import ErrorRates
from azr_engine.verifiers.trust.sequential import SequentialTest

PromptOf = Callable[[Task], Prompt]


class BelievedVerifier:
    """A judge taken at its word: what training without any safeguard does. Drafts are admitted by another verifier."""

    def __init__(self, admitter: Verifier, voting: Voting) -> None:
        self.truth = self._admitter = admitter
        self._voting = voting
        self.name, self.nature = voting.judge.name, voting.nature

    name: str
    nature: Nature

    async def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """As the admitter does."""
        return await self._admitter.admit(drafts)

    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """What the votes amount to."""
        return await self._voting.decide(pairs)

    async def close(self) -> None:
        """Release judge and admitter."""
        await self._voting.judge.close()
        await self._admitter.close()


def judged(
    domains: Mapping[str, Domain], verifiers: Mapping[str, Verifier], config: JudgeConfig, seed: int
) -> dict[str, Verifier]:
    """The verifiers, those of the configured domains replaced by the judge; each keeps admitting its own drafts."""
    replaced = dict(verifiers)
    for name in config.domains:
        if name in domains:
            domain = domains[name]
            replaced[domain.verifier] = _in_place_of(verifiers[domain.verifier], domain.solve_prompt, config, seed)
    return replaced


def truth_of(verifier: Verifier) -> Verifier:
    """The verifier that a judge stands in for; any other as it is. An evaluation must ask nobody who can be fooled."""
    return verifier.truth if isinstance(verifier, BelievedVerifier | TrustedVerifier) else verifier


def _in_place_of(truth: Verifier, prompt_of: PromptOf, config: JudgeConfig, seed: int) -> Verifier:
    voting = Voting(make_judge(config, truth, prompt_of, seed), _test(config))
    if not config.probation:
        return BelievedVerifier(truth, voting)
    return TrustedVerifier(truth, voting, ShadowAuditor(truth, prompt_of), config.trust, seed)


def make_judge(config: JudgeConfig, truth: Verifier, prompt_of: PromptOf, seed: int) -> Judge:
    """The judge of the configured kind. Models are loaded at the first vote."""
    match config.kind:
        case "noisy":
            from azr_engine.verifiers.judge.noisy import NoisyJudge

            return NoisyJudge(truth, config.noisy, seed)
        case "majority":
            from azr_engine.verifiers.judge.majority import MajorityJudge

            return MajorityJudge()
        case "reward_model":
            from azr_engine.verifiers.judge.reward_model import RewardModelJudge

            scorer = config.reward_model
            return RewardModelJudge(scorer.model, prompt_of, kind=scorer.kind, threshold=scorer.threshold)
        case "llm":
            from azr_engine.verifiers.judge.endpoint import ChatEndpoint
            from azr_engine.verifiers.judge.llm import Chat, LLMJudge, LocalChat

            llm = config.llm
            chat: Chat = (
                ChatEndpoint(llm.url, llm.model, key_variable=llm.key_variable, max_parallel=llm.max_parallel)
                if llm.url
                else LocalChat(llm.model)
            )
            return LLMJudge(chat, prompt_of, temperature=llm.temperature, seed=seed)


def _test(config: JudgeConfig) -> SequentialTest | None:
    votes = config.votes
    if votes.most == 1:
        return None
    rates = ErrorRates(votes.false_accept, votes.false_reject)
    return SequentialTest(rates, votes.correlation, votes.alpha, votes.most)
