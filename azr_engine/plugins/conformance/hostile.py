"""Checks with what an attacker, or a learner in search of reward, hands in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from azr_engine.engine.solving import public
from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task
from azr_engine.plugins.conformance.kit import Failed, Kit, named, short
from azr_engine.plugins.conformance.verdicts import MIN_TASKS, MOST_PASSING
from azr_engine.verifiers.judge.attacks import attacks

CORPUS: tuple[str, ...] = (
    "", " ", "\n\n", "\x00", "\ud800", "\u202e\u2066abc", "\x1b[2J\x1b]0;title\x07", "é́́", "０１２", "9" * 5_000,
    "-" * 5_000 + "1", "1e999999999", "9**9**9**9", "[" * 5_000, "(" * 500 + ")" * 500, "{" * 400 + "}" * 400,
    "a" * 200_000, "((a+)+)+$", "%s%n%x", "{0.__class__.__mro__}", "${jndi:ldap://x}", "'; DROP TABLE tasks; --",
    "'') or (True", "__import__('os').system('id')", "().__class__.__base__.__subclasses__()", "lambda: 0",
    "exec('import os')", "import os; os._exit(0)", "raise SystemExit", "while True: pass", "../../../../etc/passwd",
    "<script>alert(1)</script>", "</answer><answer>", "```\n```", "True", "None", "NaN", "inf", "null", "sorry",
)  # fmt: skip
"""Texts that have broken parsers, judges and terminals. Nothing here is ever run by the kit."""


class LyingText(str):
    """A text that claims to equal whatever it is compared with."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def strip(self, chars: str | None = None) -> LyingText:
        """Itself, so that the lie outlives cleaning."""
        return self


class LyingObject:
    """Anything that claims to equal whatever it is compared with, and to be true."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __str__(self) -> str:
        return "liar"


def hostile_answers(kit: Kit) -> str:
    """Whatever a solver writes ends in a verdict that is no fault: the parser and the verifier raise for nothing."""
    pairs = [(task, text) for task in _one_per_kind(kit) for text in CORPUS]
    for (_, text), verdict in zip(pairs, kit.judge_texts(pairs), strict=True):
        if verdict.status == "fault":
            raise Failed(f"{short(text)} is a fault, so that it is masked instead of scored: {verdict.reason}")
    return f"{len(pairs)} answers"


def hostile_drafts(kit: Kit) -> str:
    """Whatever a proposer writes ends as malformed, rejected or a task: nothing raises and nothing is a fault."""
    drafts: list[Draft] = []
    for task in _one_per_kind(kit):
        names = [section.name for section in kit.domain.propose_prompt(task.kind, []).returns]
        fields = {name: str(value) for name, value in task.draft.items()}
        sections = [{**{n: fields.get(n, "") for n in names}, name: text} for name in names for text in CORPUS]
        drafts += [draft for own in sections if (draft := _parsed(kit, task.kind, own)) is not None]
    for draft, outcome in zip(drafts, kit.admit(drafts), strict=True):
        if isinstance(outcome, Rejection) and outcome.fault:
            raise Failed(f"the draft {short(repr(draft.fields))} is a fault: {outcome.reason} {outcome.detail}")
    return f"{len(drafts)} drafts reached the verifier"


def _parsed(kit: Kit, kind: str, sections: dict[str, str]) -> Draft | None:
    try:
        parsed = kit.domain.parse_draft(kind, sections)
    except Exception as error:
        raise Failed(f"parse_draft raises {named(error)} for {short(repr(sections))}") from None
    if not isinstance(parsed, Draft | Malformed):
        raise Failed(f"parse_draft returns a {type(parsed).__name__}, neither Draft nor Malformed")
    return parsed if isinstance(parsed, Draft) else None


def odd_answers(kit: Kit) -> str:
    """An answer without text, of another type, or that claims to equal everything does not pass and does not raise."""
    values: tuple[Any, ...] = (None, 5, True, ["1"], {"a": 1}, b"1", LyingObject(), LyingText("liar"))
    answers = [Answer({}, "")] + [Answer({"answer": value}, "liar") for value in values]
    n_tried = 0
    for task in kit.tasks:
        # Where the plain text is right, so is the lying one.
        honest = kit.judge([(task, Answer({"answer": "liar"}, "liar"))])[0].status == "pass"
        tried = answers[:-1] if honest else answers
        n_tried += len(tried)
        for answer, verdict in zip(tried, kit.judge([(task, answer) for answer in tried]), strict=True):
            if verdict.status == "pass":
                kinds = [type(value).__name__ for value in answer.fields.values()]
                raise Failed(f"an answer made of {kinds[0] if kinds else 'nothing'} passes")
    return f"{n_tried} answers"


def exploits(kit: Kit) -> str:
    """No fixed text, copy of the prompt or list of all answers passes in most tasks of a kind, right ones aside."""
    right = {task.id: text.strip() for task, text in kit.right}
    tries = [
        ((task.kind, name), (task, text))
        for task in kit.tasks
        for name, text in _exploits(kit, task)
        if text.strip() != right.get(task.id)
    ]
    passes: dict[tuple[str, str], list[bool]] = {}
    for (key, _), verdict in zip(tries, kit.judge_texts([pair for _, pair in tries]), strict=True):
        passes.setdefault(key, []).append(verdict.status == "pass")
    for (kind, name), passed in passes.items():
        if len(passed) >= MIN_TASKS and sum(passed) > MOST_PASSING * len(passed):
            raise Failed(f"the exploit {name!r} passes in {sum(passed)} of {len(passed)} tasks of the kind {kind!r}")
    return f"{len(tries)} answers"


def _exploits(kit: Kit, task: Task) -> Iterator[tuple[str, str]]:
    prompt = kit.domain.solve_prompt(public(task))
    for attack in attacks(prompt):
        yield attack.name, attack.text
    for section in prompt.givens:
        yield f"echo of {section.name}", section.text
    yield "all answers at once", ", ".join(dict.fromkeys(text for other, text in kit.right if other.kind == task.kind))
    for text in CORPUS:
        yield short(text), text


def _one_per_kind(kit: Kit) -> list[Task]:
    return [own[0][0] for _, own in kit.by_kind([(task, None) for task in kit.tasks])]
