"""Putting a run together: configuration in, a `SelfPlay` ready to play out, everything closed at the end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azr_engine.curriculum.anchors import Anchors
from azr_engine.curriculum.novelty import NoveltyGate
from azr_engine.curriculum.protocol import Curriculum
from azr_engine.curriculum.quarantine import Quarantine
from azr_engine.engine.backends import check_backends, open_backends
from azr_engine.engine.config import RunConfig, to_toml
from azr_engine.engine.errors import UserError
from azr_engine.engine.loop import SelfPlay
from azr_engine.engine.parts import Parts
from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.ray.cluster import check_ray, open_cluster
from azr_engine.engine.ray.verifying import spread
from azr_engine.engine.rewards import RewardRule
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.sampling import Cell, Sampling
from azr_engine.engine.solving import Solver
from azr_engine.engine.sources import check_proposer, make_proposer
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import Event
from azr_engine.oversight.inspector import InspectedWatch, Inspector
from azr_engine.oversight.plugin import Oversight
from azr_engine.oversight.review import ReviewQueue
from azr_engine.plugins.manager import Plugins
from azr_engine.verifiers.judge.building import judged

if TYPE_CHECKING:
    from azr_engine.engine.policies.loading import LoadedModel

DEFAULT_TOKENS = {"compact": (96, 96), "chat": (1024, 1024)}
"""Most tokens of a proposal and of an answer, by style."""

DEFAULT_TEMPERATURE = {"compact": 1.0, "chat": 0.7}
"""By style: small instruct models wander at 1, and the embedded model was trained to be sampled as it is."""


def choose_domains(config: RunConfig, plugins: Plugins) -> tuple[dict[str, Domain], dict[str, Verifier]]:
    """The configured domains and the verifiers they name, with the judge in place of those it stands in for.

    Raises:
        UserError: a domain is unknown, or names a verifier that no plugin brings.
    """
    known = plugins.domains(config)
    unknown = [name for name in config.domains if name not in known]
    if unknown:
        raise UserError(f"unknown domain {unknown[0]!r}; known domains: {', '.join(sorted(known))}")
    domains = {name: known[name] for name in config.domains}
    verifiers = plugins.verifiers(config)
    for domain in domains.values():
        if domain.verifier not in verifiers:
            raise UserError(f"domain {domain.name!r} needs the verifier {domain.verifier!r}, which no plugin brings")
    strangers = [name for name in config.judge.domains if name not in domains]
    if strangers:
        raise UserError(f"judge.domains names {strangers[0]!r}, which is not played; domains: {', '.join(domains)}")
    own = {d.verifier: verifiers[d.verifier] for d in domains.values()}
    return domains, judged(domains, spread(own, config), config.judge, config.seed)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run needs besides a model, chosen by name and checked."""

    config: RunConfig
    plugins: Plugins
    domains: Mapping[str, Domain]
    verifiers: Mapping[str, Verifier]
    reward: RewardRule
    curriculum: Curriculum


def set_up(config: RunConfig, plugins: Plugins) -> Setup:
    """Everything that can be wrong before a model is loaded. Raises UserError."""
    plugins.add("oversight", Oversight(config.oversight))
    domains, verifiers = choose_domains(config, plugins)
    check_proposer(config.play.proposer)
    check_backends(config)
    check_ray(config)
    reward, curriculum = plugins.reward(config.play.reward), plugins.curriculum(config.play.curriculum)
    return Setup(config, plugins, domains, verifiers, reward, curriculum)


@asynccontextmanager
async def open_session(
    setup: Setup, out: Path, *, resume: bool, reserved: Collection[str] = ()
) -> AsyncIterator[SelfPlay]:
    """A loop with all its parts, resumed from its last checkpoint where asked; workers stop when it closes.

    Args:
        setup: the parts; on resume its settings must agree with the run's own but for what may change, such as steps.
        out: the run directory.
        reserved: ids of tasks that must never be admitted.

    Raises:
        UserError: for every mistake of the user's.
    """
    from azr_engine.engine.policies.loading import load_model
    from azr_engine.engine.policies.transformers import TransformersPolicy

    config, plugins, domains, verifiers = setup.config, setup.plugins, setup.domains, setup.verifiers
    async with AsyncExitStack() as stack:
        for verifier in verifiers.values():
            stack.push_async_callback(verifier.close)
        run = stack.enter_context(RunDirectory.resume(out) if resume else RunDirectory.create(out))
        if resume:
            _check_same(config, run)
            ReviewQueue(run.path).require_approved()
        samplers = stack.enter_context(open_cluster(config, verifiers.values()))
        backends = stack.enter_context(open_backends(config))
        loaded, policy, trainer = backends.loaded, backends.policy, backends.trainer
        if samplers is not None:
            from azr_engine.engine.ray.sampling import RayPolicy

            policy = RayPolicy(loaded, samplers, config.ray.sampler_rows)
        if config.play.async_depth:
            from azr_engine.trainer.behind import one_step_off

            trainer = stack.enter_context(one_step_off(trainer, policy))
        run.write_config(to_toml(config))
        store = stack.enter_context(TaskStore(run.tasks_path))

        def log(name: str, data: Mapping[str, Any]) -> None:
            run.append_event(Event(name, loop.step + 1, data))

        plugins.log = lambda name, error: log("plugin_error", {"plugin": name, "error": repr(error)})
        sampling = sampling_of(config, loaded)
        novelty = NoveltyGate(config.novelty)
        proposer = make_proposer(
            config.play.proposer,
            config.play.quantile,
            policy,
            lambda: TransformersPolicy(load_model(config.model.name, config.model.style)),
            {
                "domains": domains,
                "verifiers": verifiers,
                "style": loaded.style,
                "store": store,
                "sampling": sampling,
                "novelty": novelty,
                "screen": plugins.screen,
                "reserved": reserved,
                "log": log,
            },
        )
        parts = Parts(
            domains=domains,
            cells=cells_of(domains, loaded.settings),
            verifiers=verifiers,
            policy=policy,
            trainer=trainer,
            curriculum=setup.curriculum,
            anchors=Anchors(config.play.anchors),
            reward=setup.reward,
            proposer=proposer,
            solver=Solver(domains, verifiers, policy, loaded.style, sampling, log),
            store=store,
            novelty=novelty,
            quarantine=Quarantine(config.novelty.retest_after),
            watch=InspectedWatch(config.watch, Inspector(config.oversight, store)),
            run=run,
            bonus=plugins.bonus,
            gate=plugins.gate,
            observe=plugins.observe,
            on_alarm=plugins.on_alarm,
        )
        loop = SelfPlay(config, parts)
        if resume:
            loop.resume()
        plugins.observe(Event("run", loop.step, {"folder": str(run.path)}))
        stack.callback(lambda: plugins.observe(Event("run_end", loop.step)))
        yield loop


def cells_of(domains: Mapping[str, Domain], settings: Mapping[str, Any]) -> list[Cell]:
    """The (domain, kind) pairs to play: all, but of a domain under `kinds` in the model's azr.json only those named."""
    known: Mapping[str, Sequence[str]] = settings.get("kinds", {})
    return [
        (name, kind)
        for name, domain in domains.items()
        for kind in domain.kinds
        if kind in known.get(name, domain.kinds)
    ]


def sampling_of(config: RunConfig, loaded: LoadedModel) -> Sampling:
    """The configured sampling, completed by the style's token limits and by what the model's azr.json says."""
    play = config.play
    propose, solve = DEFAULT_TOKENS[loaded.style.name]
    references = play.references if play.references is not None else int(loaded.settings.get("n_references", 3))
    return Sampling(
        propose_tokens=play.propose_tokens or propose,
        solve_tokens=play.solve_tokens or solve,
        temperature=play.temperature or DEFAULT_TEMPERATURE[loaded.style.name],
        n_attempts=play.attempts,
        n_references=references,
        proposals_per_prompt=play.proposals_per_prompt,
    )


_MAY_CHANGE = {
    *("steps", "minutes", "threads", "plugins"),
    *("sandbox", "checkpoint", "evaluation", "watch", "oversight", "ray"),
}


def _check_same(config: RunConfig, run: RunDirectory) -> None:
    """Refuse to go on with settings that would make the run another one."""
    import tomllib

    if not run.config_path.is_file():
        return
    before = RunConfig.model_validate(tomllib.loads(run.config_path.read_text(encoding="utf-8")))
    old, new = before.model_dump(mode="json"), config.model_dump(mode="json")
    changed = [key for key in old if key not in _MAY_CHANGE and old[key] != new[key]]
    if changed:
        name = changed[0]
        raise UserError(
            f"--resume with another {name!r} than the run's own ({json.dumps(old[name])}); leave it as it was or "
            "start a new run"
        )
