"""Real vLLM engines that sample with the run's weights, and what a run says when there is none."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import load_file

from azr_engine.engine.backends import check_backends
from azr_engine.engine.config import load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.policies.loading import load_model
from azr_engine.engine.policies.lora import LoraConfig, merged_weights
from azr_engine.engine.policies.vllm import VllmPolicy
from azr_engine.engine.policies.vllm_handover import adapter_folder, base_weights, reserved_rank
from azr_engine.engine.policies.vllm_server import ServerEngine
from azr_engine.engine.types import Completion
from tests.conftest import Command

ENVIRONMENT = {
    "VLLM_SERVER_DEV_MODE": "1",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(__file__).parents[3]),
}
SMALL = "--domains python --threads 1 --set play.proposals=8 --set play.attempts=4"
SMALL += " --set play.replay=4 --set play.anchors=4 --set store.seeds=2 --set model.engine_cache_gib=0.25"
PROMPTS = ["@solve@python", "@solve@math@deduction@operation:expand@expression:(x+1)*(x-2)@answer:"]


@pytest.fixture(scope="session")
def interpreter() -> str:
    """An interpreter that imports vLLM, as `AZR_TEST_VLLM_PYTHON` names it; else why there is none."""
    named = os.environ.get("AZR_TEST_VLLM_PYTHON") or (sys.executable if find_spec("vllm") else None)
    if named is None:
        pytest.skip("vLLM is not installed here: make test-vllm")
    if not Path(named).exists():
        pytest.skip(f"vLLM could not be set up: there is no {named}; run make vllm")
    tried = subprocess.run([named, "-c", "import vllm._C"], capture_output=True, text=True, env=environment())
    if tried.returncode < 0:
        pytest.skip(f"vLLM's build does not run on this processor: {signal.Signals(-tried.returncode).name}")
    if tried.returncode:
        pytest.skip(f"vLLM cannot be imported: {tried.stderr.strip().splitlines()[-1]}")
    return named


def environment() -> Mapping[str, str]:
    return {**os.environ, **ENVIRONMENT}


@pytest.fixture(scope="module")
def server(interpreter: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The URL and the process of a server that began with the embedded model."""
    from azr_engine.engine.policies.loading import EMBEDDED_FOLDER

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "log"
    arguments = f"--model {EMBEDDED_FOLDER} --dtype float32 --enforce-eager --max-model-len 512 --max-num-seqs 64"
    arguments += f" --host 127.0.0.1 --port {port} --logprobs-mode processed_logprobs"
    arguments += " --enable-lora --max-lora-rank 8"
    arguments += " --worker-extension-cls azr_engine.engine.policies.vllm_worker.WeightSync"
    process = subprocess.Popen(
        [interpreter, "-m", "vllm.entrypoints.openai.api_server", *arguments.split()],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        env=environment(),
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 500
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            kill(process)
            pytest.fail(log.read_text()[-3000:])
        time.sleep(1)
    yield url, process
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the server and its engine, which would go on without it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            found += [child, *children(child)]
    return found


def wait_for_end(pid: int) -> None:
    """Return when a process that is not our child is gone, or no more than its entry is left."""
    deadline = time.monotonic() + 60
    file = Path(f"/proc/{pid}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):
        while file.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline, f"process {pid} lives on"
            time.sleep(0.1)


def steps(out: Path) -> list[int]:
    file = out / "metrics.jsonl"
    return [json.loads(line)["step"] for line in file.read_text().splitlines()] if file.exists() else []


def answers(url: str) -> bool:
    """Whether the server is up."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


def served_models(url: str) -> list[str]:
    """The model that a server began with, and the adapters that it was given."""
    with urllib.request.urlopen(f"{url}/v1/models") as answer:
        return [model["id"] for model in json.load(answer)["data"]]


def disturb(model: torch.nn.Module) -> None:
    """Change every weight that learns."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))


def sample(policy: VllmPolicy, temperature: float = 0.5) -> list[list[Completion]]:
    prompts = [policy.encode(prompt) for prompt in PROMPTS]
    return policy.generate(prompts, n_samples=4, max_new_tokens=24, temperature=temperature, seed=3)


@pytest.mark.vllm
@pytest.mark.slow
@pytest.mark.parametrize(("rank", "alone"), [(0, False), (4, False), (4, True)])
def test_served_samples_are_those_of_the_runs_own_weights(
    server: tuple[str, subprocess.Popen[bytes]], tmp_path: Path, rank: int, alone: bool
) -> None:
    from azr_engine.trainer.loss import token_logprobs

    loaded = load_model("azr-tiny", lora=LoraConfig(r=rank))
    policy = VllmPolicy(loaded, ServerEngine(server[0], adapts=alone), tmp_path)
    torch.manual_seed(0)
    disturb(loaded.model)
    policy.weight_version = 1
    first = sample(policy)
    torch.manual_seed(1)
    disturb(loaded.model)
    policy.weight_version = 2
    assert policy.mismatch < 1e-4
    assert (len(served_models(server[0])) == 2) == alone
    groups = sample(policy)
    assert groups != first
    assert sample(policy) == groups
    for group in groups:
        assert len({completion.ids for completion in group}) > 1
        for completion in group:
            assert completion.weight_version == 2
            assert (completion.ids[-1] == 2) == (completion.finish == "stop")
            row = torch.tensor([[*completion.prompt_ids, *completion.ids]])
            with torch.no_grad():
                own, _ = token_logprobs(loaded.model(input_ids=row).logits[:, :-1], row[:, 1:], 0.5)
            own = own[0, len(completion.prompt_ids) - 1 :]
            assert torch.allclose(own, torch.tensor(completion.logprobs), atol=1e-4)
    policy.close()
    assert len(served_models(server[0])) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.vllm
@pytest.mark.slow
def test_a_run_on_a_server_hands_over_every_update(
    azr: Command, server: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = ["run", *SMALL.split(), "--steps", "2", "--out", str(out), "--set", f"model.server={server[0]}", "--json"]
    result = azr(command, timeout=600)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[-1]["weight_version"] > 0
    assert all(0 <= line["policy"]["kl_rollout"] < 1e-6 for line in lines)


@pytest.mark.vllm
@pytest.mark.slow
def test_other_weights_than_the_runs_own_are_refused(
    server: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    first = VllmPolicy(load_model("azr-tiny"), ServerEngine(server[0]), tmp_path)
    second = VllmPolicy(load_model("azr-tiny"), ServerEngine(server[0]), tmp_path)
    second.weight_version = 5
    with pytest.raises(UserError, match="serves weights of version 5, not 0"):
        sample(first)


@pytest.mark.vllm
@pytest.mark.slow
def test_a_killed_server_takes_its_engine_along_and_ends_the_run_with_one_line(
    server: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    url, process = server
    policy = VllmPolicy(load_model("azr-tiny"), ServerEngine(url), tmp_path)
    started = children(process.pid)
    assert started
    process.kill()
    process.wait()
    for pid in started:
        wait_for_end(pid)
    with pytest.raises(UserError, match=r"does not answer .*--resume") as error:
        sample(policy)
    assert "\n" not in str(error.value)


OWN = """
import json, sys
import torch
from pathlib import Path
from azr_engine.engine.policies.loading import load_model
from azr_engine.engine.policies.lora import LoraConfig
from azr_engine.engine.policies.vllm import VllmPolicy
from azr_engine.engine.policies import vllm_engine

folder, write_file = Path(sys.argv[1]), vllm_engine.weights_file
for rank in (4, 0):
    vllm_engine.weights_file = write_file
    loaded = load_model("azr-tiny", lora=LoraConfig(r=rank))
    policy = VllmPolicy(loaded, vllm_engine.OwnEngine(loaded.model, 0.25, rank=rank), folder)
    prompts = [policy.encode(prompt) for prompt in sys.argv[2:]]
    for version in (1, 2, 3):
        with torch.no_grad():
            for parameter in loaded.model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.05 * torch.randn_like(parameter))
        if version == 3:
            policy.rest()
        policy.weight_version = version
        if rank:
            vllm_engine.weights_file = None  # nothing but the adapter from now on
        groups = policy.generate(prompts, n_samples=2, max_new_tokens=16, temperature=0.5, seed=3)
        sampled = [c for group in groups for c in group]
        print(json.dumps([policy.mismatch, sorted({c.weight_version for c in sampled}), [c.ids for c in sampled]]))
    policy.close()
    print(json.dumps([path.name for path in folder.iterdir()]))
"""


@pytest.mark.vllm
@pytest.mark.slow
def test_an_engine_of_the_runs_own_takes_an_adapter_alone_and_weights_whole(interpreter: str, tmp_path: Path) -> None:
    command = [interpreter, "-c", OWN, str(tmp_path), *PROMPTS]
    result = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr[-3000:]
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == 8
    for *rounds, left in (lines[:4], lines[4:]):
        assert [versions for _, versions, _ in rounds] == [[1], [2], [3]]
        assert all(mismatch < 1e-4 for mismatch, _, _ in rounds)
        assert len({json.dumps(ids) for _, _, ids in rounds}) == 3
        assert left == []


@pytest.mark.vllm
@pytest.mark.slow
def test_a_run_with_an_engine_of_its_own_is_killed_and_goes_on(interpreter: str, tmp_path: Path) -> None:
    out, errors = tmp_path / "run", tmp_path / "errors"
    command = [interpreter, "-m", "azr_engine", "run", *SMALL.split(), "--lora", "r=4", "--out", str(out)]
    command += ["--set", "model.engine=vllm"]
    process = subprocess.Popen(
        [*command, "--steps", "1000"], stdout=subprocess.DEVNULL, stderr=errors.open("wb"), env=environment()
    )
    deadline = time.monotonic() + 500
    while len(steps(out)) < 2:
        assert process.poll() is None, errors.read_text()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    made = len(steps(out))
    command = [*command, "--steps", str(made + 1), "--resume"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr
    assert steps(out) == list(range(1, made + 2))
    distances = [json.loads(line)["policy"]["kl_rollout"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert all(0 <= distance < 1e-6 for distance in distances)


def test_an_engine_without_vllm_is_one_line(azr: Command, tmp_path: Path) -> None:
    if find_spec("vllm"):
        pytest.skip("vLLM is installed here")
    result = azr(["run", "--set", "model.engine=vllm", "--out", str(tmp_path / "run")])
    assert result.returncode == 2
    (line,) = [line for line in result.stderr.splitlines() if "error" in line]
    assert "pip install 'azr-engine[vllm]'" in line


def test_a_server_that_is_not_there_is_one_line(azr: Command, tmp_path: Path) -> None:
    result = azr(["run", "--set", "model.server=http://127.0.0.1:9", "--out", str(tmp_path / "run")])
    assert result.returncode == 2
    (line,) = [line for line in result.stderr.splitlines() if "error" in line]
    assert "http://127.0.0.1:9 does not answer" in line


def test_a_server_whose_engine_was_killed_is_one_line() -> None:
    """What a server of vLLM 0.32.0 answers in the second before it ends, said by a server that does not end."""
    died = {"error": {"message": "EngineCore encountered an issue. See stack trace (above)\n", "code": 500}}

    models: list[dict[str, str]] = []

    class Dying(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(200, {"data": models})

        def do_POST(self) -> None:
            self.reply(500, died)

        def reply(self, code: int, body: object) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Dying) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(UserError, match="is none of vLLM's: it names no model"):
            ServerEngine(url)
        models.append({"id": "model"})
        engine = ServerEngine(url)
        with pytest.raises(UserError, match=r"its engine died: .*--resume") as error:
            engine.served()
        server.shutdown()
    assert "\n" not in str(error.value) and "EXTENSION" not in str(error.value).upper()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model.engine_sleep": True}, "for an engine of the run's own"),
        ({"model.engine_sleep": True, "model.engine": "vllm"}, "needs a GPU"),
        ({"model.engine": "vllm", "model.quantize": "nf4"}, "no base in 4 bits"),
        ({"model.server": "http://there", "model.quantize": "nf4"}, "no base in 4 bits"),
    ],
)
def test_what_vllm_cannot_do_is_said_before_a_model_is_loaded(settings: dict[str, object], expected: str) -> None:
    if expected == "needs a GPU" and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UserError, match=expected) as error:
        check_backends(load_config(None, [], settings))
    assert "\n" not in str(error.value)


def test_an_adapter_is_reserved_for_in_steps_and_512_is_the_most() -> None:
    assert [reserved_rank(rank) for rank in (1, 2, 8, 9, 300, 512)] == [1, 8, 8, 16, 320, 512]
    with pytest.raises(UserError, match=r"rank 512 at most, not 513; set model\.engine_lora=false"):
        reserved_rank(513)


def test_the_base_and_the_adapter_go_apart_and_leave_nothing(untrained: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    plain = dict(load_model(str(untrained)).model.named_parameters())
    model = load_model(str(untrained), lora=LoraConfig(r=2)).model
    base = dict(base_weights(model))
    assert base.keys() == plain.keys()
    assert all(torch.equal(value, plain[name]) for name, value in base.items())
    with adapter_folder(model, tmp_path) as folder:
        tensors = load_file(folder / "adapter_model.safetensors")
        assert sum(value.numel() for value in tensors.values()) == sum(
            parameter.numel() for parameter in model.parameters() if parameter.requires_grad
        )
        assert json.loads((folder / "adapter_config.json").read_text())["r"] == 2
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_is_merged_for_the_server_and_left_as_it_was(untrained: Path) -> None:
    pytest.importorskip("peft")
    model = load_model(str(untrained), lora=LoraConfig(r=2)).model
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    merged = {name: value.clone() for name, value in merged_weights(model)}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    expected = dict(model.merge_and_unload().named_parameters())
    assert merged.keys() == expected.keys()
    for name, value in merged.items():
        assert torch.allclose(value, expected[name], atol=1e-6), name
