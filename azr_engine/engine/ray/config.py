"""Settings of a run on a Ray cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class RayConfig(BaseModel):
    """A Ray cluster that verifies and samples; off without an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[
        str | None,
        # An empty text as well, so that a run with a cluster can be resumed without.
        BeforeValidator(lambda address: address or None),
        Field(description="HOST:PORT of a running cluster, or `auto` for this machine's; empty: no Ray."),
    ] = None
    verifiers: Annotated[
        int | None, Field(ge=1, description="Verifier workers, spread over the nodes; empty: one for each node.")
    ] = None
    samplers: Annotated[
        int, Field(ge=0, description="Copies of the model that sample, each on a GPU if any; 0: the run's own samples.")
    ] = 0
    sampler_rows: Annotated[
        int,
        Field(ge=1, description="Sequences that a sampler decodes at once; 256 is what a run without Ray takes."),
    ] = 256
