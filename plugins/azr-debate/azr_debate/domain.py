"""A domain whose truth is known, judged by debate all the same: it shows what a debate's verdicts are worth.

A program is a chain such as `x+3*2`, taken from left to right. The domain's own verifier admits, audits the judge on
the policy's answers, and so decides when its verdicts count.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence

from azr_debate.judge import DebateJudge
from azr_engine.domains.function import FunctionDomain, FunctionVerifier
from azr_engine.engine.config import RunConfig
from azr_engine.engine.errors import UserError
from azr_engine.verifiers.judge.auditing import ShadowAuditor
from azr_engine.verifiers.judge.endpoint import ChatEndpoint
from azr_engine.verifiers.judge.llm import Chat, LocalChat, Messages
from azr_engine.verifiers.judge.trusted import TrustedVerifier
from azr_engine.verifiers.judge.voting import Voting


class Chain(FunctionDomain):
    """Deduction alone: what comes out?"""

    name = "debate"
    kinds = ("deduction",)
    propose = "Write a chain of steps such as x+3*2, and a whole number to put in for x."
    solve = "Put the number in for x and take the steps from left to right."
    program_form = "x, then + - or * and a whole number, up to four times"
    input_form = output_form = "a whole number"
    probes = ("-2", "0", "1", "7")

    def run(self, program: str, input: str) -> str:
        """The number that comes out."""
        if not re.fullmatch("x([-+*][0-9]{1,3}){1,4}", program):
            raise ValueError(f"{program!r} is no chain of steps")
        if not re.fullmatch("0|-?[1-9][0-9]{0,5}", input):
            raise ValueError(f"{input!r} is no whole number")
        value = int(input)
        for step, digits in re.findall("([-+*])([0-9]+)", program):
            value = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[step](value, int(digits))
        return str(value)

    def draw_program(self, rng: random.Random) -> str:
        """One to three steps."""
        return "x" + "".join(f"{rng.choice('+-*')}{rng.randint(1, 9)}" for _ in range(rng.randint(1, 3)))

    def draw_input(self, rng: random.Random, program: str) -> str:
        """A digit."""
        return str(rng.randint(0, 9))


def chat() -> Chat:
    """The model AZR_DEBATE_MODEL: behind AZR_DEBATE_URL (its key in AZR_DEBATE_KEY), of Transformers without an URL."""
    url, model = os.environ.get("AZR_DEBATE_URL", ""), os.environ.get("AZR_DEBATE_MODEL", "")
    if url:
        return ChatEndpoint(url, model or "debater", key_variable="AZR_DEBATE_KEY")
    return LocalChat(model) if model else _NoModel()


def on_probation(model: Chat, config: RunConfig) -> TrustedVerifier:
    """The verifier `debate`: one model argues and picks, heard once its audits allow it."""
    truth = FunctionVerifier(Chain(), workers=config.sandbox.workers)
    prompt_of = Chain().solve_prompt
    voting = Voting(DebateJudge(model, model, prompt_of, seed=config.seed))
    verifier = TrustedVerifier(truth, voting, ShadowAuditor(truth, prompt_of), config.judge.trust, config.seed)
    verifier.name = "debate"
    return verifier


class _NoModel:
    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        raise UserError(
            "the domain debate needs a model: set AZR_DEBATE_MODEL, and AZR_DEBATE_URL where a server has it"
        )
