"""Settings of oversight."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class DraftJudgeConfig(BaseModel):
    """A language model among the screens of drafts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[
        str, Field(description="Folder, hub id, or the name that the server at `url` knows; empty: no judge.")
    ] = ""
    url: Annotated[
        str, Field(description="Base address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.")
    ] = ""
    key_variable: Annotated[str, Field(description="Environment variable that holds the server's key.")] = (
        "OPENAI_API_KEY"
    )
    abstains: Annotated[
        Literal["pass", "refuse", "review"],
        Field(description="What becomes of a draft on which it does not say; `review` keeps it out until approved."),
    ] = "pass"


class OversightConfig(BaseModel):
    """Who looks at what the policy writes, and what that may stop."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: Annotated[bool, Field(description="Screen drafts, read texts, measure drift.")] = True
    policy: Annotated[
        str | None, Field(description="TOML file of rules that deny drafts; empty: the built-in rules.")
    ] = None
    judge: Annotated[DraftJudgeConfig, Field(description="Asked of drafts that the policy lets through.")] = (
        DraftJudgeConfig()
    )
    reading_window: Annotated[int, Field(ge=1, description="Steps over which flagged texts are counted.")] = 20
    reading_limit: Annotated[
        int, Field(ge=0, description="Flagged texts within them that raise the alarm `reasoning`; 0: no alarm.")
    ] = 3
    drift_window: Annotated[
        int, Field(ge=1, description="First steps, and last ones, whose proposals are compared with each other.")
    ] = 20
    drift_limit: Annotated[
        float, Field(ge=0, le=1, description="Divergence in bits that raises the alarm `drift`; 0: no alarm.")
    ] = 0.3
    pause_on: Annotated[
        tuple[str, ...], Field(description="Alarms that pause the run until `azr-engine review` approves them.")
    ] = ("reasoning", "safety")
    rollback_on: Annotated[
        tuple[str, ...],
        Field(description="Alarms that take the policy back to before the trouble, and bar a judge that was fooled."),
    ] = ()
