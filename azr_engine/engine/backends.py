"""The model, what samples from it and what trains it, chosen by the settings; in one process or several.

Rank 0 plays: it proposes, admits, judges and writes. Every process holds the model, trains its share of each update
and writes its share of each prompt batch. `open_backends` is for rank 0 or a process on its own, `follow` for the
others. Where a server samples, rank 0 alone asks it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.policies.loading import check_quantization
from azr_engine.engine.policies.lora import check_lora
from azr_engine.engine.policies.vllm_engine import check_sleep, check_vllm
from azr_engine.engine.processes import Crew, n_processes, rank
from azr_engine.engine.protocols import Policy, Rendered
from azr_engine.engine.types import Completion
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.protocol import Sample, Trainer, UpdateMetrics

if TYPE_CHECKING:
    from azr_engine.engine.policies.loading import LoadedModel
    from azr_engine.engine.policies.transformers import TransformersPolicy


@dataclasses.dataclass(frozen=True, slots=True)
class Backends:
    """What the loop drives."""

    loaded: LoadedModel
    policy: Policy
    trainer: Trainer


def check_backends(config: RunConfig) -> None:
    """Everything about model and trainer that can be wrong before a model is loaded. Raises UserError."""
    backend, trainer = choose_backend(config), config.trainer
    check_lora(config.model.lora)
    if uses_vllm(config) and config.model.quantize != "none":
        raise UserError("vLLM takes whole weights, no base in 4 bits: leave out model.quantize, or vLLM")
    if config.model.engine_sleep:
        if config.model.engine != "vllm" or config.model.server is not None:
            raise UserError("model.engine_sleep is for an engine of the run's own: set model.engine=vllm and no server")
        check_sleep()
    if config.model.engine == "vllm" and config.model.server is None:
        check_vllm()
        if n_processes() > 1:
            raise UserError("model.engine=vllm samples beside one process that trains; with several, set model.server")
    if config.model.quantize != "none":
        check_quantization(config.model.quantize, config.model.lora)
        if trainer.backend == "deepspeed":
            raise UserError("model.quantize trains with trainer.backend=torch")
    if backend == "torch":
        if n_processes() > 1:
            raise UserError("several processes train with DeepSpeed only; set trainer.backend=deepspeed")
        if trainer.precision == "bfloat16":
            raise UserError("trainer.precision=bfloat16 needs trainer.backend=deepspeed, which keeps float32 masters")
        for name in ("zero_stage", "offload_optimizer", "offload_parameters", "deepspeed"):
            if getattr(trainer, name):
                raise UserError(f"trainer.{name} needs trainer.backend=deepspeed")
    else:
        deepspeed_config(trainer, bfloat16=trainer.precision == "bfloat16")


def choose_backend(config: RunConfig) -> Literal["torch", "deepspeed"]:
    """The trainer that the settings name; with `auto`, DeepSpeed where it is installed and the base is not quantised.

    Raises:
        MissingDependency: DeepSpeed is asked for by name and is not installed.
    """
    installed = find_spec("deepspeed") is not None
    wanted = config.trainer.backend
    if wanted == "auto":
        return "deepspeed" if installed and config.model.quantize == "none" else "torch"
    if wanted == "deepspeed" and not installed:
        raise MissingDependency("trainer.backend=deepspeed needs the package deepspeed: pip install deepspeed")
    return wanted


def uses_vllm(config: RunConfig) -> bool:
    """Whether vLLM samples: then rank 0 alone asks it."""
    return config.model.server is not None or config.model.engine == "vllm"


def uses_bfloat16(config: RunConfig) -> bool:
    """Whether the weights are in bfloat16 on this machine, else in float32."""
    if config.trainer.precision != "auto" or choose_backend(config) == "torch":
        return config.trainer.precision == "bfloat16"
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


@contextmanager
def open_backends(config: RunConfig) -> Iterator[Backends]:
    """Load the model and make what drives it. Raises UserError for what cannot be had."""
    with ExitStack() as stack:
        loaded, policy, trainer, crew = _make(config, stack)
        if crew is not None and crew.size > 1:
            shared = policy if uses_vllm(config) else SharedPolicy(crew, policy)
            yield Backends(loaded, shared, SharedTrainer(crew, trainer))
        else:
            yield Backends(loaded, policy, trainer)


def follow(config: RunConfig) -> None:
    """Work for rank 0 until it is done. Raises PeerLost when it dies."""
    with ExitStack() as stack:
        crew = _make(config, stack)[3]
        if crew is not None:
            crew.serve()


def _make(config: RunConfig, stack: ExitStack) -> tuple[LoadedModel, TransformersPolicy, Trainer, Crew | None]:
    import torch

    from azr_engine.engine.policies.loading import device, load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy

    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(device())
    backend, bfloat16 = choose_backend(config), uses_bfloat16(config)
    model = config.model
    loaded = load_model(
        model.name,
        model.style,
        lora=model.lora,
        quantize=model.quantize,
        precision="bfloat16" if bfloat16 else "float32",
    )
    if config.trainer.gradient_checkpointing:
        loaded.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    crew: Crew | None = None
    trainer: Trainer
    if backend == "torch":
        from azr_engine.trainer.torch_backend import TorchTrainer

        trainer = TorchTrainer(loaded.model, config.trainer)
    else:
        from azr_engine.trainer.deepspeed_backend import DeepSpeedTrainer

        crew = stack.enter_context(Crew(gpu=gpu))
        settings = deepspeed_config(config.trainer, bfloat16=bfloat16)
        trainer = DeepSpeedTrainer(loaded.model, config.trainer, settings)
    loaded = dataclasses.replace(loaded, model=trainer.policy_model)
    if uses_vllm(config) and rank() == 0:
        from azr_engine.engine.policies.vllm import open_vllm
        from azr_engine.trainer.alone import AloneInMemory

        served = open_vllm(
            loaded,
            server=model.server,
            folder=model.server_folder,
            cache_gib=model.engine_cache_gib,
            rank=model.lora.r if model.engine_lora else 0,
            sleeps=model.engine_sleep,
        )
        stack.callback(served.close)
        policy: TransformersPolicy = served
        if model.engine_sleep:
            trainer = AloneInMemory(trainer, served)
    else:
        policy = TransformersPolicy(loaded)
    if crew is not None:
        _register(crew, policy, trainer)
    return loaded, policy, trainer, crew


def _register(crew: Crew, policy: TransformersPolicy, trainer: Trainer) -> None:
    """Let every process do its part of what the leader's `SharedPolicy` and `SharedTrainer` ask."""

    def generate(prompts: Sequence[Sequence[int]], version: int, options: dict[str, Any]) -> list[Any]:
        policy.weight_version = version
        own = _deal(prompts, crew.size)[crew.rank]
        # A seed of its own for each process, so that equal prompts are not answered alike.
        options = {**options, "seed": options["seed"] * crew.size + crew.rank}
        return policy.generate([prompts[i] for i in own], **options) if own else []

    crew.handlers |= {"generate": generate, "update": trainer.update, "save": trainer.save, "load": trainer.load}


def _deal(prompts: Sequence[Sequence[int]], n_hands: int) -> list[list[int]]:
    """Indices of the prompts dealt out by length, so that every process has about the same work."""
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    return [order[hand::n_hands] for hand in range(n_hands)]


class SharedPolicy:
    """A policy whose prompts are dealt out to all processes."""

    def __init__(self, crew: Crew, policy: TransformersPolicy) -> None:
        self._crew = crew
        self._policy = policy
        self.weight_version = policy.weight_version
        self.context_tokens = policy.context_tokens

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        """Token ids of a rendered prompt."""
        return self._policy.encode(rendered)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[list[Completion]]:
        """`n_samples` completions for each prompt, in order; the same for the same seed and number of processes."""
        options = {
            "n_samples": n_samples,
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        parts = self._crew.run("generate", prompts, self.weight_version, options)
        out: list[list[Completion]] = [[] for _ in prompts]
        for hand, part in zip(_deal(prompts, self._crew.size), parts, strict=True):
            for index, group in zip(hand, part, strict=True):
                out[index] = group
        return out


class SharedTrainer:
    """A trainer that has every process do its part."""

    def __init__(self, crew: Crew, trainer: Trainer) -> None:
        self._crew = crew
        self._trainer = trainer
        self.policy_model = trainer.policy_model

    @property
    def weight_version(self) -> int:
        """Of this process's trainer; the others' is the same."""
        return self._trainer.weight_version

    def update(
        self, samples: Sequence[Sample], *, clip_high: float, temperature: float, step_size: float = 1.0
    ) -> UpdateMetrics:
        """One update by all processes."""
        options = {"clip_high": clip_high, "temperature": temperature, "step_size": step_size}
        metrics: UpdateMetrics = self._crew.run("update", samples, **options)[0]
        return metrics

    def save(self, folder: Path) -> None:
        """Every process writes its part into a folder that all of them see."""
        self._crew.run("save", folder)

    def load(self, folder: Path) -> None:
        """Every process reads its part."""
        self._crew.run("load", folder)
