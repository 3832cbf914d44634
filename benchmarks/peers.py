"""The same reinforcement learning step here and in TRL's GRPOTrainer: steps a second, tokens a second, peak memory.

    python benchmarks/peers.py [--steps 6] [--rounds 3] [--prompts 8] [--attempts 4] [--new-tokens 64] [--json]

A random Llama of 2.8 million parameters writes `attempts` answers of exactly `new-tokens` tokens to each of `prompts`
prompts, is paid for digits, and takes one AdamW step over all of them: float32, no leash, advantages without division
by the deviation. Both sides get the same weights, prompts and settings, each in a process of its own with one thread,
in turns; time is the process's CPU time, a figure is the median over the rounds, and the first step of a process is
not counted. Without TRL (`pip install trl`) only our own side is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

LEARNING_RATE = 1e-3


def prompt_texts(n_prompts: int) -> list[str]:
    """Different prompts of equal length."""
    return [f"def f(x): # task {number:03d}\n    return x + " for number in range(n_prompts)]


def digits(text: str) -> float:
    """The reward."""
    return sum(character.isdigit() for character in text) / 10


def save_model(folder: Path) -> None:
    """The model that both sides start from."""
    from transformers import PreTrainedTokenizerFast

    from azr_engine.bootstrap.pretrain import Recipe, build_model
    from azr_engine.bootstrap.tokenizer import build_tokenizer

    tokenizer: PreTrainedTokenizerFast = build_tokenizer()
    recipe = Recipe(hidden=192, layers=6, heads=6, kv_heads=3, intermediate=576)
    build_model(recipe, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def ours(folder: Path, steps: int, n_prompts: int, attempts: int, new_tokens: int) -> list[float]:
    """CPU seconds of each step here."""
    import numpy as np

    from azr_engine.engine.advantages import estimate
    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy
    from azr_engine.trainer.protocol import Sample, TrainerConfig
    from azr_engine.trainer.torch_backend import TorchTrainer

    loaded = load_model(str(folder), "compact")
    config = TrainerConfig(backend="torch", learning_rate=LEARNING_RATE, kl_propose=0.0, kl_solve=0.0)
    policy, trainer = TransformersPolicy(loaded), TorchTrainer(loaded.model, config)
    policy._ends = frozenset({-1})  # every answer has its full length, as on the other side
    prompts = [policy.encode(text) for text in prompt_texts(n_prompts)]
    groups = np.repeat(np.arange(n_prompts), attempts)
    seconds = []
    for step in range(steps):
        started = time.process_time()
        sampled = policy.generate(prompts, n_samples=attempts, max_new_tokens=new_tokens, temperature=1.0, seed=step)
        written = [completion for group in sampled for completion in group]
        advantages = estimate("dr-grpo", np.array([digits(c.text) for c in written]), groups).values
        samples = [
            Sample(c.prompt_ids, c.ids, c.logprobs, float(value), "solve")
            for c, value in zip(written, advantages, strict=True)
        ]
        trainer.update(samples, clip_high=0.2, temperature=1.0)
        seconds.append(time.process_time() - started)
    return seconds


def trl(folder: Path, steps: int, n_prompts: int, attempts: int, new_tokens: int) -> list[float]:
    """CPU seconds of each step in TRL."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Notes when each step was done; the answers to a step are sampled before it is said to begin."""

        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            ends.append(time.process_time())

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            ends.append(time.process_time())

    def reward(completions: Sequence[str], **kwargs: Any) -> list[float]:
        return [digits(text) for text in completions]

    settings = GRPOConfig(
        output_dir=str(folder / "trl"),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        per_device_train_batch_size=n_prompts * attempts,
        num_generations=attempts,
        gradient_accumulation_steps=1,
        steps_per_generation=1,
        num_iterations=1,
        beta=0.0,
        max_completion_length=new_tokens,
        generation_kwargs={"min_new_tokens": new_tokens},
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        max_grad_norm=1.0,
        loss_type="dr_grpo",
        scale_rewards="none",
        max_steps=steps,
        logging_strategy="no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder),
        reward_funcs=reward,
        args=settings,
        train_dataset=Dataset.from_list([{"prompt": text} for text in prompt_texts(n_prompts)]),
        processing_class=AutoTokenizer.from_pretrained(folder, padding_side="left"),
        callbacks=[Clock()],
    )
    trainer.train()
    return [end - start for start, end in pairwise(ends)]


SIDES = {"azr-engine": ours, "trl": trl}


def in_process(side: str, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """One side's run in a process of its own: CPU seconds of a step after the first, and the peak of its memory."""
    sizes = [str(getattr(arguments, name)) for name in ("steps", "prompts", "attempts", "new_tokens")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "DS_ACCELERATOR": "cpu"}
    result = subprocess.run(
        [sys.executable, __file__, "--side", side, str(folder), *sizes],
        capture_output=True,
        text=True,
        env=environment,
    )
    if result.returncode:
        sys.exit(result.stderr)
    found: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return found


def one_side(side: str, folder: str, *sizes: str) -> None:
    """Run in this process and print the figures."""
    import torch

    torch.set_num_threads(1)
    seconds = SIDES[side](Path(folder), *map(int, sizes))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": statistics.median(seconds[1:]), "memory_mb": peak}))


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--side"]:
        one_side(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in [("steps", 6), ("rounds", 3), ("prompts", 8), ("attempts", 4), ("new-tokens", 64)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.steps < 2:
        parser.error("--steps must be at least 2: the first is not counted")
    sides = [side for side in SIDES if side == "azr-engine" or find_spec("trl")]
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder))
        for _ in range(arguments.rounds):
            for side in sides:
                runs[side].append(in_process(side, Path(folder), arguments))
    tokens = arguments.prompts * arguments.attempts * arguments.new_tokens
    result = {}
    for side, found in runs.items():
        seconds = statistics.median(run["seconds"] for run in found)
        memory = statistics.median(run["memory_mb"] for run in found)
        result[side] = {"steps_per_second": 1 / seconds, "tokens_per_second": tokens / seconds, "memory_mb": memory}
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'side':12} {'steps/s':>8} {'tokens/s':>9} {'peak MiB':>9}")
    for side, row in result.items():
        figures = f"{row['steps_per_second']:8.3f} {row['tokens_per_second']:9.0f} {row['memory_mb']:9.0f}"
        print(f"{side:12} {figures}")
    if "trl" in result:
        own, other = result["azr-engine"], result["trl"]
        faster = own["steps_per_second"] / other["steps_per_second"]
        print(f"times TRL's: {faster:.2f} steps/s, {own['memory_mb'] / other['memory_mb']:.2f} memory")
    else:
        print("TRL is not installed here: pip install trl")


if __name__ == "__main__":
    main()
