"""Sampling from a Transformers causal model in this process: one prefill per prompt, finished rows dropped.

Covered: any model with a dynamic KV cache, left padding, temperature sampling. Not covered: top-p, top-k, beam
search, which would make the recorded log-probabilities differ from the trainer's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from azr_engine.engine.policies.decoding import make_decoder
from azr_engine.engine.policies.loading import LoadedModel
from azr_engine.engine.protocols import Rendered
from azr_engine.engine.types import Completion

MAX_ROWS = 256
"""Sequences decoded at once, at most."""

MAX_TOKENS = 2**17
"""Tokens in the KV cache, at most, unless one prompt's group needs more."""

_MASK64 = (1 << 63) - 1


class TransformersPolicy:
    """A language model that samples completions with their log-probabilities.

    Args:
        loaded: model and tokenizer; the model may be trained by somebody else between calls.
        max_rows: sequences decoded at once.
    """

    def __init__(self, loaded: LoadedModel, *, max_rows: int = MAX_ROWS) -> None:
        self.model = loaded.model
        self.tokenizer = loaded.tokenizer
        self.style = loaded.style
        self.max_rows = max_rows
        self.context_tokens = int(getattr(self.model.config, "max_position_embeddings", 0) or 2**20)
        self._ends = _end_tokens(self.model, self.tokenizer)
        self._pad = int(self.tokenizer.pad_token_id)
        self.weight_version = 0

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        """Token ids of plain text or of chat messages; special tokens written in a text or a message stay text."""
        if isinstance(rendered, str):
            return _plain(self.tokenizer, rendered)
        return _chat(self.tokenizer, rendered)

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        seed: int,
        offset: int = 0,
    ) -> list[list[Completion]]:
        """`n_samples` completions for each prompt; temperature 0 means greedy.

        Prompts are decoded in order of length, so that little is padding, as many at a time as `max_rows` and
        `MAX_TOKENS` allow. When memory runs out, half as many are tried, now and from now on.

        Args:
            offset: prompts of the same seed that were or will be decoded before these, elsewhere.

        Raises:
            RuntimeError: torch's own, as when a single prompt's group does not fit into memory.
        """
        self.model.eval()
        out: list[list[Completion]] = [[] for _ in prompts]
        order, per_batch = self.schedule(prompts, n_samples, max_new_tokens)
        start = 0
        while start < len(order):
            chosen = order[start : start + per_batch]
            generator = torch.Generator(self.model.device).manual_seed((seed * 1_000_003 + offset + start) & _MASK64)
            try:
                rows = self._decode([prompts[i] for i in chosen], n_samples, max_new_tokens, temperature, generator)
            except RuntimeError as error:
                if len(chosen) == 1 or not _out_of_memory(error):
                    raise
                per_batch = len(chosen) // 2
                self.max_rows = per_batch * n_samples  # later calls need not find out again
                continue
            start += len(chosen)
            for position, index in enumerate(chosen):
                group = rows[position * n_samples : (position + 1) * n_samples]
                out[index] = [self._completion(prompts[index], ids, logprobs) for ids, logprobs in group]
        return out

    def schedule(self, prompts: Sequence[Sequence[int]], n_samples: int, max_new_tokens: int) -> tuple[list[int], int]:
        """Indices of the prompts in the order in which they are decoded, and how many are at a time."""
        order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
        longest = max(map(len, prompts), default=0) + max_new_tokens
        return order, max(1, min(self.max_rows, MAX_TOKENS // longest) // n_samples)

    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        n_samples: int,
        max_new_tokens: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[tuple[list[int], list[float]]]:
        """Token ids and log-probabilities for each row, prompts repeated `n_samples` times in order."""
        longest = max(len(p) for p in prompts)
        device = self.model.device
        ends = torch.tensor(sorted(self._ends), device=device)
        ids = torch.tensor([[self._pad] * (longest - len(p)) + list(p) for p in prompts], device=device)
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        output = self.model(
            input_ids=ids,
            attention_mask=mask if bool((mask == 0).any()) else None,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[:, -1].repeat_interleave(n_samples, 0)
        decoder = make_decoder(self.model, output.past_key_values, mask, n_samples)
        position = positions[:, -1].repeat_interleave(n_samples, 0)
        del output

        rows = torch.arange(len(prompts) * n_samples, device=device)
        n_rows = len(rows)
        tokens = torch.full((n_rows, max_new_tokens), self._pad, device=device)
        logprobs = torch.zeros(n_rows, max_new_tokens, device=device)
        alive = torch.ones(n_rows, dtype=torch.bool, device=device)
        for step in range(max_new_tokens):
            token, logprob = _sample(logits, temperature, generator)
            tokens[rows, step] = token
            logprobs[rows, step] = logprob
            alive &= ~torch.isin(token, ends)
            if step + 1 == max_new_tokens or not bool(alive.any()):
                break
            # Copying the cache costs as much as a few steps of decoding, so finished rows leave in batches; until
            # then what they sample lands behind their end and is cut off.
            if int(alive.sum()) <= 0.75 * len(rows):
                keep = alive.nonzero().squeeze(1)
                decoder.keep(keep)
                rows, token, position, alive = rows[keep], token[keep], position[keep], alive[keep]
            position = position + 1
            logits = decoder.step(token, position)
        return [self._row(*pair) for pair in zip(tokens.tolist(), logprobs.tolist(), strict=True)]

    def _row(self, tokens: list[int], logprobs: list[float]) -> tuple[list[int], list[float]]:
        end = next((i for i, token in enumerate(tokens, 1) if token in self._ends), len(tokens))
        return tokens[:end], logprobs[:end]

    def _completion(self, prompt: Sequence[int], ids: list[int], logprobs: list[float]) -> Completion:
        stopped = ids[-1] in self._ends
        text = self.tokenizer.decode(ids[:-1] if stopped else ids, skip_special_tokens=True)
        return Completion(
            tuple(prompt), tuple(ids), tuple(logprobs), text, "stop" if stopped else "length", self.weight_version
        )


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether torch could not get memory: of a GPU, which has an exception of its own, or of the machine."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokenizer's end token and those that the model's generation settings add, such as a chat turn's end."""
    more = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    more = [] if more is None else more if isinstance(more, list) else [more]
    return frozenset({int(tokenizer.eos_token_id), *map(int, more)})


def _plain(tokenizer: Any, text: str) -> tuple[int, ...]:
    """Token ids of a text in which nothing is special."""
    return tuple(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def _chat(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> tuple[int, ...]:
    """Token ids of messages in the tokenizer's chat template, or as paragraphs for a base model that has none.

    Messages quote what models wrote. Whatever looks like a special token in one is encoded as plain text, so that it
    cannot end the message and begin another.
    """
    texts = [message["content"] for message in messages]
    if not tokenizer.chat_template:
        return _plain(tokenizer, "\n\n".join(texts) + "\n\n")
    marks = [f"\u2402{number}\u2403" for number in range(len(texts))]
    marked = [{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)]
    template = tokenizer.apply_chat_template(marked, add_generation_prompt=True, tokenize=False)
    ids: list[int] = []
    for mark, text in zip(marks, texts, strict=True):
        scaffold, _, template = template.partition(mark)
        ids += tokenizer(scaffold, add_special_tokens=False)["input_ids"]
        ids += _plain(tokenizer, text)
    return (*ids, *tokenizer(template, add_special_tokens=False)["input_ids"])


def _sample(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """int64[B] tokens and their float32[B] log-probabilities from float[B, V] logits."""
    if temperature == 0.0:
        logprobs = torch.log_softmax(logits.float(), -1)
        token = logprobs.argmax(-1)
    else:
        logprobs = torch.log_softmax(logits.float() / temperature, -1)
        # The Gumbel-max trick: one pass, no cumulative sums.
        uniform = torch.rand(logprobs.shape, generator=generator, device=logprobs.device).clamp_(min=1e-20)
        token = (logprobs - torch.log(-torch.log(uniform))).argmax(-1)
    return token, logprobs.gather(1, token[:, None]).squeeze(1)
