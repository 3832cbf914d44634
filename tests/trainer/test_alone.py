"""An update that has the memory to itself."""

from __future__ import annotations

from pathlib import Path

from azr_engine.engine.policies.loading import load_model
from azr_engine.trainer.alone import AloneInMemory
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.torch_backend import TorchTrainer


def test_the_policy_rests_before_the_weights_change_and_the_trainer_is_the_same(
    untrained: Path, tmp_path: Path
) -> None:
    trainer = TorchTrainer(load_model(str(untrained)).model, TrainerConfig())
    versions: list[int] = []

    class Policy:
        def rest(self) -> None:
            versions.append(trainer.weight_version)

    alone = AloneInMemory(trainer, Policy())
    sample = Sample((3, 4), (5, 6), (-1.0, -1.0), 1.0, "solve")
    for _ in range(2):
        metrics = alone.update([sample], clip_high=0.2, temperature=1.0)
        assert metrics is not None and metrics.applied
    assert versions == [0, 1]
    assert alone.weight_version == 2 and alone.policy_model is trainer.policy_model
    alone.save(tmp_path)
    alone.update([sample], clip_high=0.2, temperature=1.0)
    alone.load(tmp_path)
    assert alone.weight_version == 2
