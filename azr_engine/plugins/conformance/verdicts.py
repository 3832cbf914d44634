"""Checks on what a verifier says: right answers pass, wrong ones fail, and nothing else about a call matters."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from azr_engine.engine.types import Answer, Task, Verdict, canonical_json
from azr_engine.plugins.conformance.kit import SEED, Failed, Kit, Skipped, short

MOST_PASSING = 0.5
"""Share of answers made to be wrong that may pass: some are right by chance, such as other inputs in abduction."""
MIN_TASKS = 3


def full_pass(kit: Kit) -> str:
    """For every task a right answer is known, and it passes with score 1; a judge that errs passes most of them."""
    missing = set(kit.domain.kinds) - {task.kind for task, _ in kit.right}
    if missing:
        raise Failed(
            f"no right answer is known for the kind {sorted(missing)[0]!r}: no text of gold or of the "
            "draft passes; the domain may say some itself, see known_answers in docs/plugins.md"
        )
    verdicts = kit.judge_texts(kit.right)
    n_passed = sum(verdict.status == "pass" for verdict in verdicts)
    needed = len(verdicts) if kit.verifier.nature == "deterministic" else len(verdicts) / 2
    if n_passed < needed:
        reason = next(v.reason for v in verdicts if v.status != "pass")
        raise Failed(f"{n_passed} of {len(verdicts)} right answers pass; one does not: {reason}")
    return f"{n_passed} of {len(verdicts)} right answers pass"


def full_fail(kit: Kit) -> str:
    """Wrong answers do not pass: those the domain knows, those of other tasks, and gold's neighbours in deduction."""
    if kit.wrong:
        passing = [pair for pair, v in zip(kit.wrong, kit.judge_texts(kit.wrong), strict=True) if v.status == "pass"]
        tolerated = 0.0 if kit.verifier.nature == "deterministic" else MOST_PASSING
        if len(passing) > tolerated * len(kit.wrong):
            raise Failed(f"{len(passing)} of {len(kit.wrong)} wrong answers pass, such as {short(passing[0][1])}")
    n_tried = len(kit.wrong)
    for kind, own in kit.by_kind(kit.right):
        texts = [text for _, text in own]
        n_tried += _rarely(kit, kind, own, [*texts[1:], *texts[:1]], "the answer of another task")
        if kind == "deduction":
            n_tried += _rarely(kit, kind, own, [neighbour(text) for text in texts], "a neighbour of the right answer")
    return f"{n_tried} wrong answers"


def _rarely(kit: Kit, kind: str, own: Sequence[tuple[Task, str]], texts: Sequence[str], what: str) -> int:
    pairs = [(task, text) for (task, right), text in zip(own, texts, strict=True) if text != right]
    n_passed = sum(verdict.status == "pass" for verdict in kit.judge_texts(pairs))
    if len(pairs) >= MIN_TASKS and n_passed > MOST_PASSING * len(pairs):
        raise Failed(f"{what} passes in {n_passed} of {len(pairs)} tasks of the kind {kind!r}")
    return len(pairs)


def neighbour(text: str) -> str:
    """The text with its last letter or digit changed to the one before it, or with one more letter."""
    for index in range(len(text) - 1, -1, -1):
        if text[index].isalnum() and text[index].isascii():
            other = chr(ord(text[index]) - 1)
            return text[:index] + (other if other.isalnum() else chr(ord(text[index]) + 1)) + text[index + 1 :]
    return text + "x"


def scores(kit: Kit) -> str:
    """A pass has a positive score and a fail's is lower; a deterministic verifier gives 1 and 0."""
    for verdict in _judged(kit):
        if (verdict.score == 0.0) if verdict.status == "pass" else (verdict.score == 1.0):
            raise Failed(f"a {verdict.status} has the score {verdict.score}")
        if kit.verifier.nature == "deterministic" and verdict.scored and verdict.score != (verdict.status == "pass"):
            raise Failed(f"a deterministic verifier gives a {verdict.status} the score {verdict.score}")
        if verdict.calls < 0 or verdict.seconds < 0:
            raise Failed("a verdict has negative calls or seconds")
    return "pass above fail"


def repetition(kit: Kit) -> str:
    """Asked again, a deterministic verifier says the same of every draft and answer."""
    first, again = _judged(kit), _judged(kit)
    flips = sum(a.status != b.status or a.score != b.score for a, b in zip(first, again, strict=True))
    if kit.verifier.nature != "deterministic":
        raise Skipped(f"a {kit.verifier.nature} verifier may differ; {flips} of {len(first)} verdicts did")
    if flips:
        raise Failed(f"{flips} of {len(first)} verdicts differ when asked again")
    _same_tasks(kit.tasks, [t for t in kit.admit(kit.drafts) if isinstance(t, Task)], "when asked again")
    return f"{len(first)} verdicts, {len(kit.tasks)} tasks"


def _same_tasks(first: Sequence[Task], again: Sequence[Task], when: str) -> None:
    if [canonical_json(t.to_json()) for t in first] != [canonical_json(t.to_json()) for t in again]:
        raise Failed(f"drafts are admitted otherwise, or with another gold, {when}")


def batch_of_one(kit: Kit) -> str:
    """Drafts and answers get the same alone, in a batch, in an empty batch's company and at the same time as others."""
    if kit.judge([]) or kit.admit([]):
        raise Failed("an empty batch has results")
    pairs = known_answers(kit)
    together = kit.judge(pairs)
    alone = [kit.judge([pair])[0] for pair in pairs]
    _same(kit, together, alone, "alone")

    async def at_once() -> list[list[Verdict]]:
        return list(await asyncio.gather(*(kit.verifier.judge([pair]) for pair in pairs)))

    _same(kit, together, [v for (v,) in kit.call("judge", at_once())], "while others are judged")
    singly = [outcome for draft in kit.drafts for outcome in kit.admit([draft])]
    if kit.verifier.nature == "deterministic":
        _same_tasks(kit.tasks, [t for t in singly if isinstance(t, Task)], "alone")
    return f"{len(pairs)} answers, {len(kit.drafts)} drafts"


def order(kit: Kit) -> str:
    """Results come in the order of the batch, and do not depend on it."""
    pairs = known_answers(kit)
    places = list(range(len(pairs)))
    random.Random(SEED).shuffle(places)
    expected, shuffled = kit.judge(pairs), kit.judge([pairs[i] for i in places])
    _same(kit, [expected[i] for i in places], shuffled, "in another order")
    reverse = [t for t in kit.admit(kit.drafts[::-1]) if isinstance(t, Task)]
    if [task.id for task in reverse] != [task.id for task in kit.tasks[::-1]]:
        raise Failed("drafts in reverse order give other tasks, or the same ones in another order")
    return f"{len(pairs)} answers"


def _same(kit: Kit, first: Sequence[Verdict], other: Sequence[Verdict], when: str) -> None:
    differing = sum(a.status != b.status for a, b in zip(first, other, strict=True))
    if differing and kit.verifier.nature == "deterministic":
        raise Failed(f"{differing} of {len(first)} verdicts differ {when}")


def arguments_untouched(kit: Kit) -> str:
    """Drafts, tasks and answers are the same after a call as before."""
    pairs = known_answers(kit)

    def seen() -> str:
        drafts = [draft.to_json() for draft in kit.drafts]
        return canonical_json([drafts, [(task.to_json(), answer.to_json()) for task, answer in pairs]])

    before = seen()
    kit.judge(pairs)
    kit.admit(kit.drafts)
    if seen() != before:
        raise Failed("a call changes the drafts, tasks or answers that it is given")
    return "unchanged"


def known_answers(kit: Kit) -> list[tuple[Task, Answer]]:
    """Right answers and wrong ones to every task."""
    wrong = kit.wrong or [(task, neighbour(text)) for task, text in kit.right]
    parsed = [(task, kit.answer(task, text)) for task, text in [*kit.right, *wrong]]
    pairs = [(task, answer) for task, answer in parsed if isinstance(answer, Answer)]
    if not pairs:
        raise Skipped("no answer is known, see full_pass")
    return pairs


def _judged(kit: Kit) -> list[Verdict]:
    return kit.judge(known_answers(kit))
