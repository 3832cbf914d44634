"""A model made by the command loads with plain Transformers, carries its card, and follows from its seed."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tests.conftest import Command

TOKENS = "--tokens 20000 --finish-tokens 10000 --working-tokens 10000"
ARGUMENTS = [*TOKENS.split(), "--card-tasks", "2", "--json"]


def test_bootstrap_makes_a_transformers_folder_with_a_card(azr: Command, tmp_path: Path) -> None:
    weights = []
    for name in ("one", "two"):
        result = azr(["bootstrap", str(tmp_path / name), *ARGUMENTS])
        assert result.returncode == 0, result.stderr
        figures = json.loads(result.stdout)
        assert figures["tokens_seen"] >= 30000
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model = AutoModelForCausalLM.from_pretrained(tmp_path / name)
        assert len(AutoTokenizer.from_pretrained(tmp_path / name)) <= model.config.vocab_size
        weights.append(model.state_dict())
        card = (tmp_path / name / "README.md").read_text()
        assert f"azr-engine bootstrap {name} {TOKENS} --seed 1" in card
        assert "| python/deduction | 2 |" in card
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert azr(["bootstrap", str(tmp_path / "one"), *ARGUMENTS]).returncode == 2
