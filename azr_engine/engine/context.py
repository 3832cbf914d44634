"""What fits the model's context: prompts are cut to it by leaving references out, and tasks that no prompt can hold.

Room for the completion is always kept free, so a prompt that fits never has its answer cut by the context.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Policy
from azr_engine.engine.sampling import Sampling
from azr_engine.engine.styles import Style
from azr_engine.engine.types import Completion, Prompt, Task


class Context:
    """The policy's context and how much of it completions take.

    Raises:
        UserError: the completions alone fill it.
    """

    def __init__(self, policy: Policy, style: Style, sampling: Sampling) -> None:
        self._policy = policy
        self._style = style
        self._tokens_to_propose = policy.context_tokens - sampling.propose_tokens
        self._tokens_to_solve = policy.context_tokens - sampling.solve_tokens
        for name in ("propose_tokens", "solve_tokens"):
            if getattr(sampling, name) >= policy.context_tokens:
                raise UserError(
                    f"play.{name} is {getattr(sampling, name)}, but the model's whole context has "
                    f"{policy.context_tokens} tokens; set it to half of that or less"
                )

    def proposal(
        self, ask: Callable[[Sequence[Task]], Prompt], references: Sequence[Task]
    ) -> tuple[Prompt, tuple[int, ...], Sequence[Task]] | None:
        """The prompt with as many of the references as fit, the last ones left out first, and its token ids.

        Args:
            ask: the prompt for given references.

        Returns:
            Prompt, token ids and the references in it; None where it does not fit even without any.
        """
        for n_kept in range(len(references), -1, -1):
            prompt = ask(references[:n_kept])
            ids = self._policy.encode(self._style.render(prompt))
            if len(ids) <= self._tokens_to_propose:
                return prompt, ids, references[:n_kept]
        return None

    def holds(self, prompt: Prompt) -> bool:
        """Whether a solver's prompt and its answer fit."""
        return len(encode_prompt(self._policy, self._style, prompt)) <= self._tokens_to_solve


def encode_prompt(policy: Policy, style: Style, prompt: Prompt) -> tuple[int, ...]:
    """Token ids of a rendered prompt and of the opening of its reply, if the style gives one."""
    ids, opening = policy.encode(style.render(prompt)), style.opening(prompt)
    return (*ids, *policy.encode(opening)) if opening else ids


def behind(opening: str, completion: Completion) -> Completion:
    """The completion with what its reply began with, which the model did not write, before its text."""
    return dataclasses.replace(completion, text=opening + completion.text) if opening else completion
