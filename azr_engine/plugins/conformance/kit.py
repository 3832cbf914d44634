"""`Kit`: one domain with its verifier, and what checks need of them: tasks, answers of known worth, guarded calls."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from azr_engine.engine.protocols import Domain, Verifier
from azr_engine.engine.solving import public
from azr_engine.engine.types import Answer, Draft, Malformed, Rejection, Task, Verdict
from azr_engine.plugins.conformance.calls import Hung, LoopThread

T = TypeVar("T")
TASKS_PER_KIND = 6
SEEDS_LOOKED_AT = 600
SEED = 20


class Failed(Exception):
    """What the plugin does wrong, in one sentence."""


class Skipped(Exception):
    """Why a check does not apply."""


@dataclass(frozen=True, slots=True)
class Source:
    """How another process finds the same domain: plugins to load besides the installed ones, and the domain's name."""

    domain: str
    extra: tuple[str, ...] = ()


class Kit:
    """A domain under examination.

    Args:
        seconds: longest that a verifier may take over one batch.
    """

    def __init__(self, domain: Domain, verifier: Verifier, source: Source, seconds: float = 60.0) -> None:
        self.domain, self.verifier, self.source, self.seconds = domain, verifier, source, seconds
        self.children_at_start = children()
        self.loop = LoopThread()
        self.hung = False

    def close(self) -> None:
        """End the verifier, unless it hangs, and the loop."""
        if not self.hung:
            with contextlib.suppress(Failed):
                self.call("close", self.verifier.close())
        self.loop.close()

    @cached_property
    def drafts(self) -> list[Draft]:
        """The first seeds of each kind."""
        found: dict[str, list[Draft]] = {kind: [] for kind in self.domain.kinds}
        try:
            for draft in islice(self.domain.seeds(random.Random(SEED)), SEEDS_LOOKED_AT):
                if draft.kind in found and len(found[draft.kind]) < TASKS_PER_KIND:
                    found[draft.kind].append(draft)
                if all(len(drafts) == TASKS_PER_KIND for drafts in found.values()):
                    break
        except Exception as error:
            raise Failed(f"seeds raises {named(error)}") from error
        return [draft for drafts in found.values() for draft in drafts]

    @cached_property
    def tasks(self) -> list[Task]:
        """The tasks among them."""
        return [outcome for outcome in self.admit(self.drafts) if isinstance(outcome, Task)]

    @cached_property
    def right(self) -> list[tuple[Task, str]]:
        """For each task where one is known, a right answer's text."""
        return [(task, texts[0]) for task, texts, _ in self._known if texts]

    @cached_property
    def wrong(self) -> list[tuple[Task, str]]:
        """Answers that the domain says are wrong."""
        return [(task, text) for task, _, texts in self._known for text in texts]

    @cached_property
    def _known(self) -> list[tuple[Task, list[str], list[str]]]:
        """Every task with right and wrong answers: the domain's own, else what it passes of gold and draft."""
        offered = getattr(self.domain, "known_answers", None)
        if offered is not None:
            known = [(task, list(offered(task))) for task in self.tasks]
            return [(task, [t for t, ok in own if ok], [t for t, ok in own if not ok]) for task, own in known]
        guesses = [(task, text) for task in self.tasks for text in texts_in([task.gold, task.draft])]
        passing: dict[str, list[str]] = {}
        for (task, text), verdict in zip(guesses, self.judge_texts(guesses), strict=True):
            if verdict.status == "pass":
                passing.setdefault(task.id, []).append(text)
        return [(task, passing.get(task.id, []), []) for task in self.tasks]

    def answer(self, task: Task, text: str) -> Answer | Malformed:
        """The text as the domain's parser hands it on."""
        try:
            parsed = self.domain.parse_answer(public(task), {"answer": text})
        except Exception as error:
            raise Failed(f"parse_answer raises {named(error)} for {short(text)}") from error
        if not isinstance(parsed, Answer | Malformed):
            raise Failed(f"parse_answer returns a {type(parsed).__name__}, neither Answer nor Malformed")
        return parsed

    def judge_texts(self, pairs: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """A verdict per text; malformed ones fail without asking the verifier, as in a run."""
        answers = [self.answer(task, text) for task, text in pairs]
        asked = [(task, answer) for (task, _), answer in zip(pairs, answers, strict=True) if isinstance(answer, Answer)]
        verdicts = iter(self.judge(asked))
        return [next(verdicts) if isinstance(a, Answer) else Verdict("fail", 0.0, "malformed") for a in answers]

    def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        """The verifier's verdicts. Raises Failed when it raises, hangs or returns something else."""
        verdicts = self.call("judge", self.verifier.judge(list(pairs)))
        if not isinstance(verdicts, list) or len(verdicts) != len(pairs):
            raise Failed(f"judge returns {_count(verdicts)} for {len(pairs)} answers")
        for verdict in verdicts:
            if type(verdict) is not Verdict:
                raise Failed(f"judge returns a {type(verdict).__name__} where a Verdict is due")
        return verdicts

    def admit(self, drafts: Sequence[Draft]) -> list[Task | Rejection]:
        """The verifier's outcomes. Raises Failed when it raises, hangs or returns something else."""
        outcomes = self.call("admit", self.verifier.admit(list(drafts)))
        if not isinstance(outcomes, list) or len(outcomes) != len(drafts):
            raise Failed(f"admit returns {_count(outcomes)} for {len(drafts)} drafts")
        for outcome in outcomes:
            if not isinstance(outcome, Task | Rejection):
                raise Failed(f"admit returns a {type(outcome).__name__} where a Task or a Rejection is due")
        return outcomes

    def call(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a method of the verifier returns. Raises Failed when it raises or hangs."""
        if self.hung:
            coroutine.close()
            raise Skipped("the verifier hangs since an earlier check")
        try:
            return self.loop.call(coroutine, self.seconds)
        except Hung as error:
            self.hung = True
            raise Failed(f"{name} hangs: {error}") from None
        except Exception as error:
            raise Failed(f"{name} raises {named(error)}") from error

    def by_kind(self, pairs: Sequence[tuple[Task, T]]) -> Iterator[tuple[str, list[tuple[Task, T]]]]:
        """The pairs of each kind that has any."""
        for kind in self.domain.kinds:
            own = [pair for pair in pairs if pair[0].kind == kind]
            if own:
                yield kind, own


def children() -> set[int]:
    """Ids of this process's children that still run; nothing on systems without /proc."""
    found: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found |= {int(pid) for pid in listing.read_text().split()}
    return {pid for pid in found if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def texts_in(gold: Any) -> Iterator[str]:
    """Every text and number in a JSON value, each as text, outermost first."""
    if isinstance(gold, str | int | float):
        yield str(gold)
    values = gold.values() if isinstance(gold, dict) else gold if isinstance(gold, list | tuple) else ()
    for value in values:
        yield from texts_in(value)


def named(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def short(text: str) -> str:
    """The beginning of a text, quoted."""
    return ascii(text[:40]) + ("..." if len(text) > 40 else "")


def _count(value: object) -> str:
    return f"{len(value)} results" if isinstance(value, list) else f"a {type(value).__name__}"
