"""Prompts are cut to the context by leaving references out; what cannot fit is refused, and nothing ever loops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.curriculum.novelty import NoveltyConfig, NoveltyGate
from azr_engine.engine.context import Context
from azr_engine.engine.errors import UserError
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.protocols import Rendered
from azr_engine.engine.sampling import Sampling
from azr_engine.engine.store import TaskStore
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Prompt, Rejection, Task
from tests.toys import Reciter, ToyDomain, ToyVerifier

SAMPLING = Sampling(propose_tokens=10, solve_tokens=10, temperature=1.0, n_attempts=2, n_references=3)


class Counter(Reciter):
    """A policy with a token for every character."""

    def __init__(self, context_tokens: int, texts: Sequence[str] = ("7",)) -> None:
        super().__init__(texts)
        self.context_tokens = context_tokens

    def encode(self, rendered: Rendered) -> tuple[int, ...]:
        return tuple(range(len(str(rendered))))


def task(number: str) -> Task:
    return Task(number, "toy", "double", {"number": number}, "", "N", draft={"number": number})


@given(st.lists(st.text("1", min_size=1, max_size=40), max_size=5), st.integers(11, 300))
def test_as_many_references_as_fit_and_not_one_more(numbers: list[str], size: int) -> None:
    policy, style = Counter(size), STYLES["compact"]
    references = [task(number) for number in numbers]

    def ask(shown: Sequence[Task]) -> Prompt:
        return ToyDomain().propose_prompt("double", shown)

    def tokens(n_shown: int) -> int:
        return len(str(style.render(ask(references[:n_shown]))))

    found = Context(policy, style, SAMPLING).proposal(ask, references)
    if found is None:
        assert tokens(0) > size - 10
    else:
        prompt, ids, kept = found
        assert list(kept) == references[: len(kept)]
        assert len(ids) == tokens(len(kept)) <= size - 10
        assert len(prompt.references) == len(kept)
        assert len(kept) == len(references) or tokens(len(kept) + 1) > size - 10


@pytest.mark.parametrize("name", ["propose_tokens", "solve_tokens"])
def test_completions_that_fill_the_context_are_the_users_mistake(name: str) -> None:
    sampling = Sampling(**{**{f: getattr(SAMPLING, f) for f in SAMPLING.__slots__}, name: 64})
    with pytest.raises(UserError, match=rf"play.{name} is 64, .* 64 tokens"):
        Context(Counter(64), STYLES["compact"], sampling)


def proposer(tmp_path: Path, policy: Reciter, log: list[Any]) -> Proposer:
    return Proposer(
        {"toy": ToyDomain()},
        {"toy": ToyVerifier()},
        policy,
        STYLES["compact"],
        TaskStore(tmp_path / "tasks.sqlite"),
        SAMPLING,
        novelty=NoveltyGate(NoveltyConfig(enabled=False)),
        screen=lambda draft: None,
        reserved=(),
        log=lambda name, data: log.append((name, data)),
    )


def test_a_proposal_that_never_fits_is_left_out_and_logged(tmp_path: Path) -> None:
    log: list[Any] = []
    asked = proposer(tmp_path, Counter(20), log).propose({("toy", "double"): 3}, random.Random(0), 0)
    assert asked == []
    assert log == [("prompt_too_long", {"domain": "toy", "kind": "double"})] * 3


def test_a_task_whose_prompt_exceeds_the_context_is_rejected(tmp_path: Path) -> None:
    long = "1" * 60
    subject = proposer(tmp_path, Counter(80, ["7", long]), [])
    proposed = subject.propose({("toy", "double"): 2}, random.Random(0), 0)
    outcomes = [p.outcome for p in asyncio.run(subject.admit(proposed, 1))]
    assert isinstance(outcomes[0], Task)
    assert outcomes[1] == Rejection("oversize", "its prompt exceeds the context")
