"""Settings of the judge that stands in for a domain's own verifier."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from azr_engine.verifiers.judge.honeypots import HoneypotsConfig
from azr_engine.verifiers.judge.noisy import NoisyConfig
from azr_engine.verifiers.judge.trusted import TrustConfig


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LLMConfig(_Section):
    """`judge/llm`: a language model that replies."""

    model: Annotated[str, Field(description="Folder, hub id, or the name that the server at `url` knows.")] = ""
    url: Annotated[
        str, Field(description="Base address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.")
    ] = ""
    key_variable: Annotated[str, Field(description="Environment variable that holds the server's key.")] = (
        "OPENAI_API_KEY"
    )
    temperature: Annotated[float, Field(ge=0, description="Of the judge's replies.")] = 0.7
    max_parallel: Annotated[int, Field(ge=1, description="Requests to the server under way at once.")] = 8


class RewardModelConfig(_Section):
    """`judge/reward_model`: a model that scores."""

    model: Annotated[str, Field(description="Folder or hub id.")] = ""
    kind: Annotated[
        Literal["classifier", "yes-no"],
        Field(description="A sequence classifier, or a language model asked Yes or No."),
    ] = "classifier"
    threshold: Annotated[float, Field(gt=0, lt=1, description="Probability from which an answer is accepted.")] = 0.5


class VotesConfig(_Section):
    """How often the judge is asked about one answer."""

    most: Annotated[int, Field(ge=1, description="Votes on one answer at most; 1 takes a single vote at its word.")] = 1
    false_accept: Annotated[float, Field(ge=0, le=1, description="r0 of a single vote, for knowing when to stop.")] = (
        0.2
    )
    false_reject: Annotated[float, Field(ge=0, le=1, description="r1 of a single vote, likewise.")] = 0.2
    correlation: Annotated[float, Field(ge=0, lt=1, description="Intra-class correlation of repeated votes.")] = 0.1
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="Bound on either error of the decision.")] = 0.05


class MemberConfig(_Section):
    """One judge of a panel; only the section of its own kind counts."""

    kind: Annotated[Literal["noisy", "llm", "reward_model", "majority"], Field(description="Which judge.")] = "noisy"
    noisy: NoisyConfig = NoisyConfig()
    llm: LLMConfig = LLMConfig()
    reward_model: RewardModelConfig = RewardModelConfig()


class PanelConfig(_Section):
    """`judge/panel`: several judges heard as one."""

    members: Annotated[
        dict[str, MemberConfig],
        Field(description="The judges, each a section under a name of its own with `kind` and that kind's section."),
    ] = {}
    caution: Annotated[
        float,
        Field(ge=0, le=100, description="Standard deviations of the members' votes taken off; 100: the worst vote."),
    ] = 0.0


class JudgeConfig(_Section):
    """A judge that can be wrong, in place of the verifiers of some domains."""

    kind: Annotated[
        Literal["noisy", "llm", "reward_model", "majority", "panel"],
        Field(description="Which judge; see docs/judges.md."),
    ] = "noisy"
    domains: Annotated[tuple[str, ...], Field(description="Domains whose answers it judges; empty: none.")] = ()
    probation: Annotated[
        bool, Field(description="Audit it all the time and hear it only while its worth is shown; off: believe it.")
    ] = True
    noisy: NoisyConfig = NoisyConfig()
    llm: LLMConfig = LLMConfig()
    reward_model: RewardModelConfig = RewardModelConfig()
    panel: PanelConfig = PanelConfig()
    votes: VotesConfig = VotesConfig()
    trust: TrustConfig = TrustConfig()
    honeypots: HoneypotsConfig = HoneypotsConfig()

    @model_validator(mode="after")
    def _complete(self) -> JudgeConfig:
        if self.domains:
            _require_model("judge", self)
        if self.domains and self.kind == "panel":
            if len(self.panel.members) < 2:
                raise ValueError("judge.panel.members: a panel needs at least two members")
            for name, member in self.panel.members.items():
                _require_model(f"judge.panel.members.{name}", member)
        if self.votes.most > 1 and self.votes.false_accept + self.votes.false_reject >= 1:
            raise ValueError("judge.votes: single votes with r0 + r1 >= 1 decide nothing, however many")
        return self


def _require_model(where: str, judge: JudgeConfig | MemberConfig) -> None:
    if judge.kind in ("llm", "reward_model") and not getattr(judge, judge.kind).model:
        raise ValueError(f"{where}.{judge.kind}.model must name a model")
