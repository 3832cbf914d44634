"""`azr-engine bootstrap`: make the embedded model from nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

MAX_TOKENS = 160
"""Longer lessons are left out."""


def bootstrap(
    folder: Annotated[Path, typer.Argument(help="Folder to write, in Transformers format.")],
    tokens: Annotated[int, typer.Option(help="Tokens of lessons to train on.", min=1)] = 24_000_000,
    finish_tokens: Annotated[
        int, typer.Option(help="Tokens of the second phase, mostly answers; 0 for none.", min=0)
    ] = 8_000_000,
    working_tokens: Annotated[
        int, typer.Option(help="Tokens of the third phase, half of its answers worked out; 0 for none.", min=0)
    ] = 16_000_000,
    seed: Annotated[int, typer.Option(help="Seed of lessons, weights and order.", min=0)] = 1,
    processes: Annotated[int, typer.Option(help="Processes that generate lessons.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads of training.", min=1)] = 1,
    bfloat16: Annotated[bool, typer.Option(help="Train in bfloat16, on processors with units for it.")] = False,
    card_tasks: Annotated[
        int | None, typer.Option(help="Held-out tasks per kind for the model card; all by default.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train a small model from random initialisation on what the domains' grammars generate, and write its card.

    Example: `azr-engine bootstrap my-tiny --tokens 2000000 --finish-tokens 500000 --working-tokens 0`
    """
    import torch
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from azr_engine.bootstrap.card import write_card
    from azr_engine.bootstrap.corpus import lesson_stream
    from azr_engine.bootstrap.lessons import BROAD, SOLVING, WORKING
    from azr_engine.bootstrap.pretrain import Progress, Recipe, pretrain, save_model
    from azr_engine.engine.errors import UserError
    from azr_engine.evaluation.models import Protocol, evaluate_model

    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; choose another folder")
    torch.set_num_threads(threads)
    broad = Recipe(seed=seed, tokens=tokens, bfloat16=bfloat16)
    solving = Recipe(seed=seed + 1, tokens=finish_tokens, bfloat16=bfloat16, learning_rate=1.2e-3, warmup_steps=50)
    working = Recipe(seed=seed + 2, tokens=working_tokens, bfloat16=bfloat16, learning_rate=1.5e-3, warmup_steps=50)
    started = time.monotonic()
    model: Any = None
    parts: list[dict[str, float]] = []
    with Bar(console=Console(stderr=True)) as bars:
        for recipe, mix in ((broad, BROAD), (solving, SOLVING), (working, WORKING)):
            if recipe.tokens == 0:
                continue
            training = bars.add_task("training", total=recipe.tokens)

            def report(progress: Progress, bar: TaskID = training) -> None:
                description = f"training, loss {progress.loss:.3f}, {progress.tokens_per_second:.0f} tokens/s"
                bars.update(bar, completed=progress.tokens, description=description)

            with lesson_stream(recipe.seed, mix, n_processes=processes, max_tokens=MAX_TOKENS) as stream:
                model, reached = pretrain(recipe, stream, report, model=model)
            # Weights pass through their stored precision, so that a phase can also start from a saved model.
            model = model.half().float()
            parts.append(reached)
    sums = {key: sum(part[key] for part in parts) for key in ("tokens_seen", "steps", "minutes", "lessons")}
    figures: dict[str, Any] = sums | {
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": parts[-1]["loss"],
        "minutes_in_all": (time.monotonic() - started) / 60,
    }
    figures["seed"] = seed
    save_model(model, folder, [broad, solving, working], figures)
    command = f"azr-engine bootstrap {folder.name} --tokens {tokens} --finish-tokens {finish_tokens}"
    command += f" --working-tokens {working_tokens} --seed {seed}"
    command += " --bfloat16" if bfloat16 else ""
    write_card(folder, command, figures, evaluate_model(str(folder), Protocol(per_kind=card_tasks)))
    if as_json:
        print(json.dumps(figures))
    else:
        print(f"{folder}: {figures['parameters']:,.0f} parameters, {figures['tokens_seen']:,.0f} tokens seen")
