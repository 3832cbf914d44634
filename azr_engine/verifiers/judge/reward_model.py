"""`judge/reward_model`: a model that scores instead of replying: a sequence classifier, or P(yes) of a language model.

The second way is a generative verifier without its reasoning [Zhang et al. 2024, arXiv 2408.15240, section 3.1].
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Nature
from azr_engine.engine.types import Answer, Prompt, Task
from azr_engine.verifiers.judge.protocol import Vote
from azr_engine.verifiers.judge.rubric import well_formed

QUESTION = "Is the answer correct (Yes/No)?"


class RewardModelJudge:
    """Accepts where the model's probability exceeds a threshold. Asked again, it says the same.

    Args:
        model: a folder or hub id.
        kind: `classifier` takes the sigmoid of the single logit, or the softmax share of the last of several; `yes-no`
            compares the next-token chances of Yes and No after the question.
        threshold: probability from which an answer is accepted.
    """

    name = "judge/reward_model"
    nature: Nature = "neural"
    compares = False

    def __init__(
        self,
        model: str,
        prompt_of: Callable[[Task], Prompt],
        *,
        kind: Literal["classifier", "yes-no"] = "classifier",
        threshold: float = 0.5,
        batch: int = 16,
    ) -> None:
        self._name, self._kind, self._threshold, self._batch = model, kind, threshold, batch
        self._prompt_of = prompt_of
        self._loaded: tuple[Any, Any] | None = None

    async def vote(self, pairs: Sequence[tuple[Task, Answer]], sample: int) -> list[Vote]:
        """See `Judge.vote`; `sample` changes nothing."""
        texts = [self._text(task, answer) for task, answer in pairs]
        chances = await asyncio.to_thread(self._chances, texts)
        return [Vote(chance >= self._threshold, chance) for chance in chances]

    async def close(self) -> None:
        """Let go of the model."""
        self._loaded = None

    def _text(self, task: Task, answer: Answer) -> str:
        prompt = self._prompt_of(task)
        givens = "\n".join(f"{section.name}: {section.text}" for section in prompt.givens)
        ending = f"\n{QUESTION}" if self._kind == "yes-no" else ""
        return well_formed(f"{prompt.instruction}\n{givens}\nAnswer: {answer.raw}{ending}")

    def _chances(self, texts: list[str]) -> list[float]:
        import torch

        tokenizer, model = self._loaded or self._load()
        chances: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(texts), self._batch):
                inputs = tokenizer(
                    texts[start : start + self._batch], return_tensors="pt", padding=True, truncation=True
                ).to(model.device)
                inputs.pop("token_type_ids", None)
                logits = model(**inputs).logits.float()
                if self._kind == "yes-no":
                    yes, no = _first_tokens(tokenizer)
                    chance = torch.sigmoid(logits[:, -1, yes] - logits[:, -1, no])
                elif logits.shape[-1] == 1:
                    chance = torch.sigmoid(logits[:, 0])
                else:
                    chance = torch.softmax(logits, -1)[:, -1]
                chances += chance.tolist()
        return chances

    def _load(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

        factory = AutoModelForSequenceClassification if self._kind == "classifier" else AutoModelForCausalLM
        try:
            # Left padding keeps the last position the text's own, which is where both kinds are read.
            tokenizer = AutoTokenizer.from_pretrained(self._name, padding_side="left")
            model = factory.from_pretrained(self._name).eval()
        except (OSError, ValueError) as error:
            raise UserError(f"cannot load the judge {self._name!r}: {str(error).splitlines()[0]}") from error
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        self._loaded = tokenizer, model
        return self._loaded


def _first_tokens(tokenizer: Any) -> tuple[int, int]:
    """The tokens that Yes and No begin with; tokenizers that split off the space need the words without it."""
    for words in ((" Yes", " No"), ("Yes", "No")):
        yes, no = (tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in words)
        if yes != no:
            return yes, no
    raise UserError("the judge's tokenizer does not tell Yes from No by their first token")
