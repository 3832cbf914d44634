"""Judges on models in this process: real Transformers models, random and small; batches change nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.judge.llm import LLMJudge, LocalChat
from azr_engine.verifiers.judge.reward_model import RewardModelJudge
from azr_engine.verifiers.judge.voting import Voting
from tests.toys import ToyDomain
from tests.verifiers.judge.test_voting import shares, toy_pairs

PROMPT_OF = ToyDomain().solve_prompt
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A classifier with one logit and a language model with a chat template, both random."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    from azr_engine.bootstrap.tokenizer import build_tokenizer

    tokenizer = build_tokenizer()
    tokenizer.chat_template = TEMPLATE
    config = LlamaConfig(
        vocab_size=512, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        pad_token_id=0, num_labels=1, max_position_embeddings=4096,
    )  # fmt: skip
    torch.manual_seed(0)
    found = {}
    for name, factory in (("classifier", LlamaForSequenceClassification), ("lm", LlamaForCausalLM)):
        found[name] = tmp_path_factory.mktemp(name)
        factory(config).save_pretrained(found[name])
        tokenizer.save_pretrained(found[name])
    return found


@pytest.mark.parametrize(("kind", "folder"), [("classifier", "classifier"), ("yes-no", "lm")])
def test_scores_do_not_depend_on_the_batch(
    folders: dict[str, Path], kind: Literal["classifier", "yes-no"], folder: str
) -> None:
    pairs = [*toy_pairs(5, right=True), *toy_pairs(3, right=False)]
    together, alone = (RewardModelJudge(str(folders[folder]), PROMPT_OF, kind=kind, batch=batch) for batch in (16, 1))
    votes = asyncio.run(together.vote(pairs, 0))
    confidences = [vote.confidence for vote in votes]
    assert confidences == pytest.approx([vote.confidence for vote in asyncio.run(alone.vote(pairs, 1))], abs=1e-5)
    assert len(set(confidences)) > 1
    assert all(vote.accept == (vote.confidence >= 0.5) for vote in votes)


def test_a_model_that_says_nothing_readable_abstains(folders: dict[str, Path]) -> None:
    judge = LLMJudge(LocalChat(str(folders["lm"]), max_tokens=8, batch=2), PROMPT_OF, temperature=1.0)
    verdicts = asyncio.run(Voting(judge).decide(toy_pairs(3, right=True)))
    assert shares(verdicts)["abstain"] == 1.0


@pytest.mark.parametrize(
    "make", [lambda name: RewardModelJudge(name, PROMPT_OF), lambda name: LLMJudge(LocalChat(name), PROMPT_OF)]
)
def test_a_missing_model_is_one_clear_line(make: type, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot load the judge"):
        asyncio.run(make(str(tmp_path / "none")).vote(toy_pairs(1, right=True), 0))
