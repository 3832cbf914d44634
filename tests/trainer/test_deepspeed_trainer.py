"""DeepSpeed trains as plain torch does, at every ZeRO stage, in one process and in two, and resumes exactly."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("deepspeed")

from azr_engine.engine.policies import linear
from azr_engine.engine.processes import Crew
from azr_engine.trainer.deepspeed_backend import DeepSpeedTrainer
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.protocol import Sample, TrainerConfig, UpdateMetrics
from azr_engine.trainer.torch_backend import TorchTrainer
from tests.models.small import small_model, some_samples
from tests.trainer.deepspeed_processes import N_UPDATES, SETTINGS, how, samples_of

STAGES = [0, 1, 2, 3]
# By default DeepSpeed keeps small parameters whole, and these are all small.
PARTITION_ALL = {"zero_optimization": {"stage": "auto", "stage3_param_persistence_threshold": 0}}


@pytest.fixture(scope="module", autouse=True)
def process_group() -> Iterator[None]:
    with Crew():
        yield


@pytest.fixture(scope="module")
def partition_all(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("json") / "ds.json"
    file.write_text(json.dumps(PARTITION_ALL))
    return str(file)


def deepspeed(model: Any, config: TrainerConfig, *, bfloat16: bool = False) -> DeepSpeedTrainer:
    return DeepSpeedTrainer(model, config, deepspeed_config(config, bfloat16=bfloat16))


def updates(trainer: Any) -> list[UpdateMetrics]:
    return [trainer.update(samples_of(number), **how(number)) for number in range(N_UPDATES)]


def assert_close(found: list[UpdateMetrics], expected: list[UpdateMetrics]) -> None:
    for a, b in zip(found, expected, strict=True):
        assert dataclasses.asdict(a) == pytest.approx(dataclasses.asdict(b), rel=1e-4, abs=1e-6)


@pytest.fixture(scope="module")
def plain() -> tuple[list[UpdateMetrics], dict[str, torch.Tensor]]:
    trainer = TorchTrainer(small_model(), TrainerConfig(**SETTINGS))
    found = updates(trainer)
    assert max(metrics.grad_norm for metrics in found) > trainer.config.gradient_clip  # clipping is at work
    return found, dict(trainer.weights())


@pytest.mark.parametrize("stage", STAGES)
def test_every_step_is_that_of_plain_torch(
    stage: int, partition_all: str, plain: tuple[list[UpdateMetrics], dict[str, torch.Tensor]]
) -> None:
    trainer = deepspeed(small_model(), TrainerConfig(**SETTINGS, zero_stage=stage, deepspeed=partition_all))
    assert_close(updates(trainer), plain[0])
    weights = {name: value.clone() for name, value in trainer.weights()}
    assert weights.keys() == plain[1].keys()
    for name, value in weights.items():
        assert torch.allclose(value, plain[1][name], atol=1e-4), name
    sampled = dict(trainer.policy_model.named_parameters())
    assert all(torch.equal(sampled[name], value) for name, value in weights.items())


def test_two_processes_train_as_one_and_resume_exactly(
    tmp_path: Path, partition_all: str, plain: tuple[list[UpdateMetrics], dict[str, torch.Tensor]]
) -> None:
    script = Path(__file__).with_name("deepspeed_processes.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    result = subprocess.run(
        [*launcher, str(script), str(tmp_path), partition_all, "0", "2", "3"],
        capture_output=True,
        text=True,
        timeout=300,
        env={key: value for key, value in environment.items() if key != "LOCAL_RANK"},
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert [line["stage"] for line in lines] == [0, 2, 3]
    for line in lines:
        found = [UpdateMetrics(**metrics) for metrics in line["metrics"]]
        assert_close(found[:-1], plain[0])
        assert found[-1] == found[-2]
        assert line["same_weights"]


@pytest.mark.parametrize("stage", [0, 3])
def test_saved_and_loaded_state_continues_bit_for_bit(stage: int, tmp_path: Path, partition_all: str) -> None:
    config = TrainerConfig(**SETTINGS, zero_stage=stage, deepspeed=partition_all)
    trainer, batch = deepspeed(small_model(), config), some_samples(8, 0)
    trainer.update(batch, clip_high=0.2, temperature=1.0)
    trainer.save(tmp_path)
    expected = trainer.update(batch, clip_high=0.2, temperature=1.0)
    other = deepspeed(small_model(), config)
    other.load(tmp_path)
    assert other.weight_version == 1
    assert other.update(batch, clip_high=0.2, temperature=1.0) == expected
    pairs = zip(trainer.policy_model.parameters(), other.policy_model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_another_backends_checkpoint_is_named(tmp_path: Path) -> None:
    TorchTrainer(small_model(), TrainerConfig()).save(tmp_path)
    with pytest.raises(ValueError, match="written by torch in 1 process; this run is deepspeed"):
        deepspeed(small_model(), TrainerConfig()).load(tmp_path)


@pytest.mark.parametrize(
    "options", [{"zero_stage": 2, "offload_optimizer": True}, {"zero_stage": 3, "offload_parameters": True}]
)
def test_offloaded_state_gives_the_same_update(options: dict[str, Any]) -> None:
    batch = some_samples(12, 0)
    plain = TorchTrainer(small_model(), TrainerConfig(**SETTINGS)).update(batch, clip_high=0.2, temperature=1.0)
    trainer = deepspeed(small_model(), TrainerConfig(**SETTINGS, **options))
    assert_close([trainer.update(batch, clip_high=0.2, temperature=1.0)], [plain])


@pytest.mark.parametrize("stage", [1, 3])
def test_bfloat16_stays_near_float32_and_learns_in_steps_it_could_not_hold(stage: int) -> None:
    # A step of 2e-5 is below bfloat16's resolution of most weights: only float32 masters let it add up.
    config = TrainerConfig(learning_rate=2e-5, zero_stage=stage, kl_propose=0)
    batch = some_samples(12, 0)
    trainer = deepspeed(small_model(), config, bfloat16=True)
    assert {parameter.dtype for parameter in trainer.policy_model.parameters()} == {torch.bfloat16}
    plain = TorchTrainer(small_model(), config).update(batch, clip_high=0.2, temperature=1.0)
    first = trainer.update(batch, clip_high=0.2, temperature=1.0)
    assert first.loss == pytest.approx(plain.loss, abs=0.01)
    assert first.grad_norm == pytest.approx(plain.grad_norm, rel=0.05)
    for _ in range(40):
        last = trainer.update(batch, clip_high=0.2, temperature=1.0)
    assert last.loss < first.loss - 0.001


@pytest.mark.parametrize("stage", STAGES)
def test_an_infinite_gradient_changes_nothing_and_says_so(stage: int) -> None:
    trainer = deepspeed(small_model(), TrainerConfig(zero_stage=stage))
    before = {name: value.clone() for name, value in trainer.weights()}
    bad = Sample((5,), (6, 2), (-1.0, -1.0), float("inf"), "solve")
    metrics = trainer.update([bad], clip_high=0.2, temperature=1.0)
    assert not metrics.applied
    assert all(torch.equal(before[name], value) for name, value in trainer.weights())


def test_checkpointed_activations_change_nothing() -> None:
    batch = some_samples(12, 0)
    expected = TorchTrainer(small_model(), TrainerConfig(**SETTINGS)).update(batch, clip_high=0.2, temperature=1.0)
    model = small_model()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    found = deepspeed(model, TrainerConfig(**SETTINGS)).update(batch, clip_high=0.2, temperature=1.0)
    assert_close([found], [expected])


@pytest.mark.parametrize("stage", [0, 3])
def test_layers_by_onednn_learn_the_same(stage: int, partition_all: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "held_back", lambda: True)
    prompt, ids = tuple(range(5, 45)), tuple(range(10, 40))
    batch = [Sample((*prompt, n), ids, (-4.0,) * len(ids), 1.0 - n / 3, "solve") for n in range(6)]
    config = TrainerConfig(kl_propose=0, kl_solve=0, zero_stage=stage, deepspeed=partition_all)
    expected = TorchTrainer(small_model(), config).update(batch, clip_high=0.2, temperature=1.0)
    model = small_model()
    linear.use_wide_vectors(model)
    found = deepspeed(model, config).update(batch, clip_high=0.2, temperature=1.0)
    assert_close([found], [expected])
