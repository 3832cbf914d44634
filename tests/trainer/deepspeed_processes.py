"""What `test_deepspeed_trainer` starts with torchrun: updates at several ZeRO stages, saved and loaded in between.

Prints, from rank 0, one JSON line a stage: the metrics of each update, and of the last one repeated by a trainer that
was loaded from a checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import torch

from azr_engine.engine.processes import Crew
from azr_engine.trainer.deepspeed_backend import DeepSpeedTrainer
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.protocol import Sample, TrainerConfig
from tests.models.small import small_model, some_samples

SETTINGS = {"learning_rate": 1e-3, "micro_batch_tokens": 128, "gradient_clip": 0.2, "kl_solve": 0.01, "epochs": 2}
SIZES = (1.0, 0.25, 0.5)
"""The updates' step sizes."""
N_UPDATES = len(SIZES)


def samples_of(update: int) -> list[Sample]:
    """More than one micro-batch in every process, and in the second update a single sequence for all of them."""
    return some_samples(1 if update == 1 else 12, update)


def how(update: int) -> dict[str, float]:
    """The options of an update."""
    return {"clip_high": 0.2, "temperature": 1.0, "step_size": SIZES[update]}


def main(folder: Path, json_file: str, stages: list[int]) -> None:
    """Train at each stage."""
    torch.set_num_threads(1)
    with Crew() as crew:
        for stage in stages:
            config = TrainerConfig(**SETTINGS, zero_stage=stage, deepspeed=json_file)
            settings = deepspeed_config(config, bfloat16=False)
            trainer = DeepSpeedTrainer(small_model(), config, settings)
            checkpoint = folder / f"stage-{stage}"
            found = []
            for number in range(N_UPDATES):
                if number == N_UPDATES - 1:
                    if crew.rank == 0:
                        checkpoint.mkdir()
                    torch.distributed.barrier()
                    trainer.save(checkpoint)
                found.append(trainer.update(samples_of(number), **how(number)))
            other = DeepSpeedTrainer(small_model(), config, settings)
            other.load(checkpoint)
            found.append(other.update(samples_of(N_UPDATES - 1), **how(N_UPDATES - 1)))
            pairs = zip(trainer.weights(), other.weights(), strict=True)
            same = [torch.equal(a[1], b[1]) for a, b in pairs]  # a list: every process must ask for every weight
            if crew.rank == 0:
                lines = [dataclasses.asdict(metrics) for metrics in found]
                print(json.dumps({"stage": stage, "metrics": lines, "same_weights": all(same)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(stage) for stage in sys.argv[3:]])
