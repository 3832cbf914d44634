"""The judge that the settings ask for, put in place of the verifiers that know the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.randomness import derived_seed
from azr_engine.engine.types import Prompt, Task
from azr_engine.verifiers.judge.auditing import ShadowAuditor
from azr_engine.verifiers.judge.config import JudgeConfig, MemberConfig, PanelConfig
from azr_engine.verifiers.judge.panel import PanelJudge
from azr_engine.verifiers.judge.protocol import Judge
from azr_engine.verifiers.judge.stand_in import StandIn
from azr_engine.verifiers.judge.trusted import TrustedVerifier
from azr_engine.verifiers.judge.voting import Voting
from azr_engine.verifiers.trust.rates import ErrorRates
from azr_engine.verifiers.trust.sequential import SequentialTest

PromptOf = Callable[[Task], Prompt]


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
    return verifier.truth if isinstance(verifier, StandIn) else verifier


def _in_place_of(truth: Verifier, prompt_of: PromptOf, config: JudgeConfig, seed: int) -> Verifier:
    voting = Voting(make_judge(config, truth, prompt_of, seed), _test(config))
    if not config.probation:
        return StandIn(truth, voting)
    return TrustedVerifier(truth, voting, ShadowAuditor(truth, prompt_of), config.trust, seed)


def make_judge(config: JudgeConfig | MemberConfig, truth: Verifier, prompt_of: PromptOf, seed: int) -> Judge:
    """The judge of the configured kind. Models are loaded at the first vote."""
    if not isinstance(config, MemberConfig):
        if config.kind == "panel":
            return _panel(config.panel, truth, prompt_of, seed)
        config = MemberConfig(kind=config.kind, noisy=config.noisy, llm=config.llm, reward_model=config.reward_model)
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


def _panel(config: PanelConfig, truth: Verifier, prompt_of: PromptOf, seed: int) -> PanelJudge:
    # Each member errs by a seed of its own, as different judges would.
    judges = [make_judge(m, truth, prompt_of, derived_seed(seed, 0, name)) for name, m in config.members.items()]
    return PanelJudge(judges, caution=config.caution, names=list(config.members))


def _test(config: JudgeConfig) -> SequentialTest | None:
    votes = config.votes
    if votes.most == 1:
        return None
    rates = ErrorRates(votes.false_accept, votes.false_reject)
    return SequentialTest(rates, votes.correlation, votes.alpha, votes.most)
