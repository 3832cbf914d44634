"""Runs on a real two-node Ray cluster: the same results as without, whatever dies in the middle."""

from __future__ import annotations

import asyncio
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from azr_engine.cli.app import build_app
from azr_engine.engine.config import RunConfig, load_config
from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.policies.loading import load_model
from azr_engine.engine.policies.lora import LoraConfig
from azr_engine.engine.policies.transformers import TransformersPolicy
from azr_engine.engine.ray import cluster as joining
from azr_engine.engine.ray.cluster import open_cluster
from azr_engine.engine.ray.pool import MAX_LOSSES, ActorPool, ActorsLost
from azr_engine.engine.ray.sampling import RayPolicy, pack, unpack
from azr_engine.engine.session import open_session, set_up
from azr_engine.engine.store import TaskStore
from azr_engine.plugins.manager import Plugins
from azr_engine.trainer.checkpoints import trained_parameters
from tests.conftest import Command
from tests.engine.test_self_play import timeless

HEAD = {"num_cpus": 3, "object_store_memory": 100 * 2**20, "include_dashboard": False}
NODE = {**HEAD, "num_cpus": 2}
# On a busy machine Ray would give up while a node still starts.
ENVIRONMENT = {"RAY_raylet_start_wait_time_s": "300", "RAY_gcs_server_request_timeout_seconds": "300"}
ENVIRONMENT["RAY_USAGE_STATS_ENABLED"] = "0"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of one node, to which a test may add others."""
    pytest.importorskip("ray", reason="needs azr-engine[ray]")
    os.environ |= ENVIRONMENT
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=HEAD)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def connection(cluster: Any) -> Iterator[Any]:
    """Ray, with this process connected to the cluster; what it starts there ends with it."""
    import ray

    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


def make_pool(ray: Any, folder: Path, lanes: int = 2) -> ActorPool:
    """Two actors that share a folder and do not last."""

    class Fragile:
        async def start(self, folder: str) -> None:
            self.folder = Path(folder)
            if (self.folder / "refuse").exists():
                raise UserError("the node is not ready")

        async def square(self, n: int, fatal: int) -> int:
            """Dies with its process in the first `fatal` tries."""
            tries = len(list(self.folder.glob(f"try-{n}-*")))
            (self.folder / f"try-{n}-{tries}").touch()
            if tries < fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            if n < 0:
                raise LookupError(n)
            return n * n

        async def close(self) -> None:
            (self.folder / f"closed-{os.getpid()}").touch()

    return ActorPool(lambda number: ray.remote(Fragile).options(num_cpus=0.25).remote(), 2, (str(folder),), lanes)


def test_calls_lost_with_their_worker_are_sent_again_and_keep_their_order(connection: Any, tmp_path: Path) -> None:
    pool = make_pool(connection, tmp_path)
    calls = [(n, 1 if n in (2, 5) else 0) for n in range(9)]
    assert pool.run("square", calls) == [n * n for n in range(9)]
    assert (tmp_path / "try-2-1").exists() and (tmp_path / "try-5-1").exists()
    with pytest.raises(LookupError, match="-1"):
        pool.run("square", [(1, 0), (-1, 0)])
    with pytest.raises(ActorsLost, match=f"lost {MAX_LOSSES} Ray workers"):
        pool.run("square", [(20, MAX_LOSSES)])
    assert pool.run("square", [(30, 0)]) == [900]
    pool.close()
    assert list(tmp_path.glob("closed-*"))


def test_what_a_node_lacks_is_said_at_once(connection: Any, tmp_path: Path) -> None:
    (tmp_path / "refuse").touch()
    with pytest.raises(UserError, match="the node is not ready"):
        make_pool(connection, tmp_path).wait()


def actors(kind: str) -> list[int]:
    """Process ids of the cluster's living actors of a kind."""
    ray = {int(pid) for pid in (path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline"))}
    return [pid for pid in ray if title(pid).startswith(f"ray::{kind}")]


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Process ids of a process's descendants."""
    own = [int(c) for path in Path(f"/proc/{pid}/task").glob("*/children") for c in path.read_text().split()]
    return own + [grandchild for child in own for grandchild in children(child)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def play(
    settings: dict[str, Any], out: Path, *, resume: bool = False, between: Callable[[int], None] = lambda step: None
) -> list[int]:
    """Play a small run to its end; the version of the weights that sample, after each step."""
    small = {"play.proposals": 8, "play.attempts": 4, "play.replay": 4, "store.seeds": 4, "trainer.backend": "torch"}
    config = load_config(None, [], {**small, "threads": 1, **settings})

    async def run() -> list[int]:
        async with open_session(set_up(config, Plugins()), out, resume=resume) as loop:
            versions: list[int] = []

            def report(line: dict[str, Any]) -> None:
                versions.append(loop.parts.policy.weight_version)
                between(line["step"])

            await loop.play(report)
            return versions

    return asyncio.run(run())


def test_a_run_that_loses_a_worker_and_a_node_gives_the_same_metrics(cluster: Any, tmp_path: Path) -> None:
    node, orphans = cluster.add_node(**NODE), []

    def disaster(step: int) -> None:
        if step == 1:
            assert len(actors("Sampler")) == 1
            victim, _ = actors("VerifierWorker")
            orphans.extend(children(victim))
            os.kill(victim, signal.SIGKILL)
        if step == 2:
            cluster.remove_node(node, allow_graceful=False)

    settings = {"domains": ["python", "math"], "steps": 3}
    play({**settings, "ray.address": cluster.address, "ray.samplers": 1}, tmp_path / "ray", between=disaster)
    play(settings, tmp_path / "plain")
    assert timeless(tmp_path / "ray") == timeless(tmp_path / "plain")
    assert orphans and not [pid for pid in orphans if alive(pid)], "a sandbox outlived its worker"


def disturb(model: torch.nn.Module) -> None:
    """Change every weight that learns."""
    with torch.no_grad():
        for _, parameter in trained_parameters(model):
            parameter.add_(0.1 * torch.randn_like(parameter))


def test_samplers_write_what_the_runs_own_policy_would(cluster: Any, untrained: Path) -> None:
    settings = {"ray.address": cluster.address, "ray.samplers": 2, "ray.sampler_rows": 8, "ray.verifiers": 1}
    config = load_config(None, [], {**settings, "model.name": str(untrained), "threads": 1})
    loaded = load_model(config.model.name)
    own = TransformersPolicy(loaded, max_rows=8)
    prompts = [own.encode("@solve@python@" + "x" * (n % 4)) for n in range(7)]
    options: dict[str, Any] = {"n_samples": 4, "max_new_tokens": 8, "temperature": 1.0, "seed": 5}
    with open_cluster(config, []) as samplers:
        assert samplers is not None
        policy = RayPolicy(loaded, samplers, 8)
        first = policy.generate(prompts, **options)
        assert first == own.generate(prompts, **options)
        disturb(loaded.model)
        own.weight_version = policy.weight_version = 1
        os.kill(actors("Sampler")[0], signal.SIGKILL)
        second = policy.generate(prompts, **options)
        assert second == own.generate(prompts, **options)
        assert {completion.weight_version for group in second for completion in group} == {1}
        assert [[c.ids for c in group] for group in second] != [[c.ids for c in group] for group in first]
        assert policy.generate([], **options) == []


def test_one_step_off_samples_are_one_update_old_and_a_resumed_run_goes_on_alike(cluster: Any, tmp_path: Path) -> None:
    settings = {"ray.address": cluster.address, "ray.samplers": 1, "ray.verifiers": 1, "domains": ["python"]}
    settings |= {"play.async_depth": 1, "checkpoint.every": 2, "steps": 4}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert play(settings, whole) == [0, 2, 2, 4]
    assert [line["weight_version"] for line in timeless(whole)] == [0, 1, 2, 3]
    with TaskStore(whole / "tasks.sqlite", read_only=True) as store:
        attempts = [attempt for task in store.tasks(limit=10_000) for attempt in store.attempts(task.id)]
    assert {(attempt.step, attempt.weight_version) for attempt in attempts} == {(1, 0), (2, 0), (3, 2), (4, 2)}
    shutil.copytree(whole, cut)
    shutil.rmtree(cut / "checkpoints" / "step-4")
    assert play(settings, cut, resume=True) == [2, 4]
    assert timeless(cut) == timeless(whole)


def test_one_step_off_needs_samplers() -> None:
    with pytest.raises(UserError, match=r"give --ray and ray\.samplers"):
        set_up(load_config(None, [], {"play.async_depth": 1}), Plugins())


@pytest.mark.parametrize("rank", [0, 2])
def test_packed_weights_make_a_copy_the_same_and_no_other_model(untrained: Path, rank: int) -> None:
    if rank:
        pytest.importorskip("peft")
    model, copy = (load_model(str(untrained), lora=LoraConfig(r=rank)).model for _ in range(2))
    disturb(model)
    unpack(copy, pack(model))
    assert all(torch.equal(value, copy.state_dict()[name]) for name, value in model.state_dict().items())
    unpack(copy, pack(model.requires_grad_(False)))  # as a copy under ZeRO-3 is
    with pytest.raises(UserError, match="is the same one on every node"):
        unpack(load_model(str(untrained), lora=LoraConfig(r=3)).model if rank else torch.nn.Linear(2, 2), pack(copy))


def test_a_cluster_that_cannot_serve_is_one_line(cluster: Any) -> None:
    for address, workers, expected in [
        ("127.0.0.1:9", 1, "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://there", 1, "neither `auto` nor HOST:PORT"),
        (cluster.address, 50, "50 workers need 50 CPUs of the Ray cluster, which has"),
    ]:
        config = load_config(None, [], {"ray.address": address, "ray.verifiers": workers})
        with pytest.raises(UserError, match=re.escape(expected)) as error, open_cluster(config, []):
            pass
        assert "\n" not in str(error.value)


def test_the_options_set_what_they_say() -> None:
    options = ["run", "--ray", "auto", "--set", "ray.samplers=2", "--async-depth", "1", "--dry-run"]
    result = CliRunner().invoke(build_app(options), options)
    assert result.exit_code == 0, result.output
    config = RunConfig.model_validate(tomllib.loads(result.output))
    assert (config.ray.address, config.ray.samplers, config.play.async_depth) == ("auto", 2, 1)
    assert "of each sampler" in result.output.splitlines()[-1]


def gone(pid: int) -> bool:
    """Whether a process that is not our child ends within a minute."""
    try:
        return bool(select.select([os.pidfd_open(pid)], [], [], 60)[0])
    except ProcessLookupError:
        return True


def test_a_killed_head_ends_the_run_with_one_line_and_it_goes_on_without_a_cluster(
    azr: Command, cluster: Any, tmp_path: Path
) -> None:
    """Comes last of the tests that need the cluster."""
    out = tmp_path / "run"
    arguments = ["run", "--json", "--domains", "python", "--threads", "1", "--out", str(out), "--steps", "1000"]
    for setting in ("play.proposals=4", "play.attempts=2", "store.seeds=2", "trainer.backend=torch"):
        arguments += ["--set", setting]
    with subprocess.Popen(
        [sys.executable, "-m", "azr_engine", *arguments, "--ray", cluster.address, "--set", "ray.verifiers=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None and run.stderr is not None
        for line in run.stderr:
            if line.startswith("step 1/"):
                break
        (worker,) = actors("VerifierWorker")
        for process in ("raylet", "gcs_server"):
            os.kill(cluster.head_node.all_processes[process][0].process.pid, signal.SIGKILL)
        said = [line for line in run.stderr if not line.startswith("step ")]
        assert (run.stdout.read(), run.wait()) == ("", 2)
    assert len(said) == 1 and re.fullmatch(r"error: the Ray cluster is gone \(.*\); .* use --resume\n", said[0]), said
    assert gone(worker), "a worker outlived its node"
    done = len(timeless(out))
    assert done > 0
    result = azr([*arguments, "--steps", str(done + 1), "--resume", "--ray", ""])
    assert result.returncode == 0, result.stderr
    assert [line["step"] for line in timeless(out)] == list(range(1, done + 2))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "find_spec", lambda name: None)
    joining.check_ray(load_config())
    with pytest.raises(MissingDependency, match=r"pip install 'azr-engine\[ray\]'"):
        joining.check_ray(load_config(None, [], {"ray.address": "auto"}))
