"""Tokens a second that the plain trainer learns from, beside a bare torch loop over the same length-sorted batches.

The bare loop pads each micro-batch on the right, takes log-probabilities of the completions, and does one clipped AdamW
step on advantage times log-probability. Both sides have no leash. Once with a prompt of its own for every answer, once
with groups of 8 to a prompt, whose prompt our trainer reads once; tokens are those of all prompts and answers as the
bare loop reads them. One thread, in turns, by CPU time, the first round not counted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azr_engine.benchmarks.figures import Figure, times
from azr_engine.benchmarks.generation import MODEL, rates

if TYPE_CHECKING:
    from azr_engine.trainer.protocol import Sample

N_SAMPLES, GROUP = 128, 8
PEER = "bare torch loop"


def measure() -> list[Figure]:
    """Both settings."""
    import torch

    from azr_engine.engine.policies.loading import load_model
    from azr_engine.trainer.protocol import TrainerConfig
    from azr_engine.trainer.torch_backend import TorchTrainer

    torch.set_num_threads(1)
    config = TrainerConfig(backend="torch", kl_propose=0.0, kl_solve=0.0)
    trainer, bare = TorchTrainer(load_model(MODEL).model, config), BareLoop(load_model(MODEL).model, config)
    figures = []
    for name, group in (("a prompt for each answer", 1), (f"groups of {GROUP}", GROUP)):
        samples = made_up(N_SAMPLES, group, int(trainer.model.config.vocab_size))  # type: ignore[union-attr,arg-type]
        n_tokens = sum(len(s.prompt_ids) + len(s.ids) for s in samples)

        def own(some: Sequence[Sample] = samples, n: int = n_tokens) -> int:
            trainer.update(some, clip_high=0.2, temperature=1.0)
            return n

        def peer(some: Sequence[Sample] = samples, n: int = n_tokens) -> int:
            bare.update(some)
            return n

        ours, theirs = rates([own, peer])
        unit = "tokens/CPU s"
        figures += [times(name, ours, unit, PEER, theirs, 0.9), Figure(f"{name}: {PEER}", theirs, unit)]
    return figures


def made_up(n: int, group: int, vocabulary: int) -> list[Sample]:
    """Sequences as long as a step's of the embedded model: prompts of 20 to 80 tokens, completions of 10 to 50."""
    from azr_engine.trainer.protocol import Sample

    rng = random.Random(0)
    samples = []
    for _ in range(n // group):
        prompt = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(20, 80)))
        for _ in range(group):
            ids = tuple(rng.randrange(3, vocabulary) for _ in range(rng.randint(10, 50)))
            samples.append(Sample(prompt, ids, (-6.0,) * len(ids), rng.uniform(-1, 1), "solve"))
    return samples


class BareLoop:
    """What one would write without a trainer."""

    def __init__(self, model: Any, config: Any) -> None:
        import torch

        self.model, self.config = model, config
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)

    def update(self, samples: Sequence[Sample]) -> None:
        """One step over all samples."""
        import torch

        from azr_engine.trainer.batching import micro_batches, pad_right

        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        n_completion = sum(len(sample.ids) for sample in samples)
        lengths = [len(sample.prompt_ids) + len(sample.ids) for sample in samples]
        for batch in micro_batches(lengths, self.config.micro_batch_tokens, 0.7):
            rows = [samples[i] for i in batch]
            ids = pad_right([(*row.prompt_ids, *row.ids) for row in rows])
            weights = torch.zeros(ids.shape)
            for number, row in enumerate(rows):
                weights[number, len(row.prompt_ids) : len(row.prompt_ids) + len(row.ids)] = row.advantage
            logits = self.model(input_ids=ids, use_cache=False).logits[:, :-1]
            logprobs = torch.log_softmax(logits, -1).gather(2, ids[:, 1:, None]).squeeze(2)
            (-(weights[:, 1:] * logprobs).sum() / n_completion).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        self.optimiser.step()
