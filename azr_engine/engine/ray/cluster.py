"""Joining a Ray cluster for the length of a run: connect, reserve places on its nodes, start the actors there.

All places are one placement group, so a run either has what it asks for or says at once what is missing. A place on a
node that dies moves to another node when there is room, else it waits for one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from azr_engine.engine.backends import uses_bfloat16
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.protocols import Verifier
from azr_engine.engine.ray.lifeline import ending_with_cluster, silence
from azr_engine.engine.ray.pool import ActorPool
from azr_engine.engine.ray.verifying import LANES, RayVerifier, VerifierWorker
from azr_engine.verifiers.judge.building import truth_of

_RESERVE_SECONDS = 30.0
_SAMPLER_LANES = 2

Needs = dict[str, float]
"""What one actor takes of its node: CPUs, GPUs."""


def check_ray(config: RunConfig) -> None:
    """Raises UserError where a cluster is asked for and Ray is not installed, or something else samples already."""
    if config.play.async_depth and (config.ray.address is None or not config.ray.samplers):
        raise UserError("play.async_depth needs samplers beside the trainer: give --ray and ray.samplers")
    if config.ray.address is None:
        return
    if find_spec("ray") is None:
        raise MissingDependency("--ray needs the package ray: pip install 'azr-engine[ray]'")
    if config.ray.samplers and (config.model.server is not None or config.model.engine != "transformers"):
        raise UserError("ray.samplers and vLLM cannot both sample; set ray.samplers=0 or leave model.engine and server")


@contextmanager
def open_cluster(config: RunConfig, verifiers: Iterable[Verifier]) -> Iterator[ActorPool | None]:
    """Join the configured cluster and have its workers do the verifiers' work; nothing without a cluster.

    Yields:
        The samplers that `RayPolicy` asks, on their way to be ready; None without any.

    Raises:
        UserError: there is no such cluster, it has no room, or a node cannot start a worker.
    """
    if config.ray.address is None:
        yield None
        return
    spread = [truth for v in verifiers if isinstance(truth := truth_of(v), RayVerifier)]
    # Ray prints what its daemons report, and their logs, among the results; this has it skip every line.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")
    import ray

    try:
        _connect(config.ray.address)
        with ending_with_cluster():
            samplers, workers = _employ(config, spread)
            yield samplers
            workers.close()
    finally:
        ray.shutdown()


def _employ(config: RunConfig, verifiers: Sequence[RayVerifier]) -> tuple[ActorPool | None, ActorPool]:
    """The samplers, on their way to be ready, and the workers that do the verifiers' work from now on."""
    import ray

    checking: Needs = {"CPU": float(config.sandbox.workers or 1)}
    writing: Needs = {"CPU": 1.0, **({"GPU": 1.0} if ray.cluster_resources().get("GPU") else {})}
    n_nodes = sum(node["Alive"] and node["Resources"].get("CPU", 0.0) >= checking["CPU"] for node in ray.nodes())
    n_verifiers, n_samplers = config.ray.verifiers or max(1, n_nodes), config.ray.samplers
    places = _reserve([checking] * n_verifiers + [writing] * n_samplers)
    settings, samplers = config.model_dump_json(), None
    if n_samplers:
        from azr_engine.engine.ray.sampling import Sampler

        make = _maker(Sampler, places, n_verifiers, writing)
        samplers = ActorPool(make, n_samplers, (settings, uses_bfloat16(config)), _SAMPLER_LANES)
    names = sorted(verifier.name for verifier in verifiers)
    workers = ActorPool(_maker(VerifierWorker, places, 0, checking), n_verifiers, (settings, names), LANES)
    workers.wait()
    for verifier in verifiers:
        verifier.pool = workers
    return samplers, workers


def _connect(address: str) -> None:
    """Connect this process; one line where it cannot be."""
    import ray

    named = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    if named != "auto":
        _knock(named)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        if isinstance(error, ConnectionError) and address == "auto":
            raise UserError("--ray auto finds no Ray cluster on this machine; start one: ray start --head") from None
        raise UserError(f"cannot join the Ray cluster at {named}: {str(error).splitlines()[0]}") from None
    with suppress(ValueError):  # only the main thread may
        signal.signal(signal.SIGTERM, handler)  # Ray puts its own in place


def _knock(address: str) -> None:
    """Ray itself would wait for minutes where nobody listens."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise UserError(f"--ray {address!r} is neither `auto` nor HOST:PORT; a run starts on a node of its cluster")
    if reason := silence((host, int(port))):
        raise UserError(f"no Ray cluster answers at {reason}")


def _reserve(needs: Sequence[Needs]) -> Any:
    """A placement group with a place for each actor, on as many nodes as there are."""
    import ray
    from ray.util.placement_group import placement_group

    names = sorted(set().union(*needs))
    wanted = {name: sum(need.get(name, 0.0) for need in needs) for name in names}
    total = {name: ray.cluster_resources().get(name, 0.0) for name in names}
    places = placement_group(list(needs), strategy="SPREAD")
    possible = all(wanted[name] <= total[name] for name in names)
    if not possible or not places.wait(_RESERVE_SECONDS):
        has = ", ".join(f"{total[name]:g} {name}s" for name in names)
        wants = ", ".join(f"{wanted[name]:g} {name}s" for name in names)
        raise UserError(f"{len(needs)} workers need {wants} of the Ray cluster, which has {has}, other work included")
    return places


def _maker(kind: type, places: Any, first: int, needs: Needs) -> Callable[[int], Any]:
    """What starts an actor in the place of a number, counted from the first; it lives no longer than the run."""
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    options = {"num_cpus": needs["CPU"], "num_gpus": needs.get("GPU", 0.0)}

    def make(number: int) -> Any:
        place = PlacementGroupSchedulingStrategy(places, placement_group_bundle_index=first + number)
        return ray.remote(kind).options(**options, scheduling_strategy=place).remote()

    return make
