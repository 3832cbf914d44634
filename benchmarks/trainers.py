"""What DeepSpeed costs beside plain torch: seconds of an update and of a checkpoint, and of getting started.

    python benchmarks/trainers.py [--model azr-tiny] [--samples 64] [--rounds 10] [--stages 0,1,2,3] [--json]

One process. The trainers take turns on the same samples, so that other load falls on all alike; a figure is the median
over the rounds of CPU seconds, and a ratio is to plain torch's. Starting is measured once, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from azr_engine.engine.policies.loading import load_model
from azr_engine.engine.processes import Crew
from azr_engine.trainer.deepspeed_backend import DeepSpeedTrainer
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.protocol import Sample, TrainerConfig
from azr_engine.trainer.torch_backend import TorchTrainer

START = """
import time
from azr_engine.engine.backends import open_backends
from azr_engine.engine.config import load_config
started = time.process_time()
with open_backends(load_config(None, ["threads=1"], {{"model.name": {model!r}, "trainer.backend": {backend!r}}})):
    print(time.process_time() - started)
"""


def random_samples(n_samples: int, vocabulary: int) -> list[Sample]:
    """Sequences like a step's of the embedded model: prompts of 20 to 80 tokens, completions of 10 to 50."""
    rng = random.Random(0)
    samples = []
    for _ in range(n_samples):
        prompt = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(20, 80)))
        ids = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(10, 50)))
        samples.append(Sample(prompt, ids, (-6.0,) * len(ids), rng.uniform(-1, 1), "propose"))
    return samples


def cpu_seconds(action: Callable[[], object]) -> float:
    """CPU seconds of this process's threads that a call takes."""
    started = time.process_time()
    action()
    return time.process_time() - started


def measure(model: str, n_samples: int, rounds: int, stages: list[int]) -> dict[str, dict[str, float]]:
    """Figures by trainer."""
    torch.set_num_threads(1)
    config = TrainerConfig()
    trainers: dict[str, Any] = {"torch": TorchTrainer(load_model(model).model, config)}
    for stage in stages:
        settings = deepspeed_config(TrainerConfig(zero_stage=stage), bfloat16=False)
        trainers[f"deepspeed, ZeRO-{stage}"] = DeepSpeedTrainer(load_model(model).model, config, settings)
    samples = random_samples(n_samples, load_model(model).model.config.vocab_size)
    update: dict[str, list[float]] = {name: [] for name in trainers}
    save: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(rounds + 1):  # the first round warms up
        for name, trainer in trainers.items():
            update[name].append(cpu_seconds(lambda t=trainer: t.update(samples, clip_high=0.2, temperature=1.0)))  # type: ignore[misc]
            with tempfile.TemporaryDirectory() as folder:
                save[name].append(cpu_seconds(lambda t=trainer, f=folder: t.save(Path(f))))  # type: ignore[misc]
    plain = statistics.median(update["torch"][1:])
    return {
        name: {
            "update_seconds": statistics.median(update[name][1:]),
            "update_ratio": statistics.median(update[name][1:]) / plain,
            "save_seconds": statistics.median(save[name][1:]),
        }
        for name in trainers
    }


def start_seconds(model: str) -> dict[str, float]:
    """CPU seconds from nothing imported to a trainer that is ready, by backend."""
    found = {}
    for backend in ("torch", "deepspeed"):
        program = START.format(model=model, backend=backend)
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        found[backend] = float(result.stdout.split()[-1])
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="azr-tiny")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--stages", default="0,1,2,3")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    stages = [int(stage) for stage in arguments.stages.split(",")]
    starts = start_seconds(arguments.model)
    with Crew():
        figures = measure(arguments.model, arguments.samples, arguments.rounds, stages)
    if arguments.json:
        print(json.dumps({"start_seconds": starts, "trainers": figures}))
        return
    print(f"{'trainer':20} {'update, CPU s':>14} {'ratio':>7} {'save, CPU s':>12}")
    for name, row in figures.items():
        print(f"{name:20} {row['update_seconds']:14.3f} {row['update_ratio']:7.2f} {row['save_seconds']:12.3f}")
    print("start, CPU s: " + ", ".join(f"{backend} {seconds:.1f}" for backend, seconds in starts.items()))


if __name__ == "__main__":
    main()
