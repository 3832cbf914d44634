"""Training one step off: the same updates, one later for the policy, and nothing lost when it is saved or fails."""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from azr_engine.trainer.behind import one_step_off
from azr_engine.trainer.protocol import TrainerConfig, UpdateMetrics
from azr_engine.trainer.torch_backend import TorchTrainer
from tests.toys import Reciter
from tests.trainer.test_torch_trainer import samples, tiny

OPTIONS = {"clip_high": 0.2, "temperature": 1.0}


class Copying(Reciter):
    """A policy that takes a copy of a model's weights whenever it is told of a version."""

    weights: dict[str, torch.Tensor]

    def __init__(self, model: Any) -> None:
        self._model = model
        super().__init__([""])

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "weight_version":
            super().__setattr__("weights", copy.deepcopy(self._model.state_dict()))


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_updates_are_the_same_and_the_policy_is_one_behind(tmp_path: Path) -> None:
    model, twin = tiny(), tiny()
    batches, plain = [samples(model)[n:] for n in range(3)], TorchTrainer(twin, TrainerConfig())
    states, expected = [copy.deepcopy(twin.state_dict())], []
    for batch in batches:
        expected.append(plain.update(batch, **OPTIONS))
        states.append(copy.deepcopy(twin.state_dict()))
    policy = Copying(model)
    with one_step_off(TorchTrainer(model, TrainerConfig()), policy) as trainer:
        found = []
        for number, batch in enumerate(batches):
            found.append(trainer.update(batch, **OPTIONS))
            assert trainer.weight_version == policy.weight_version == number
            assert equal(policy.weights, states[number])
        assert found == [None, *expected[:2]]
        trainer.save(tmp_path)
        assert trainer.weight_version == policy.weight_version == 3
        assert equal(policy.weights, states[3])
    other = tiny()
    with one_step_off(TorchTrainer(other, TrainerConfig()), Copying(other)) as resumed:
        resumed.load(tmp_path)
        assert resumed.weight_version == 3
        assert equal(other.state_dict(), states[3])
        assert resumed.update(batches[0], **OPTIONS) == expected[2], "what the checkpoint was waiting to report"


def test_an_update_does_not_hold_up_who_asks_for_it_and_fails_at_the_next_call() -> None:
    go = threading.Event()

    class Stuck(TorchTrainer):
        def update(self, *args: Any, **options: Any) -> UpdateMetrics:
            go.wait()
            raise ArithmeticError("the update failed")

    model = tiny()
    with one_step_off(Stuck(model, TrainerConfig()), Copying(model)) as trainer:
        assert trainer.update(samples(model), **OPTIONS) is None
        go.set()
        with pytest.raises(ArithmeticError, match="the update failed"):
            trainer.update(samples(model), **OPTIONS)
