"""The memory estimate: against what real processes take, against Transformers' own counts, and by its formulas."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.config import RunConfig, load_config
from azr_engine.engine.memory import Memory, Trainee, Workload, describe, estimate, memory_line, memory_of
from azr_engine.engine.policies.lora import LoraConfig
from azr_engine.engine.policies.shape import Shape, read_shape
from tests.conftest import PATIENCE_SECONDS, Command

EXAMPLES = Path(__file__).parents[2] / "examples"
LLAMA: dict[str, Any] = {"max_position_embeddings": 512, "tie_word_embeddings": True, "pad_token_id": 0}
WIDE: dict[str, Any] = {"hidden_size": 384, "intermediate_size": 1152, "num_hidden_layers": 4, "num_attention_heads": 6}
DEEP: dict[str, Any] = {"hidden_size": 192, "intermediate_size": 576, "num_hidden_layers": 20, "num_attention_heads": 3}
THREE = {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16}
THREE |= {"num_key_value_heads": 2, "vocabulary": 151936}
SEVEN = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}
SEVEN |= {"num_key_value_heads": 4, "vocabulary": 152064}
WORK = {"prompt": 48, "propose": 40, "solve": 24, "proposals": 6, "tasks": 6, "attempts": 4}
WORKLOAD = Workload(**WORK)
SHAPE = Shape(10**6, 10**6, 8 * 10**5, 4, 64, 128, 64, 32, 1000, 512, {})

PEAK = """
import gc, json, random, re, sys
from pathlib import Path
from azr_engine.engine.backends import open_backends
from azr_engine.engine.config import load_config
from azr_engine.trainer.protocol import Sample

def resident(key):
    return 1024 * int(re.search(rf"{key}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def step(folder, settings, prompt, propose, solve, proposals, tasks, attempts):
    rng = random.Random(0)
    with open_backends(load_config(None, settings, {"model.name": folder})) as backends:
        prompts = [[rng.randrange(3, 300) for _ in range(prompt)] for _ in range(max(proposals, tasks))]
        sampled = []
        for role, n, samples, tokens in [("propose", proposals, 1, propose), ("solve", tasks, attempts, solve)]:
            groups = backends.policy.generate(
                prompts[:n], n_samples=samples, max_new_tokens=tokens, temperature=1.0, seed=0
            )
            sampled += [Sample(c.prompt_ids, c.ids, c.logprobs, 1.0, role) for group in groups for c in group]
        for _ in range(2):
            backends.trainer.update(sampled, clip_high=0.2, temperature=1.0)

small, folder, settings, work = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
step(small, settings, 8, 8, 8, 2, 2, 2)
gc.collect()
before = resident("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
step(folder, settings, **work)
print(resident("VmHWM") - before)
"""


def save(folder: Path, *, vocabulary: int, weights: bool = True, **sizes: Any) -> str:
    """A folder with a random Llama and the embedded model's tokenizer, or with its configuration alone."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from azr_engine.bootstrap.tokenizer import build_tokenizer

    config = LlamaConfig(vocab_size=vocabulary, eos_token_id=2, **{**LLAMA, **sizes})
    build_tokenizer().save_pretrained(folder)
    if weights:
        LlamaForCausalLM(config).save_pretrained(folder)
    else:
        config.save_pretrained(folder)
    return str(folder)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel does not reset a process's peak")
@pytest.mark.parametrize(
    ("sizes", "vocabulary", "settings"),
    [
        (WIDE | {"num_key_value_heads": 3}, 4096, ["trainer.backend=torch"]),
        (DEEP | {"num_key_value_heads": 3}, 400, ["trainer.backend=torch", "trainer.kl_propose=0"]),
    ],
    ids=["wide with a leash", "deep without"],
)
def test_the_estimate_is_within_a_fifth_of_a_real_peak(
    tmp_path: Path, sizes: dict[str, Any], vocabulary: int, settings: list[str]
) -> None:
    settings = [*settings, "threads=1", "trainer.micro_batch_tokens=512"]
    small = save(tmp_path / "small", vocabulary=400, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    model = save(tmp_path / "model", vocabulary=vocabulary, **sizes)
    result = subprocess.run(
        [sys.executable, "-c", PEAK, small, model, json.dumps(settings), json.dumps(WORK)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        # Otherwise the C library keeps what was freed, as suits it.
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"},
    )
    assert result.returncode == 0, result.stderr
    measured = int(result.stdout)
    config = load_config(None, settings, {"model.name": model})
    expected = estimate(read_shape(model, LoraConfig()), config, Workload(**WORK), Trainee(bytes=4))
    assert 0.8 < expected.peak / measured < 1.2, f"{describe(expected)}; measured {measured / 2**30:.2f} GiB"


@pytest.mark.parametrize("adapter", [LoraConfig(), LoraConfig(r=4), LoraConfig(r=4, targets=("q_proj", "v_proj"))])
def test_a_shape_counts_what_the_loaded_model_has(tmp_path: Path, adapter: LoraConfig) -> None:
    from azr_engine.engine.policies.loading import load_model

    if adapter.r:
        pytest.importorskip("peft")
    name = save(tmp_path / "m", vocabulary=400, **DEEP | {"num_hidden_layers": 2, "num_key_value_heads": 1})
    model = load_model(name, lora=adapter).model
    shape = read_shape(name, adapter)
    assert shape.parameters == sum(p.numel() for p in model.parameters())
    assert shape.trained == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert (shape.layers, shape.hidden, shape.query, shape.key_value) == (2, 192, 192, 64)


def of(trainee: Trainee, **settings: Any) -> Memory:
    config = load_config(None, [f"trainer.{name}={json.dumps(value)}" for name, value in settings.items()])
    return estimate(SHAPE, config, WORKLOAD, trainee)


def test_zero_stages_spread_what_they_say() -> None:
    alone, state, gradients, everything = (of(Trainee(2, stage, 4)) for stage in range(4))
    n = SHAPE.parameters
    assert (alone.weights, alone.gradients, alone.optimiser) == (2 * n, 4 * n, 8 * n)
    assert (state.weights, state.gradients, state.optimiser) == (2 * n, 4 * n, 12 * n // 4)
    assert (gradients.weights, gradients.gradients, gradients.optimiser) == (2 * n, n, 12 * n // 4)
    assert (everything.weights, everything.reference) == (2 * n + n // 2, n // 2)


def test_what_is_offloaded_moves_to_the_host() -> None:
    here, there = of(Trainee(2, 3, 4)), of(Trainee(2, 3, 4), offload_optimizer=True, offload_parameters=True)
    assert there.optimiser == 0
    assert there.host == here.optimiser + 2 * SHAPE.parameters // 4
    assert there.peak + there.host == here.peak


def with_engine(trainee: Trainee, **settings: Any) -> Memory:
    chosen = {"engine": "vllm", "engine_cache_gib": 2, **settings}
    config = load_config(None, [f"model.{name}={json.dumps(value)}" for name, value in chosen.items()])
    return estimate(
        dataclasses.replace(SHAPE, trained=2000 if "lora.r" in settings else 10**6), config, WORKLOAD, trainee
    )


def test_an_engine_of_the_runs_own_is_held_beside_the_trainer_or_before_it() -> None:
    without, beside = of(Trainee(4)), with_engine(Trainee(4))
    assert (beside.kv_cache, beside.engine) == (0, 4 * 10**6 + 2 * 2**30)
    assert beside.peak - without.peak == beside.engine - max(0, without.kv_cache - without.activations)
    asleep = with_engine(Trainee(4), engine_sleep=True)
    assert (asleep.engine, asleep.kv_cache, asleep.host) == (0, beside.engine, 0)
    assert asleep.peak == beside.peak - min(beside.engine, beside.activations)
    assert "vLLM 2.0" in describe(beside) and "sampling 2.0" in describe(asleep)
    served = with_engine(Trainee(4), server="http://there")
    assert (served.engine, served.kv_cache) == (0, 0)


def test_an_adapter_in_an_engine_takes_the_rank_that_is_reserved_for_it() -> None:
    swapped = with_engine(Trainee(4, adapter=True), **{"lora.r": 4})
    assert swapped.engine == 4 * (10**6 - 2000 + 2 * 2000) + 2 * 2**30
    assert with_engine(Trainee(4, adapter=True), engine_lora=False, **{"lora.r": 4}).engine == swapped.engine - 16000
    assert with_engine(Trainee(4, adapter=True), engine_sleep=True, **{"lora.r": 4}).host == 4 * (10**6 - 2000)


def test_an_adapter_needs_no_reference_and_checkpointing_little_for_activations() -> None:
    assert of(Trainee(4)).reference == of(Trainee(4)).weights
    assert of(Trainee(4, adapter=True)).reference == 0
    assert of(Trainee(4), gradient_checkpointing=True).activations < of(Trainee(4)).activations
    assert of(Trainee(2, four_bits=True)).weights < of(Trainee(2)).weights


def test_the_peak_holds_the_cache_or_the_activations_never_both() -> None:
    memory = of(Trainee(4))
    more = dataclasses.replace(memory, kv_cache=memory.activations + 5)
    assert more.peak == memory.peak + 5


def test_dry_run_ends_with_the_estimate_as_a_comment(azr: Command) -> None:
    result = azr(["run", "--dry-run", "--domains", "python"])
    assert result.returncode == 0, result.stderr
    assert RunConfig.model_validate(tomllib.loads(result.stdout)).domains == ("python",)
    last = result.stdout.splitlines()[-1]
    assert last == f"# {memory_line(load_config())}"
    assert "GiB" in last


def test_a_model_that_is_not_here_leaves_the_estimate_unknown(tmp_path: Path) -> None:
    line = memory_line(load_config(None, (), {"model.name": str(tmp_path / "absent")}))
    assert "unknown" in line and "absent" in line


@pytest.mark.parametrize(
    ("example", "processes", "gib", "sizes"),
    [
        ("1-gpu-3b.toml", 1, 24, THREE),
        ("1-gpu-3b-vllm.toml", 1, 48, THREE),
        ("8-gpus-7b.toml", 8, 80, SEVEN),
        ("8-gpus-7b-vllm.toml", 6, 80, SEVEN),
        ("2-nodes-7b.toml", 8, 80, SEVEN),
    ],
)
def test_an_example_fits_the_gpu_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: str, processes: int, gib: int, sizes: dict[str, Any]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    sizes = {**sizes, "max_position_embeddings": 32768}
    model = save(tmp_path / "m", weights=False, **sizes)
    (tmp_path / "m" / "azr.json").write_text('{"style": "chat"}')
    memory = memory_of(load_config(EXAMPLES / example, (), {"model.name": model}))
    assert 0.25 * gib < memory.peak / 2**30 < 0.9 * gib, describe(memory)


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_an_example_passes_its_dry_run(azr: Command, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    if not example.startswith("1"):
        pytest.importorskip("deepspeed")
    if example.startswith("2"):
        pytest.importorskip("ray")
    if example == "1-gpu-3b-vllm.toml":
        pytest.importorskip("vllm", reason="needs azr-engine[vllm] beside what the tests need")
    pytest.importorskip("peft")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = azr(["run", "--config", str(EXAMPLES / example), "--dry-run"])
    assert result.returncode == 0, result.stderr
    assert "# memory of one process" in result.stdout
