"""Calling a domain's own functions on texts that a model may have written."""

from __future__ import annotations

from typing import Any

from azr_engine.domains.function.domain import FunctionDomain

MAX_OUTPUT_CHARACTERS = 16_384


def call(domain: FunctionDomain, item: dict[str, Any]) -> dict[str, Any]:
    """Of a run `{"program", "input"}` or of an answer's text `{"output"}`: `{"text"}`, `{"refused"}` or `{"killed"}`.

    Whatever the domain raises is put down to the texts; only what is no text at all is the domain's own fault.
    """
    try:
        text = item["output"] if "output" in item else domain.run(item["program"], item["input"])
        text = domain.canonical(text) if isinstance(text, str) else text
    except MemoryError:
        return {"killed": "memory"}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"[:200]}
    if not isinstance(text, str):
        return {"fault": f"run gave a {type(text).__name__}, not a text"}
    if len(text) > MAX_OUTPUT_CHARACTERS:
        return {"killed": "oversize"}
    return {"text": text}
