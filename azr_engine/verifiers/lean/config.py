"""Settings of the Lean verifier."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class LeanConfig(BaseModel):
    """The Lean verifier."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Annotated[
        Literal["auto", "embedded", "toolchain", "leandojo"],
        Field(
            description="Which Lean checks proofs; `auto` is `toolchain` where a project or a home is named, else "
            "`embedded`."
        ),
    ] = "auto"
    home: Annotated[
        str | None, Field(description="Folder of a Lean toolchain; empty: LEAN_HOME, then PATH, then elan.")
    ] = None
    project: Annotated[
        str | None, Field(description="Folder of a built Lake project whose modules may be imported.")
    ] = None
    header: Annotated[str | None, Field(description="Text before each theorem, such as `import Mathlib`.")] = None
    second_opinion: Annotated[
        Literal["auto", "off", "comparator", "safe_verify", "leanchecker", "lean4checker"],
        Field(
            description="A tool that must agree with each pass; `auto`: the first that a toolchain has, in this order."
        ),
    ] = "auto"
    cpu_seconds: Annotated[float, Field(gt=0, le=3600, description="CPU seconds that one check may take.")] = 10.0
    memory_mb: Annotated[int, Field(ge=200, description="MiB of heap that one check may take.")] = 1024
    heartbeats: Annotated[int, Field(ge=1, description="Lean's own limit, in thousands of small allocations.")] = (
        200_000
    )
