"""The torch trainer moves probabilities where advantages point, accumulates exactly, and resumes bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from azr_engine.bootstrap.pretrain import Recipe, build_model
from azr_engine.trainer.loss import token_logprobs
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.torch_backend import TorchTrainer

RECIPE = Recipe(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64)


def tiny() -> Any:
    return build_model(RECIPE, 64)


def logprobs_of(model: Any, prompt: tuple[int, ...], ids: tuple[int, ...]) -> torch.Tensor:
    row = torch.tensor([[*prompt, *ids]])
    with torch.no_grad():
        chosen, _ = token_logprobs(model(input_ids=row).logits[:, :-1], row[:, 1:], 1.0)
    return chosen[0, len(prompt) - 1 :]


def sample(model: Any, prompt: tuple[int, ...], ids: tuple[int, ...], advantage: float, role: Any = "solve") -> Sample:
    return Sample(prompt, ids, tuple(logprobs_of(model, prompt, ids).tolist()), advantage, role)


def samples(model: Any) -> list[Sample]:
    return [
        sample(model, (5, 6, 7), (8, 9, 2), 1.0),
        sample(model, (5, 6), (10, 2), -1.0),
        sample(model, (11,), (12, 13, 14, 2), 0.5, "propose"),
    ]


def test_rewarded_tokens_become_likelier_and_punished_ones_less() -> None:
    model = tiny()
    batch = samples(model)
    before = [logprobs_of(model, s.prompt_ids, s.ids).sum() for s in batch]
    TorchTrainer(model, TrainerConfig(learning_rate=1e-3)).update(batch, clip_high=0.2, temperature=1.0)
    after = [logprobs_of(model, s.prompt_ids, s.ids).sum() for s in batch]
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_micro_batches_give_the_same_update_as_one_batch() -> None:
    one, many = tiny(), tiny()
    whole = TorchTrainer(one, TrainerConfig()).update(samples(one), clip_high=0.2, temperature=1.0)
    config = TrainerConfig(micro_batch_tokens=64)
    long = [*samples(many)]
    split = TorchTrainer(many, config).update(long, clip_high=0.2, temperature=1.0)
    assert split.loss == pytest.approx(whole.loss, abs=1e-6)
    assert split.grad_norm == pytest.approx(whole.grad_norm, rel=1e-4)
    for a, b in zip(one.parameters(), many.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_padding_does_not_leak_into_another_sequence() -> None:
    model = tiny()
    short = sample(model, (5, 6), (7, 2), 1.0)
    alone = TorchTrainer(copy.deepcopy(model), TrainerConfig()).update([short], clip_high=0.2, temperature=1.0)
    idle = Sample(tuple(range(5, 30)), (3, 2), (-1.0, -1.0), 0.0, "solve")
    beside = TorchTrainer(copy.deepcopy(model), TrainerConfig(kl_propose=0, kl_solve=0)).update(
        [short, idle], clip_high=0.2, temperature=1.0
    )
    assert beside.loss * 4 == pytest.approx(alone.loss * 2, abs=1e-5)


def test_first_update_is_on_policy() -> None:
    model = tiny()
    metrics = TorchTrainer(model, TrainerConfig()).update(samples(model), clip_high=0.2, temperature=1.0)
    assert metrics.clip_fraction == 0.0
    assert metrics.kl_base == pytest.approx(0.0, abs=1e-6)
    assert metrics.tokens_trained == 3 + 3 + 2 + 2 + 1 + 4


def test_a_leash_pulls_back_towards_the_start() -> None:
    distances = []
    for weight in (0.0, 5.0):
        model = tiny()
        start = copy.deepcopy(model)
        trainer = TorchTrainer(model, TrainerConfig(learning_rate=1e-3, kl_propose=weight, kl_solve=weight or 1e-9))
        batch = samples(model)
        for _ in range(5):
            trainer.update(batch, clip_high=10.0, temperature=1.0)
        distances.append(
            sum(
                (logprobs_of(model, s.prompt_ids, s.ids) - logprobs_of(start, s.prompt_ids, s.ids)).abs().sum()
                for s in batch
            )
        )
    assert distances[1] < distances[0]


def test_saved_and_loaded_state_continues_bit_for_bit(tmp_path: Path) -> None:
    model = tiny()
    trainer = TorchTrainer(model, TrainerConfig())
    batch = samples(model)
    trainer.update(batch, clip_high=0.2, temperature=1.0)
    trainer.save(tmp_path)
    expected = trainer.update(batch, clip_high=0.2, temperature=1.0)
    other = TorchTrainer(tiny(), TrainerConfig())
    other.load(tmp_path)
    assert other.weight_version == 1
    assert other.update(batch, clip_high=0.2, temperature=1.0) == expected
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.model.parameters(), strict=True))


def test_an_infinite_gradient_changes_nothing_and_says_so() -> None:
    model = tiny()
    before = [p.clone() for p in model.parameters()]
    bad = Sample((5,), (6, 2), (-1.0, -1.0), float("inf"), "solve")
    metrics = TorchTrainer(model, TrainerConfig()).update([bad], clip_high=0.2, temperature=1.0)
    assert not metrics.applied
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
