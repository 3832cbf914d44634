"""How much memory each process of a run needs, from the model's shape and the settings; nothing is loaded.

With N parameters of b bytes (4 in float32, 2 in bfloat16), T of which learn, in W processes at ZeRO stage z:

| part | bytes |
|---|---|
| weights | b N; at stage 3 b N / W and a whole copy of b N to sample from; in 4 bits 0.52 of each linear weight |
| reference of the KL leash | b N, at stage 3 over W; nothing with an adapter or without a leash |
| gradients | 4 T, from stage 2 on over W |
| optimiser | AdamW's 8 T, with masters of 4 T from stage 1 on, all over W |
| buffers | from stage 2 on the gradients' bucket, at stage 3 what is gathered for a layer too: DeepSpeed's defaults |
| vLLM | in the run's own process: b of each plain weight once more, its reserved adapter's, and its pool for KV cache |
| KV cache | 2 b layers key_value for each token of every sequence that is decoded at once; nothing where vLLM samples |
| activations | of one micro-batch and layer: b (6 hidden + 4 query + 4 intermediate) for each token, in bfloat16 |
|             | 4 hidden more (norms work in float32); its logits: b + 12 for each, 4 more with a reference |

The last two are never held together, so the peak is the rest and the larger of them. A vLLM that sleeps during the
update takes the KV cache's place there, and the base under an adapter goes to the host meanwhile. The activations are
what PyTorch's graph of a Llama layer keeps (`tests/engine/test_memory.py` measures the sum); checkpointing keeps
`hidden` alone.

Not covered: what the libraries themselves take (most of a GiB; vLLM's working memory as much again), what the allocator
cannot use, and whole weights on their way to vLLM, which pass through the host's memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from azr_engine.engine.backends import choose_backend, uses_bfloat16
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.shape import Shape, read_shape
from azr_engine.engine.policies.transformers import MAX_ROWS, MAX_TOKENS
from azr_engine.engine.policies.vllm_handover import reserved_rank
from azr_engine.engine.processes import n_processes
from azr_engine.engine.session import DEFAULT_TOKENS
from azr_engine.trainer.deepspeed_config import deepspeed_config
from azr_engine.trainer.objective import MAX_LOGITS
from azr_engine.trainer.rows import ROW_TOKENS

_BUCKET = 500_000_000
"""DeepSpeed's `reduce_bucket_size`, in gradients."""

_LIVE = 1_000_000_000
"""DeepSpeed's `stage3_max_live_parameters`."""

_NF4 = 0.52
"""Bytes of a weight in 4 bits with twice quantised scales (arXiv 2305.14314, section 3)."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What one process has to do in a step, at most, in tokens and sequences.

    Attributes:
        prompt: tokens of a prompt.
        propose, solve: tokens of a proposal and of an answer.
        proposals: proposals it writes.
        tasks, attempts: tasks it tries, and tries at each.
    """

    prompt: int
    propose: int
    solve: int
    proposals: int
    tasks: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Trainee:
    """How the weights are held. `bytes` is the b of the formula."""

    bytes: int
    stage: int = 0
    processes: int = 1
    adapter: bool = False
    four_bits: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of each process.

    Attributes:
        kv_cache: what sampling alone holds: the cache, or all of an engine that sleeps during the update.
        engine: what vLLM holds all the time.
        host: what is offloaded to the CPU's memory.
    """

    weights: int
    reference: int
    gradients: int
    optimiser: int
    buffers: int
    kv_cache: int
    activations: int
    engine: int = 0
    host: int = 0
    peak: int = field(init=False)

    def __post_init__(self) -> None:
        held = self.weights + self.reference + self.gradients + self.optimiser + self.buffers + self.engine
        object.__setattr__(self, "peak", held + max(self.kv_cache, self.activations))


def workload(config: RunConfig, context: int, style: str, n_references: int, processes: int) -> Workload:
    """The settings' step; prompts are taken to be a few words and references of a quarter of a proposal's limit."""
    play = config.play
    defaults = DEFAULT_TOKENS[style]
    propose, solve = play.propose_tokens or defaults[0], play.solve_tokens or defaults[1]
    references = n_references if play.references is None else play.references
    prompt = (16 if style == "compact" else 256) + references * propose // 4
    return Workload(
        prompt=max(1, min(prompt, context - max(propose, solve))),
        propose=propose,
        solve=solve,
        proposals=-(-play.proposals // processes),
        tasks=-(-(play.proposals + play.anchors + play.replay) // processes),
        attempts=play.attempts,
    )


def estimate(shape: Shape, config: RunConfig, work: Workload, trainee: Trainee) -> Memory:
    """The formulas above."""
    b, stage, n_processes = trainee.bytes, trainee.stage, trainee.processes
    n, trained, trainer = shape.parameters, shape.trained, config.trainer
    whole = round(b * n - shape.linear * (b - _NF4)) if trainee.four_bits else b * n
    engine, sleeps = _engine(shape, config, b), config.model.engine_sleep
    leash = bool(trainer.kl_propose or trainer.kl_solve)
    state = (8 + (4 if stage else 0)) * trained // (n_processes if stage else 1)
    shard = whole // n_processes if stage == 3 else 0
    buffers = (b * min(trained, _BUCKET) if stage >= 2 else 0) + (b * min(n, _LIVE) if stage == 3 else 0)
    return Memory(
        weights=whole + (0 if trainer.offload_parameters else shard),
        reference=(shard or whole) if leash and not trainee.adapter else 0,
        gradients=4 * trained // (n_processes if stage >= 2 else 1),
        optimiser=0 if trainer.offload_optimizer else state,
        buffers=buffers,
        kv_cache=engine if sleeps else 0 if engine or _samples_elsewhere(config) else _sampling(shape, work, b),
        activations=_update(shape, config, work, b, reference=leash),
        engine=0 if sleeps else engine,
        host=(state if trainer.offload_optimizer else 0)
        + (shard if trainer.offload_parameters else 0)
        + (b * (n - trained) if sleeps and config.model.engine_lora and trainee.adapter else 0),
    )


def _engine(shape: Shape, config: RunConfig, b: int) -> int:
    """What vLLM in the run's own process holds; 0 without."""
    model = config.model
    if model.engine != "vllm" or model.server is not None:
        return 0
    rank = model.lora.r
    plain = shape.parameters - (shape.trained if rank else 0)
    adapter = shape.trained * reserved_rank(rank) // rank if rank and model.engine_lora else 0
    return b * (plain + adapter) + round(model.engine_cache_gib * 2**30)


def _samples_elsewhere(config: RunConfig) -> bool:
    return has_samplers(config) or config.model.server is not None


def _sampling(shape: Shape, work: Workload, b: int, max_rows: int = MAX_ROWS) -> int:
    """KV cache and working memory of the batch that takes most: reading the prompts, or decoding the last token."""

    def batch(n_prompts: int, per_prompt: int, new: int) -> int:
        most = min(max_rows, MAX_TOKENS // (work.prompt + new))
        prompts = min(n_prompts, max(1, most // per_prompt))
        rows, pairs = prompts * per_prompt, 2 * b * shape.key_value
        reading = prompts * work.prompt * b * (3 * shape.intermediate + 4 * shape.hidden)
        # A layer's cache is copied when it grows; sampling holds five float32 arrays of the logits' shape.
        length = work.prompt + new
        decoding = rows * length * pairs + rows * 20 * shape.vocabulary
        return max(
            prompts * work.prompt * pairs * shape.layers + reading, rows * length * pairs * shape.layers + decoding
        )

    return max(batch(work.proposals, 1, work.propose), batch(work.tasks, work.attempts, work.solve))


def _update(shape: Shape, config: RunConfig, work: Workload, b: int, *, reference: bool) -> int:
    """Activations and logits of the largest micro-batch."""
    trainer = config.trainer
    longest = work.prompt + max(work.propose, work.solve, min(work.attempts * work.solve, ROW_TOKENS - work.prompt))
    all_tokens = work.proposals * (work.prompt + work.propose) + work.tasks * (work.prompt + work.attempts * work.solve)
    budget = min(trainer.micro_batch_tokens, max(1, MAX_LOGITS // shape.vocabulary))
    tokens = min(all_tokens, max(budget, longest))
    layer = b * (6 * shape.hidden + 4 * shape.query + 4 * shape.intermediate) + (4 * shape.hidden if b == 2 else 0)
    kept = shape.layers * b * shape.hidden + layer if trainer.gradient_checkpointing else shape.layers * layer
    return tokens * (kept + shape.vocabulary * (b + 12 + (4 if reference else 0)))


def memory_of(config: RunConfig) -> Memory:
    """The estimate for a run with these settings, in as many processes as the launcher says.

    Raises:
        UserError: the model's configuration cannot be had.
    """
    shape = read_shape(config.model.name, config.model.lora)
    bfloat16, stage = uses_bfloat16(config), 0
    if choose_backend(config) == "deepspeed":
        stage = deepspeed_config(config.trainer, bfloat16=bfloat16)["zero_optimization"]["stage"]
    return estimate(
        shape,
        config,
        _workload_of(config, shape, n_processes()),
        Trainee(
            bytes=2 if bfloat16 else 4,
            stage=stage,
            processes=n_processes(),
            adapter=bool(config.model.lora.r),
            four_bits=config.model.quantize == "nf4",
        ),
    )


def sampler_memory(config: RunConfig) -> Memory:
    """The estimate for each sampler of a Ray cluster, which takes all prompts if no other is left.

    Raises:
        UserError: the model's configuration cannot be had.
    """
    shape, b = read_shape(config.model.name, config.model.lora), 2 if uses_bfloat16(config) else 4
    whole = b * shape.parameters - shape.linear * (b - _NF4) * (config.model.quantize == "nf4")
    cache = _sampling(shape, _workload_of(config, shape, 1), b, config.ray.sampler_rows)
    return Memory(round(whole), 0, 0, 0, 0, kv_cache=cache, activations=0)


def has_samplers(config: RunConfig) -> bool:
    """Whether a Ray cluster samples, and the run's own processes do not."""
    return config.ray.address is not None and config.ray.samplers > 0


def _workload_of(config: RunConfig, shape: Shape, processes: int) -> Workload:
    style = config.model.style or shape.settings["style"]
    return workload(config, shape.context, style, int(shape.settings.get("n_references", 3)), processes)


def memory_line(config: RunConfig) -> str:
    """The estimate as one line for people, or why there is none."""
    n = n_processes()
    who = "one process" if n == 1 else f"each of {n} processes"
    try:
        line = f"memory of {who}, estimated: {describe(memory_of(config))}"
        return f"{line}; of each sampler: {describe(sampler_memory(config))}" if has_samplers(config) else line
    except UserError as error:
        return f"memory of {who}: unknown, {error}"


def describe(memory: Memory) -> str:
    """The peak and its parts, in GiB."""
    held = {name: getattr(memory, name) for name in ("weights", "reference", "gradients", "optimiser", "buffers")}
    held["vLLM"] = memory.engine
    parts = ", ".join(f"{name} {_gib(value)}" for name, value in held.items() if value)
    host = f"; {_gib(memory.host)} GiB more in the host's memory" if memory.host else ""
    return (
        f"{_gib(memory.peak)} GiB ({parts}, and the larger of sampling {_gib(memory.kv_cache)} and activations "
        f"{_gib(memory.activations)}){host}"
    )


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.2f}"
