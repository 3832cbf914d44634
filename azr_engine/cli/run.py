"""`azr-engine run`: start or resume a self-play run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from azr_engine.engine.loop import SelfPlay
    from azr_engine.engine.session import Setup
    from azr_engine.evaluation.curve import Curve
    from azr_engine.evaluation.safety_curve import SafetyCurve


def run(
    domains: Annotated[str | None, typer.Option(help="Domains to play, separated by commas.")] = None,
    model: Annotated[
        str | None, typer.Option(help="azr-tiny, a Transformers folder, a GGUF file, or a hub id.")
    ] = None,
    lora: Annotated[str | None, typer.Option(help="Train a low-rank adapter, as r=16 or r=16,alpha=32.")] = None,
    deepspeed: Annotated[Path | None, typer.Option(help="DeepSpeed JSON of your own.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps in all.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; default runs/DATE-TIME.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as section.name=value.")] = None,
    resume: Annotated[bool, typer.Option(help="Continue the run in --out from its last checkpoint.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Check everything, print the settings as TOML, start nothing.")] = False,
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load.")] = None,
    curriculum: Annotated[str | None, typer.Option(help="Curriculum by name.")] = None,
    reward: Annotated[str | None, typer.Option(help="Reward rule by name.")] = None,
    advantage: Annotated[str | None, typer.Option(help="Advantage estimator by name.")] = None,
    sandbox: Annotated[str | None, typer.Option(help="auto, docker, gvisor, namespaces or process.")] = None,
    i_know_this_is_not_a_sandbox: Annotated[
        bool, typer.Option("--i-know-this-is-not-a-sandbox", help="Allow --sandbox process.")
    ] = False,
    style: Annotated[str | None, typer.Option(help="Prompt style: compact or chat.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads of torch.")] = None,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster to spread over: HOST:PORT, or auto for this machine's.")
    ] = None,
    async_depth: Annotated[
        int | None, typer.Option(help="1: train while the next step samples, one update behind; needs ray.samplers.")
    ] = None,
    proposer: Annotated[
        str | None, typer.Option(help="Tasks from: self, frozen, quantilized, grammar, one-example or fixed:FILE.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate/--no-gate", help="Keep near-duplicates and trivial tasks out.")] = True,
    eval_every: Annotated[
        int | None, typer.Option(help="Evaluate every so many steps, into evals.jsonl.", min=1)
    ] = None,
    eval_suite: Annotated[
        str | None, typer.Option(help="Suite of --eval-every: heldout, dev, safety, or heldout,safety.")
    ] = None,
    compare: Annotated[
        int, typer.Option(help="Held-out tasks per kind to try before and after; 0 for none.", min=0)
    ] = 0,
    wandb: Annotated[bool, typer.Option("--wandb", help="Log metrics to Weights & Biases as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the closing summary as JSON.")] = False,
) -> None:
    """Play: propose, admit, solve, judge, reward, update, and again.

    Examples: `azr-engine run --domains python,math --steps 20 --out runs/first`, and a control to compare it with:
    `azr-engine run --steps 20 --proposer frozen --eval-every 10 --out runs/frozen`
    """
    import asyncio
    import datetime

    from azr_engine.engine.backends import follow
    from azr_engine.engine.config import load_config, to_toml
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.processes import rank
    from azr_engine.engine.session import set_up
    from azr_engine.plugins.manager import Plugins

    if resume and out is None:
        raise UserError("--resume needs --out, the directory of the run to continue")
    file = config
    if resume and out is not None and config is None:
        saved = out / "config.resolved.toml"
        if not saved.is_file():
            raise UserError(f"{out} holds no run to resume; leave out --resume to start one")
        file = saved
    options: dict[str, Any] = {
        "domains": [name.strip() for name in domains.split(",") if name.strip()] if domains is not None else None,
        "model.name": model,
        "steps": steps,
        "minutes": minutes,
        "seed": seed,
        "play.curriculum": curriculum,
        "play.reward": reward,
        "play.advantage": advantage,
        "play.proposer": proposer,
        "novelty.enabled": None if gate else False,
        "evaluation.every": eval_every,
        "evaluation.suite": eval_suite,
        "sandbox.tier": sandbox,
        "sandbox.i_know_this_is_not_a_sandbox": i_know_this_is_not_a_sandbox or None,
        "model.style": style,
        "trainer.deepspeed": str(deepspeed) if deepspeed else None,
        "threads": threads,
        "ray.address": ray,
        "play.async_depth": async_depth,
        "plugins": plugin or None,
    }
    adapter = [f"model.lora.{part.strip()}" for part in lora.split(",")] if lora else []
    settings = load_config(file, [*(set_ or []), *adapter], options)
    observers = []
    if wandb:
        from azr_engine.report.wandb import require

        require()
        observers.append("azr_engine.report.wandb")
    setup = set_up(settings, Plugins([*settings.plugins, *observers]))
    if rank() > 0:
        if not dry_run:
            follow(settings)
        return
    if dry_run:
        from azr_engine.engine.memory import memory_line

        print(f"{to_toml(settings)}\n# {memory_line(settings)}")
        return
    folder = out or Path("runs") / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    asyncio.run(_play(setup, folder, resume=resume, compare=compare, as_json=as_json))


async def _play(setup: Setup, folder: Path, *, resume: bool, compare: int, as_json: bool) -> None:
    from azr_engine.cli.tables import table_console
    from azr_engine.engine.session import open_session
    from azr_engine.evaluation.evaluate import suite_ids
    from azr_engine.report.live import view
    from azr_engine.report.summary import print_summary, summary

    settings, console = setup.config, table_console(stderr=as_json)
    console.print(f"starting: {', '.join(settings.domains)} with {settings.model.name}, run directory {folder}")
    async with open_session(setup, folder, resume=resume, reserved=suite_ids()) as loop:
        _stop_on_interrupt(loop)
        curves = _curves(setup, loop) if settings.evaluation.every else []

        async def between(step: int) -> None:
            for curve in curves:
                await curve.between(step)

        before = await _held_out(loop, compare, console, "before") if compare else None
        with view(console, settings, loop.step) as live:
            await loop.play(live.update, between)
        for curve in curves:
            await curve.measure(loop.step)
        after = await _held_out(loop, compare, console, "after") if compare else None
        result = summary(folder, loop.parts.run.read_metrics(), before, after)
    if as_json:
        print(json.dumps(result))
    else:
        print_summary(console, result)


def _curves(setup: Setup, loop: SelfPlay) -> list[Curve | SafetyCurve]:
    """An evaluation for each suite that the settings name. Raises UserError for two that would share a file."""
    from azr_engine.engine.errors import UserError
    from azr_engine.evaluation.curve import Curve
    from azr_engine.evaluation.safety import NAME
    from azr_engine.evaluation.safety_curve import SafetyCurve

    config = setup.config.evaluation
    names = [name.strip() for name in config.suite.split(",")]
    if len([name for name in names if name != NAME]) > 1:
        raise UserError(f"evaluation.suite takes one suite, and {NAME} beside it, not {config.suite!r}")
    return [
        SafetyCurve(loop, config, setup.plugins.screen)
        if name == NAME
        else Curve(loop, config.model_copy(update={"suite": name}))
        for name in names
    ]


async def _held_out(loop: SelfPlay, per_kind: int, console: Any, when: str) -> dict[str, Any] | None:
    """Accuracy on the held-out suite with the current weights; None when no domain of the run is in it."""
    from azr_engine.evaluation.evaluate import evaluate, load_suite, summarise

    names = [name for name in loop.parts.domains if name in ("python", "math")]
    if not names:
        return None
    console.print(f"measuring held-out accuracy {when} the run, {per_kind} tasks per kind")
    episodes = await evaluate(loop.parts.solver, load_suite("heldout", names, per_kind), seed=0)
    return summarise("heldout", episodes, [1])


def _stop_on_interrupt(loop: SelfPlay) -> None:
    """The first Ctrl-C finishes the step and saves; the second stops at once."""
    import signal

    def handle(number: int, frame: object) -> None:
        if loop.stop_requested:
            signal.default_int_handler(number, None)
        loop.stop_requested = True
        print("\nfinishing this step; press Ctrl-C again to stop at once", file=sys.stderr)

    signal.signal(signal.SIGINT, handle)
