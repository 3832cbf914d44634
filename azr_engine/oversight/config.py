"""Settings of oversight."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class OversightConfig(BaseModel):
    """Who looks at what the policy writes, and what that may stop."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: Annotated[bool, Field(description="Screen drafts, read texts, measure drift.")] = True
    policy: Annotated[
        str | None, Field(description="TOML file of rules that deny drafts; empty: the built-in rules.")
    ] = None
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
