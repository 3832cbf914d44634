"""Every setting of a run, as one pydantic model per part; importable without torch.

`load_config` layers a TOML file, `--set` assignments and command-line options, later ones winning, and turns every
mistake into one line.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from azr_engine.curriculum.novelty import NoveltyConfig
from azr_engine.curriculum.watch import WatchConfig
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.lora import LoraConfig
from azr_engine.engine.ray.config import RayConfig
from azr_engine.oversight.config import OversightConfig
from azr_engine.trainer.protocol import TrainerConfig
from azr_engine.verifiers.judge.config import JudgeConfig
from azr_engine.verifiers.lean.config import LeanConfig


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(_Section):
    """The policy."""

    name: Annotated[str, Field(description="`azr-tiny`, a local Transformers folder, a GGUF file, or a hub id.")] = (
        "azr-tiny"
    )
    style: Annotated[
        Literal["compact", "chat"] | None, Field(description="Prompt style; empty: what the model's azr.json names.")
    ] = None
    engine: Annotated[
        Literal["transformers", "vllm"],
        Field(description="What samples: Transformers in this process, or a vLLM engine that the run starts."),
    ] = "transformers"
    engine_cache_gib: Annotated[float, Field(gt=0, description="GiB of KV cache of the run's own vLLM engine.")] = 4.0
    engine_lora: Annotated[
        bool, Field(description="Hand vLLM an adapter alone after an update (a server if it can); false: merged.")
    ] = True
    engine_sleep: Annotated[
        bool, Field(description="Have that engine leave its GPU memory to the update, weights and KV cache.")
    ] = False
    server: Annotated[
        str | None, Field(description="URL of a vLLM server that samples, in place of `model.engine`.")
    ] = None
    server_folder: Annotated[
        str | None, Field(description="Folder that run and server see, to hand weights over; empty: a temporary one.")
    ] = None
    lora: LoraConfig = LoraConfig()
    quantize: Annotated[
        Literal["none", "nf4"], Field(description="Keep the base in 4 bits under an adapter (QLoRA); needs a GPU.")
    ] = "none"


class PlayConfig(_Section):
    """How much is proposed and tried in a step, and how it is sampled."""

    proposals: Annotated[int, Field(ge=1, description="Proposals per step, over all domains and kinds.")] = 64
    attempts: Annotated[int, Field(ge=2, description="Tries per admitted task; they are one group.")] = 8
    replay: Annotated[
        int, Field(ge=0, description="Earlier tasks tried again per step, the recent and the learnable first.")
    ] = 32
    anchors: Annotated[
        int, Field(ge=0, description="Fresh tasks per step from the domains' own seeds, beside what is proposed.")
    ] = 32
    references: Annotated[
        int | None, Field(ge=0, description="Earlier tasks shown to the proposer; empty: the model's azr.json, else 3.")
    ] = None
    proposals_per_prompt: Annotated[
        int, Field(ge=1, description="Proposals that share their references, and so cost one reading of the prompt.")
    ] = 4
    temperature: Annotated[
        float | None,
        Field(gt=0, le=10, description="Sampling temperature of both roles; empty: 1 in compact style, 0.7 in chat."),
    ] = None
    propose_tokens: Annotated[
        int | None, Field(ge=1, description="Most tokens of a proposal; empty: 96 in compact style, 1024 in chat.")
    ] = None
    solve_tokens: Annotated[
        int | None, Field(ge=1, description="Most tokens of an answer; empty: 96 in compact style, 1024 in chat.")
    ] = None
    reward: Annotated[
        str,
        Field(
            description="Reward rule: learnability, paper, reference, accuracy, the controls random and shuffled, or a "
            "plugin's."
        ),
    ] = "learnability"
    proposer: Annotated[
        str, Field(description="Where tasks come from: self, frozen, quantilized, grammar, one-example, or fixed:FILE.")
    ] = "self"
    quantile: Annotated[
        float, Field(gt=0, le=1, description="Part of its admissible proposals that the proposer `quantilized` keeps.")
    ] = 0.5
    advantage: Annotated[
        Literal["trr++", "grpo", "dr-grpo", "rloo", "dapo"], Field(description="Advantage estimator.")
    ] = "grpo"
    propose_weight: Annotated[
        float, Field(ge=0, description="Weight of a proposal in the update, against 1 for a try at a task.")
    ] = 0.25
    async_depth: Annotated[
        int, Field(ge=0, le=1, description="Updates that samples may be behind; 1 trains while the next step samples.")
    ] = 0
    curriculum: Annotated[
        str, Field(description="Curriculum: balanced, learnability, progress, bandit, uniform, or a plugin's.")
    ] = "balanced"


class StoreConfig(_Section):
    """The task store."""

    seeds: Annotated[int, Field(ge=1, description="Grammar tasks per domain and kind to start from.")] = 64
    capacity: Annotated[
        int, Field(ge=1, description="Tasks kept as references per domain and kind; the stale leave first.")
    ] = 4096


class CheckpointConfig(_Section):
    """Checkpoints."""

    every: Annotated[int, Field(ge=1, description="Steps between checkpoints; a kill loses at most so many.")] = 1
    keep: Annotated[int, Field(ge=1, description="Checkpoints kept.")] = 2


class EvaluationConfig(_Section):
    """Evaluations of the policy during the run."""

    every: Annotated[int, Field(ge=0, description="Steps between evaluations, not counted in minutes; 0: none.")] = 0
    suite: Annotated[
        str, Field(description="Suite to evaluate on: heldout, dev or safety, or one of the first two and safety.")
    ] = "heldout"
    per_kind: Annotated[int | None, Field(ge=1, description="Tasks of each kind; empty: all.")] = 50
    attempts: Annotated[int, Field(ge=1, description="Tries at each task, for pass@1 up to pass@attempts.")] = 8


class SandboxConfig(_Section):
    """Where model-written code runs."""

    tier: Annotated[
        Literal["auto", "docker", "gvisor", "namespaces", "process"],
        Field(description="Isolation; `auto` takes the strongest that works here."),
    ] = "auto"
    workers: Annotated[int | None, Field(ge=1, description="Worker processes per verifier; empty: one per core.")] = (
        None
    )
    fallback: Annotated[
        Literal["pause", "gvisor", "namespaces", "docker"],
        Field(description="Where to go on when the tier goes away, as when a Docker daemon dies; `pause`: nowhere."),
    ] = "pause"
    i_know_this_is_not_a_sandbox: Annotated[
        bool, Field(description="Allow the tier `process`, which contains accidents but no attack.")
    ] = False


class MathConfig(_Section):
    """The math domain."""

    seeds: Annotated[
        Literal["small", "wide"],
        Field(description="Operations among the first tasks: `small` suits azr-tiny, `wide` has all of them."),
    ] = "small"


class RunConfig(_Section):
    """A run."""

    domains: Annotated[tuple[str, ...], Field(min_length=1, description="Domains to play.")] = ("python", "math")
    steps: Annotated[int, Field(ge=0, description="Steps in all, those of earlier sessions included.")] = 100
    minutes: Annotated[float | None, Field(gt=0, description="Stop after so many minutes of this session.")] = None
    seed: Annotated[int, Field(ge=0, description="Seed of everything random.")] = 1
    threads: Annotated[int | None, Field(ge=1, description="CPU threads of torch; empty: one per core.")] = None
    fault_limit: Annotated[
        float, Field(gt=0, le=1, description="Share of verifier faults in a step over which the run pauses.")
    ] = 0.5
    plugins: Annotated[tuple[str, ...], Field(description="Plugin files or modules to load.")] = ()
    model: ModelConfig = ModelConfig()
    play: PlayConfig = PlayConfig()
    trainer: TrainerConfig = TrainerConfig()
    store: StoreConfig = StoreConfig()
    novelty: NoveltyConfig = NoveltyConfig()
    watch: WatchConfig = WatchConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    sandbox: SandboxConfig = SandboxConfig()
    math: MathConfig = MathConfig()
    lean: LeanConfig = LeanConfig()
    judge: JudgeConfig = JudgeConfig()
    oversight: OversightConfig = OversightConfig()
    ray: RayConfig = RayConfig()


def load_config(
    file: Path | None = None,
    assignments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The configuration from a file, then `a.b=c` assignments, then dotted options whose value is not None.

    Raises:
        UserError: naming the file, line or setting that is wrong.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        tree = _read_toml(file)
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--set {assignment!r} is not of the form name=value")
        _assign(tree, name.strip(), _value(text.strip()))
    for name, value in (options or {}).items():
        if value is not None:
            _assign(tree, name, value)
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        raise UserError(_explain(error, file)) from None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the configuration {file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not valid TOML: {error}") from None


def _assign(tree: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise UserError(f"setting {name!r}: {part!r} is a value, not a section")
    tree[last] = value


def _value(text: str) -> Any:
    """`text` as a TOML value where it is one, else as plain text."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except (ValueError, RecursionError):  # no TOML, a number of too many digits, or nested too deeply
        return text


def _explain(error: ValidationError, file: Path | None) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    where = f" (in {file} or on the command line)" if file else ""
    if first["type"] == "extra_forbidden":
        section = ".".join(str(part) for part in first["loc"][:-1])
        known = sorted(key.removeprefix(f"{section}.") for key, _ in settings() if key.startswith(section))
        return f"unknown setting {name!r}{where}; known here: {', '.join(known)}"
    return f"setting {name!r}{where}: {first['msg']}, not {first['input']!r}"


def settings(model: type[BaseModel] = RunConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting's dotted name and its pydantic field, for help and documentation."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from settings(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def to_toml(config: RunConfig) -> str:
    """The configuration as TOML that `load_config` reads back; settings without a value are left out."""
    return "\n".join(_toml_lines(config.model_dump(mode="json", exclude_none=True), "")) + "\n"


def _toml_lines(tree: Mapping[str, Any], section: str) -> Iterator[str]:
    """The values of a section, then its sections."""
    yield from (f"{key} = {_toml_value(value)}" for key, value in tree.items() if not isinstance(value, dict))
    for key, values in tree.items():
        if isinstance(values, dict):
            yield from ("", f"[{section}{key}]", *_toml_lines(values, f"{section}{key}."))


def _toml_value(value: Any) -> str:
    # JSON's texts, numbers, booleans and arrays are TOML as they stand, but for the one control character JSON allows.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
