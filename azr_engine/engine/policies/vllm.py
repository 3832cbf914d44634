"""Sampling by vLLM, with the run's own weights: what its engines have in common.

An engine begins with any weights of the same model. Whenever the policy is told that the weights have another version,
it has the engine take them, and every batch is preceded by a check that the engine still serves that version, so a
restarted one is noticed. After each handover the engine's log-probabilities are compared with the model's own on one
prompt.

`vllm_server.py` speaks to a server that was started apart, `vllm_engine.py` starts an engine for this run alone; see
`docs/scale.md`. Not covered: prompts other than text.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.policies.vllm_engine import OwnEngine
from azr_engine.engine.policies.vllm_protocol import Engine, Request
from azr_engine.engine.policies.vllm_server import ServerEngine
from azr_engine.engine.types import Completion

MAX_MISMATCH = 0.1
"""Mean distance of log-probabilities, in nats a token, over which the two engines cannot be of the same model."""

_MASK31 = (1 << 31) - 1


def open_vllm(
    loaded: LoadedModel, *, server: str | None, folder: str | None, cache_gib: float, rank: int, sleeps: bool
) -> VllmPolicy:
    """The policy of a server, or of an engine that is started for it.

    Args:
        server: URL; None starts an engine.
        folder: that run and server see; None makes one here.
        cache_gib: KV cache of an engine that is started.
        rank: of the adapter that is handed over alone; 0 for whole weights, an adapter merged.
        sleeps: whether an engine that is started leaves its memory to the update.

    Raises:
        UserError: the server does not answer, or the engine does not start.
    """
    engine: Engine
    if server is not None:
        engine = ServerEngine(server, adapts=rank > 0)
    else:
        engine = OwnEngine(loaded.model, cache_gib, rank=rank, sleeps=sleeps)
    return VllmPolicy(loaded, engine, Path(folder) if folder else None)


class VllmPolicy(TransformersPolicy):
    """The model as vLLM samples from it; what encodes prompts and trains stays in this process.

    Args:
        loaded: model and tokenizer; the model's weights are those that are handed over.
        engine: closed with the policy.
        shared: a folder that this process and the engine see; a temporary one by default.

    Raises:
        UserError: the engine cannot take weights, or has another model.
    """

    def __init__(self, loaded: LoadedModel, engine: Engine, shared: Path | None = None) -> None:
        self._engine = engine
        self._shared = Path(tempfile.mkdtemp(prefix="azr-weights-", dir=shared))
        self._version = -1
        self.mismatch = 0.0
        """Mean distance of the engine's log-probabilities from the model's own when weights were last handed over."""
        try:
            super().__init__(loaded)
        except BaseException:
            self.close()
            raise

    @property
    def weight_version(self) -> int:
        """The version of the weights that completions are sampled with. Setting another hands the weights over."""
        return self._version

    @weight_version.setter
    def weight_version(self, version: int) -> None:
        if version != self._version:
            self._engine.take(self.model, self._shared, version)
            self._version = version
            self._compare()

    def rest(self) -> None:
        """Have the engine leave its memory to the trainer until the weights' version is set again."""
        self._engine.sleep()
        self._version = -1

    def close(self) -> None:
        """Stop an engine of this run's own, and remove what was handed over."""
        self._engine.close()
        shutil.rmtree(self._shared, ignore_errors=True)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
        offset: int = 0,
    ) -> list[list[Completion]]:
        """`n_samples` completions for each prompt; temperature 0 means greedy.

        Args:
            offset: prompts of the same seed that were or will be sampled before these, elsewhere.

        Raises:
            UserError: the engine is gone, or serves other weights than these.
        """
        self._check_version()
        request = Request(n_samples, max_new_tokens, temperature, tuple(sorted(self._ends)))
        seeds = [(seed * 1_000_003 + (offset + number) * n_samples) & _MASK31 for number in range(len(prompts))]
        groups = self._engine.sample(prompts, seeds, request)
        return [
            [self._completion(prompt, ids, logprobs) for ids, logprobs in group]
            for prompt, group in zip(prompts, groups, strict=True)
        ]

    def _check_version(self) -> None:
        served = self._engine.served()
        if served != {str(self._version)}:
            raise UserError(
                f"{self._engine.name} serves weights of version {', '.join(sorted(served))}, not {self._version}; was "
                "it restarted? Continue with --resume"
            )

    @torch.inference_mode()
    def _compare(self) -> None:
        """Sample a few tokens at another temperature than 1, and score them with the model itself."""
        temperature = 0.7
        prompt = self.encode("1 + 1 =")
        ((completion,),) = self.generate([prompt], n_samples=1, max_new_tokens=16, temperature=temperature, seed=0)
        self.model.eval()
        row = torch.tensor([[*prompt, *completion.ids]], device=self.model.device)
        logits = self.model(input_ids=row).logits[:, len(prompt) - 1 : -1]
        own = torch.log_softmax(logits[0].float() / temperature, -1).gather(1, row[0, len(prompt) :, None]).squeeze(1)
        self.mismatch = float((own - torch.tensor(completion.logprobs, device=own.device)).abs().mean())
        if not self.mismatch < MAX_MISMATCH:
            raise UserError(
                f"{self._engine.name} gives log-probabilities {self.mismatch:.2f} nats from the model's own; "
                f"{self._engine.mend}"
            )
