"""Training the embedded model from random initialisation on a grammar corpus."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from azr_engine.bootstrap.corpus import TokenizedLesson, batches
from azr_engine.bootstrap.lessons import KINDS
from azr_engine.bootstrap.tokenizer import build_tokenizer
from azr_engine.trainer.batching import pad_right


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides the weights, besides the lessons."""

    seed: int = 1
    hidden: int = 128
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 384
    tokens: int = 10_000_000
    batch_tokens: int = 2048
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    prompt_weight: float = 0.1
    """Weight of the loss on prompt tokens; completion tokens weigh one."""
    bfloat16: bool = False
    """Multiply matrices in bfloat16: faster on processors with units for it, many times slower on others."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands."""

    tokens: int
    total: int
    loss: float
    tokens_per_second: float


def build_model(recipe: Recipe, vocabulary: int) -> Any:
    """A randomly initialised Llama-architecture model in float32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=-(-vocabulary // 8) * 8,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaForCausalLM(config)


def pretrain(
    recipe: Recipe,
    lessons: Iterator[TokenizedLesson],
    report: Callable[[Progress], None],
    model: Any = None,
) -> tuple[Any, dict[str, float]]:
    """Train for `recipe.tokens` tokens and return the model and its figures.

    `model` goes on from where it stands; without one, training starts from random initialisation.

    The learning rate falls linearly to a twentieth over the planned tokens.
    """
    model = model if model is not None else build_model(recipe, len(build_tokenizer()))
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.95),
        fused=True,
    )
    started = time.monotonic()
    seen, step, n_lessons, smooth = 0, 0, 0, math.log(len(build_tokenizer()))
    for batch in batches(lessons, recipe.batch_tokens, recipe.seed):
        done = seen / recipe.tokens
        if done >= 1.0:
            break
        rate = recipe.learning_rate * min((step + 1) / recipe.warmup_steps, 1 - 0.95 * done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            loss, n_tokens = _step(model, batch, recipe.prompt_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen, step, n_lessons = seen + n_tokens, step + 1, n_lessons + len(batch)
        smooth = 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            report(Progress(seen, recipe.tokens, smooth, seen / (time.monotonic() - started)))
    minutes = (time.monotonic() - started) / 60
    return model, {"tokens_seen": seen, "steps": step, "lessons": n_lessons, "loss": smooth, "minutes": minutes}


def _step(model: Any, batch: Sequence[TokenizedLesson], prompt_weight: float) -> tuple[torch.Tensor, int]:
    """Mean weighted next-token loss over one batch, and its number of real tokens."""
    rows = [list(lesson.ids) for lesson in batch]
    ids = pad_right(rows)
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    prompts = torch.tensor([lesson.n_prompt for lesson in batch])[:, None]
    position = torch.arange(1, ids.shape[1])[None, :]
    weights = torch.where(position < prompts, prompt_weight, 1.0) * (position < lengths)
    logits = model(input_ids=ids).logits[:, :-1]
    losses = functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum(), int(lengths.sum())


def save_model(model: Any, folder: Path, recipes: Sequence[Recipe], figures: Mapping[str, Any]) -> None:
    """Write weights (float16), tokenizer, style and figures as a Transformers folder."""
    import copy

    from azr_engine.engine.policies.loading import quiet_libraries

    quiet_libraries()
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(torch.float16).save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
    settings = {
        "style": "compact",
        "n_references": 1,
        "kinds": {domain: list(kinds) for domain, kinds in KINDS.items()},
        "recipes": [asdict(recipe) for recipe in recipes],
        "figures": dict(figures),
    }
    (folder / "azr.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
