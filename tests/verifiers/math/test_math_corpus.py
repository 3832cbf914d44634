"""The judge against a corpus whose truth comes from construction with integers and fractions, never from the judge.

Every case is built backwards from its answer (roots, factors, coefficients, antiderivatives chosen first). Right
answers are spelled unlike gold; wrong ones are one slip away: a sign, a coefficient, a missing root, a form not
asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.verifiers.math import TABLE, MathVerifier
from tests.verifiers.math import corpus_algebra, corpus_calculus
from tests.verifiers.math.corpus_cases import Case

N_DRAFTS = 34
MAKERS = (*corpus_algebra.MAKERS, *corpus_calculus.MAKERS)


def run(cases: list[Case]) -> tuple[Counter[str], list[str]]:
    """Counts of `right pass` and the like, and a line for everything that should not have happened."""

    async def judged() -> tuple[Counter[str], list[str]]:
        verifier = MathVerifier(cpu_seconds=4.0)
        try:
            fields = [{"operation": c.operation, "expression": c.expression, "arguments": c.arguments} for c in cases]
            tasks = await verifier.admit([Draft("math", "deduction", f) for f in fields])
            counts: Counter[str] = Counter()
            problems: list[str] = []
            todo: list[tuple[Case, str, str, Task]] = []
            for case, task in zip(cases, tasks, strict=True):
                if isinstance(task, Task):
                    todo += [(case, "right", text, task) for text in case.right]
                    todo += [(case, "wrong", text, task) for text in case.wrong]
                elif task.reason != "trivial":
                    problems.append(f"rejected: {case.operation} {case.expression}: {task.reason} {task.detail}")
            verdicts = await verifier.judge([(task, Answer({"answer": text}, text)) for _, _, text, task in todo])
            for (case, truth, text, task), verdict in zip(todo, verdicts, strict=True):
                counts[f"{truth} {verdict.status}"] += 1
                if verdict.status != {"right": "pass", "wrong": "fail"}[truth]:
                    problems.append(f"{truth} {verdict.status}: {case.operation} {case.expression} {case.arguments} "
                                    f"gold {task.gold['result']} answer {text}: {verdict.reason}")  # fmt: skip
            return counts, problems
        finally:
            await verifier.close()

    return asyncio.run(judged())


def check(n_drafts: int, seed: int) -> Counter[str]:
    rng = random.Random(seed)
    counts, problems = run([maker(rng) for maker in MAKERS for _ in range(n_drafts)])
    report = "\n".join(problems[:40])
    never = ("rejected", "wrong pass", "wrong fault", "right fail", "right fault")
    assert not [line for line in problems if line.startswith(never)], report
    assert counts["right pass"] >= 0.98 * sum(n for name, n in counts.items() if name.startswith("right")), report
    return counts


def test_every_operation_has_a_maker() -> None:
    assert {maker(random.Random(1)).operation for maker in MAKERS} == set(TABLE)


def test_small_corpus_is_judged_right() -> None:
    check(2, seed=1)


@pytest.mark.slow
def test_no_wrong_answer_passes_and_right_ones_do() -> None:
    counts = check(N_DRAFTS, seed=2)
    assert min(counts["right pass"], counts["wrong fail"]) >= 2000, counts
