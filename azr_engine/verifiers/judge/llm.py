"""`judge/llm`: a language model asked whether an answer is right, behind an endpoint or in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Prompt, Task
from azr_engine.verifiers.judge.protocol import Vote
from azr_engine.verifiers.judge.rubric import RUBRIC, messages, read_vote

Messages = list[dict[str, str]]


class Chat(Protocol):
    """Something that continues conversations."""

    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        """One reply per conversation, in order. Raises JudgeUnavailable."""
        ...


class LLMJudge:
    """Votes are what the model's last line says; anything else is an abstention.

    Args:
        prompt_of: what a solver of the task is shown.
        rubric: the judge's instruction; `{fence}` in it is replaced by the marks around the answer.
        temperature: 0 asks for the likeliest reply, and then every sample is the same.
    """

    name = "judge/llm"
    nature: Nature = "neural"
    compares = False

    def __init__(
        self,
        chat: Chat,
        prompt_of: Callable[[Task], Prompt],
        *,
        rubric: str = RUBRIC,
        temperature: float = 0.7,
        seed: int = 0,
    ) -> None:
        self._chat, self._prompt_of, self._rubric = chat, prompt_of, rubric
        self._temperature, self._seed = temperature, seed

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`."""
        conversations = [messages(self._prompt_of(task), answer, self._rubric) for task, answer in pairs]
        seed = self._seed + 1_000_003 * sample
        replies = await self._chat.complete(conversations, temperature=self._temperature, seed=seed)
        return [read_vote(reply) for reply in replies]

    async def close(self) -> None:
        """Nothing is held between calls."""


class LocalChat:
    """A Transformers chat model in this process, loaded at first use. Raises UserError for what cannot be loaded."""

    def __init__(self, model: str, *, max_tokens: int = 512, batch: int = 8) -> None:
        self._name, self._max_tokens, self._batch = model, max_tokens, batch
        self._loaded: tuple[Any, Any] | None = None

    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        """See `Chat.complete`; runs in a thread, so that the event loop goes on."""
        return await asyncio.to_thread(self._complete, list(conversations), temperature, seed)

    def _complete(self, conversations: list[Messages], temperature: float, seed: int) -> list[str]:
        import torch

        tokenizer, model = self._loaded or self._load()
        replies: list[str] = []
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(seed)
            for start in range(0, len(conversations), self._batch):
                inputs = tokenizer.apply_chat_template(
                    conversations[start : start + self._batch],
                    add_generation_prompt=True,
                    return_dict=True,
                    return_tensors="pt",
                    padding=True,
                ).to(model.device)
                sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
                out = model.generate(**inputs, max_new_tokens=self._max_tokens, **sampling)
                replies += tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return replies

    def _load(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from azr_engine.engine.errors import UserError

        try:
            tokenizer = AutoTokenizer.from_pretrained(self._name, padding_side="left")
            model = AutoModelForCausalLM.from_pretrained(self._name).eval()
        except (OSError, ValueError) as error:
            raise UserError(f"cannot load the judge {self._name!r}: {str(error).splitlines()[0]}") from error
        if tokenizer.chat_template is None:
            raise UserError(f"the judge {self._name!r} has no chat template; use judge/reward_model for such models")
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._loaded = tokenizer, model
        return self._loaded
