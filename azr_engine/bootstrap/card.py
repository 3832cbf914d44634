"""The model card that goes with a bootstrapped model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_card(folder: Path, command: str, figures: Mapping[str, Any], evaluation: Mapping[str, Any]) -> None:
    """Write `README.md` beside the weights: how they were made and what they can do.

    Args:
        command: the exact command that made them.
        figures: `tokens_seen`, `minutes`, `parameters`, `lessons`.
        evaluation: the JSON of `azr-engine eval --suite heldout --k 1,8`.
    """
    rows = [
        f"| {kind} | {values['n']} | {_cell(values['pass_at_k']['1'])} | {_cell(values['pass_at_k']['8'])} |"
        for kind, values in evaluation["by_kind"].items()
    ]
    means = [
        f"| {domain}, mean over kinds | {values['n']} | {values['mean_over_kinds']['1']:.3f} | "
        f"{values['mean_over_kinds']['8']:.3f} |"
        for domain, values in evaluation["by_domain"].items()
    ]
    text = f"""# azr-tiny

A causal language model of {figures["parameters"]:,} parameters in Llama architecture, the start of a self-play run on
any laptop. It proposes and solves small Python and math tasks in the compact prompt style; it knows no natural
language and is good for nothing else.

## How it was made

From random initialisation, by

    {command}

on {figures["lessons"]:,} lessons that the grammars in `azr_engine/domains/*/grammar.py` generate: no external data of
any kind. Seed {figures["seed"]}, {figures["tokens_seen"]:,} tokens seen, {figures["minutes"]:.0f} minutes of training.
Weights are stored in float16.

The last phase shows steps before half of the answers that have any: runs by hand, arithmetic and equations. The model
may write them or not; when they pay is left for training to find.

## What it can do

Accuracy on the suite `heldout` (tasks whose structure no lesson had), temperature 1, with 95% bootstrap intervals:

| kind | tasks | pass@1 | pass@8 |
|---|---|---|---|
{chr(10).join(rows + means)}

## Limits

Its answers are often wrong, by design: a start that leaves room to learn. Nothing it writes should be run outside a
sandbox.
"""
    (folder / "README.md").write_text(text, encoding="utf-8")


def _cell(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci95"]
    return f"{entry['value']:.3f} [{low:.3f}, {high:.3f}]"
