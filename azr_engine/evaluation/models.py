"""Evaluating a model or a run on a suite, from its name to the figures."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azr_engine.engine.config import load_config
from azr_engine.engine.context import encode_prompt
from azr_engine.engine.protocols import Policy
from azr_engine.engine.session import sampling_of
from azr_engine.engine.solving import Solver, public
from azr_engine.engine.types import Task, content_hash
from azr_engine.evaluation.cache import Cache, cache_key, weights_hash
from azr_engine.evaluation.crossing import compare_curves
from azr_engine.evaluation.evaluate import evaluate, summarise_tallies
from azr_engine.evaluation.reasoning import probe_reasoning, require_reasoning
from azr_engine.evaluation.safety import NAME as SAFETY
from azr_engine.evaluation.safety_model import evaluate_safety
from azr_engine.evaluation.suites import Suite, open_suite
from azr_engine.evaluation.tally import Tally, tally

if TYPE_CHECKING:
    from azr_engine.engine.policies.loading import LoadedModel
    from azr_engine.engine.sampling import Sampling


@dataclasses.dataclass(frozen=True, slots=True)
class Protocol:
    """What is tried and how: the same for every model that is compared.

    Attributes:
        ks: pass@k for these; as many tries as the largest are sampled.
        temperature: 0 is greedy.
        greedy: whether each task is also tried once at temperature 0.
        reasoning: whether the model's reasoning is probed as well.
        tokens: most tokens of an answer; None for the style's own number.
        plugins, settings: see `open_suite`.
    """

    suite: str = "heldout"
    domains: tuple[str, ...] = ("python", "math")
    per_kind: int | None = None
    ks: tuple[int, ...] = (1, 8)
    temperature: float = 1.0
    seed: int = 0
    style: str | None = None
    greedy: bool = False
    reasoning: bool = False
    tokens: int | None = None
    plugins: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def evaluate_model(
    model: str, protocol: Protocol, *, base: str | None = None, cache: Cache | None = None
) -> dict[str, Any]:
    """The JSON of `azr-engine eval` for a model's name, a folder or a run directory.

    Args:
        base: a second model, tried on the same tasks with the same seeds; its figures come as `base`, and
            `comparison` has the gains and the crossing point of the two pass@k curves, overall and by kind.
        cache: where tallies are looked up and kept.

    Returns:
        `summarise_tallies`, or `summarise_safety` for the suite `safety`, with the model's name and what was set.

    Raises:
        UserError: a model, the suite or a domain is unknown, or a run has no checkpoint yet.
    """
    if protocol.suite == SAFETY:
        config = load_config(
            None, protocol.settings, {"domains": list(protocol.domains), "plugins": list(protocol.plugins) or None}
        )
        result = asyncio.run(evaluate_safety(model, config, protocol.style, protocol.seed))
        if base is not None:
            result["base"] = asyncio.run(evaluate_safety(base, config, protocol.style, protocol.seed))
        return result
    return asyncio.run(_evaluate(model, protocol, base, cache))


async def _evaluate(model: str, protocol: Protocol, base: str | None, cache: Cache | None) -> dict[str, Any]:
    async with open_suite(
        protocol.suite,
        domains=protocol.domains,
        per_kind=protocol.per_kind,
        plugins=protocol.plugins,
        settings=protocol.settings,
    ) as suite:
        result, tallies = await _one(model, protocol, suite, cache)
        if base is not None:
            result["base"], others = await _one(base, protocol, suite, cache)
            result["comparison"] = _comparison(others, tallies, protocol.ks)
        return result


def _comparison(base: Sequence[Tally], trained: Sequence[Tally], ks: Sequence[int]) -> dict[str, Any]:
    by_kind = {}
    for cell in dict.fromkeys(one.cell for one in base):
        own = [one for one in base if one.cell == cell]
        by_kind[cell] = compare_curves(own, [one for one in trained if one.cell == cell], ks)
    return {"overall": compare_curves(base, trained, ks), "by_kind": by_kind}


async def _one(model: str, protocol: Protocol, suite: Suite, cache: Cache | None) -> tuple[dict[str, Any], list[Tally]]:
    """One model's figures, and the tallies of its sampled tries."""
    from azr_engine.engine.trained import load_trained

    loaded = load_trained(model, protocol.style)
    sampling = sampling_of(load_config(None, protocol.settings), loaded)
    sampling = dataclasses.replace(sampling, solve_tokens=protocol.tokens or sampling.solve_tokens)
    if protocol.reasoning:
        require_reasoning(loaded.style)
    weights = weights_hash(loaded) if cache else ""
    # The same tasks shown in another way are another evaluation, also where the package's version stayed the same.
    prompts = (suite.domains[task.domain].solve_prompt(public(task)) for task in suite.tasks)
    shown = content_hash([loaded.style.render(prompt) for prompt in prompts]) if cache else ""

    async def measured(temperature: float, n_attempts: int) -> list[Tally]:
        how = dataclasses.replace(sampling, temperature=temperature, n_attempts=n_attempts)
        settings = {
            "suite": protocol.suite,
            "style": loaded.style.name,
            "prompts": shown,
            "seed": protocol.seed,
            "settings": list(protocol.settings),
            **{key: getattr(how, key) for key in ("temperature", "n_attempts", "solve_tokens")},
        }
        key = cache_key(weights, suite.tasks, settings)
        found = cache.read(key) if cache else None
        if found is None:
            found = await _measure(loaded, how, suite, protocol.seed)
            # A fault is this machine's trouble, not the model's: what it spoilt is measured again next time.
            if cache and all(one.judged == n_attempts for one in found):
                cache.write(key, {"model": model, "weights": weights, **settings}, found)
        return found

    figures: dict[str, Any] = {"model": model, "temperature": protocol.temperature, "seed": protocol.seed}
    sampled = await measured(protocol.temperature, max(protocol.ks))
    figures |= summarise_tallies(protocol.suite, sampled, protocol.ks)
    if protocol.greedy:
        figures["greedy"] = summarise_tallies(protocol.suite, await measured(0.0, 1), [1])
    if protocol.reasoning:
        policy, solver, fitting = _ready(loaded, sampling, suite)
        figures["reasoning"] = await probe_reasoning(
            policy,
            loaded.style,
            solver,
            suite.domains,
            fitting,
            answer_tokens=sampling.solve_tokens,
            seed=protocol.seed,
        )
    return figures, sampled


async def _measure(loaded: LoadedModel, sampling: Sampling, suite: Suite, seed: int) -> list[Tally]:
    """Every task tried; those that exceed the model's context are misses, without being tried."""
    _, solver, fitting = _ready(loaded, sampling, suite)
    tried = {episode.task.id: tally(episode) for episode in await evaluate(solver, fitting, seed)} if fitting else {}
    return [tried.get(task.id) or _too_long(task, sampling.n_attempts) for task in suite.tasks]


def _ready(loaded: LoadedModel, sampling: Sampling, suite: Suite) -> tuple[Policy, Solver, list[Task]]:
    """The model as a solver of the suite, and the tasks that with an answer fit its context."""
    from azr_engine.engine.policies.transformers import TransformersPolicy

    policy = TransformersPolicy(loaded)
    solver = Solver(suite.domains, suite.verifiers, policy, loaded.style, sampling, lambda name, data: None)

    def fits(task: Task) -> bool:
        prompt = suite.domains[task.domain].solve_prompt(public(task))
        return len(encode_prompt(policy, loaded.style, prompt)) + sampling.solve_tokens <= policy.context_tokens

    return policy, solver, [task for task in suite.tasks if fits(task)]


def _too_long(task: Task, n_attempts: int) -> Tally:
    return Tally(task.id, task.domain, task.kind, judged=n_attempts, passed=0, fits=False)
