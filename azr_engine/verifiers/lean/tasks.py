"""Drafts to tasks and answers to verdicts, kind by kind. Runs in a thread that holds a Lean server.

| kind | draft | given | gold | answer |
|---|---|---|---|---|
| prove | statement, proof | statement | proof | a proof |
| repair | statement, proof, rival, refutation | both statements, in an order that says nothing | which one holds, proof, refutation | `1`, `2`, `not 1` or `not 2`, then a proof of just that |
| induct | statement, proof, instances | the first half of the instances | statement, proof, the other instances | `binders : type := proof`, which proves every instance |

A draft is rejected as `trivial` when one tactic that everybody tries closes it, so that nothing is left to find.
"""  # noqa: E501 - a table

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from azr_engine.engine.types import Answer, Draft, Rejection, Task, Verdict, task_id
from azr_engine.verifiers.lean.checking import Checker, Goal, Limits, Rejected
from azr_engine.verifiers.lean.link import Server, ServerLost
from azr_engine.verifiers.lean.lint import LintError, split_definition, split_statement

KINDS = ("prove", "repair", "induct")
REASONS = ("malformed", "statement", "unproved", "unrefuted", "trivial", "not_neighbours", "not_instances", "crash")
"""Why a draft may be rejected; `detail` is for people."""

DEFAULT_TACTICS = "by first | rfl | trivial | decide | simp | (intros; assumption)"
_DEFAULT_HEARTBEATS = 20_000
MIN_INSTANCES, MAX_INSTANCES = 4, 12
_MIN_LIKENESS = 0.5
_USE_LEMMA = "by with_reducible apply goal"
_CLAIM = re.compile(r"\s*(?P<no>not\s+|¬\s*)?(?P<which>[12])(?!\w)\s*:?\s*(?P<proof>.+)", re.DOTALL)


def admit(checker: Checker, server: Server, draft: Draft, limits: Limits) -> Task | Rejection:
    """A task, or why there is none."""
    try:
        return _ADMIT[draft.kind](_Desk(checker, server, limits), draft)
    except _NotAdmitted as problem:
        return Rejection(problem.reason, problem.detail)
    except ServerLost as lost:
        return Rejection("crash", str(lost), fault=True)


def pose(checker: Checker, server: Server, draft: Draft, limits: Limits) -> Task | Rejection:
    """As `admit`, but a statement to prove needs no proof: the task has no gold and serves for judging alone."""
    if draft.kind != "prove":
        return admit(checker, server, draft, limits)
    try:
        (statement,) = _texts(draft.fields, "statement")
        exact, shape = _Desk(checker, server, limits).digests(statement)
        return _task(draft, {"statement": statement}, {}, shape, exact)
    except _NotAdmitted as problem:
        return Rejection(problem.reason, problem.detail)
    except ServerLost as lost:
        return Rejection("crash", str(lost), fault=True)


def judge(checker: Checker, server: Server, pair: tuple[Task, Answer], limits: Limits) -> Verdict:
    """A verdict on an answer; a pass only where Lean proves all that the kind asks for."""
    task, answer = pair
    text = answer.fields.get("answer")
    if not isinstance(text, str):
        return Verdict("fail", 0.0, "no answer text")
    try:
        goals = _GOALS[task.kind](task, text)
        return checker.check(server, goals, limits)
    except LintError as problem:
        return Verdict("fail", 0.0, f"lint: {problem}")
    except ServerLost as lost:
        return Verdict("fault", 0.0, str(lost))


def negation(statement: str) -> str:
    """The statement that another one does not hold. Raises LintError."""
    binders, type_ = split_statement(statement)
    return f": ¬ (∀ {binders}, {type_})" if binders else f": ¬ ({type_})"


class _NotAdmitted(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class _Desk:
    """The checks that admission is made of."""

    def __init__(self, checker: Checker, server: Server, limits: Limits) -> None:
        self._checker, self._server, self._limits = checker, server, limits

    def digests(self, statement: str) -> tuple[str, str]:
        """Of a statement's type, exact and by shape. Raises _NotAdmitted."""
        try:
            return self._checker.statement_digest(self._server, statement, self._limits)
        except Rejected as problem:
            raise _NotAdmitted("statement", problem.reason) from None

    def prove(self, goals: Sequence[Goal], reason: str) -> None:
        """Raises _NotAdmitted with `reason` where Lean does not take the proofs."""
        verdict = self._checker.check(self._server, goals, self._limits)
        if verdict.status != "pass":
            raise _NotAdmitted(reason, verdict.reason)

    def closes_by_default(self, statement: str) -> bool:
        """Whether one of the default tactics proves the statement."""
        limits = Limits(self._limits.cpu_seconds, self._limits.memory_mb, _DEFAULT_HEARTBEATS)
        return self._checker.compiles(self._server, [Goal(statement, DEFAULT_TACTICS)], limits)


def _admit_prove(desk: _Desk, draft: Draft) -> Task:
    statement, proof = _texts(draft.fields, "statement", "proof")
    exact, shape = desk.digests(statement)
    desk.prove([Goal(statement, proof)], "unproved")
    if desk.closes_by_default(statement):
        raise _NotAdmitted("trivial", "a default tactic proves it")
    return _task(draft, {"statement": statement}, {"proof": proof}, shape, exact)


def _admit_repair(desk: _Desk, draft: Draft) -> Task:
    statement, proof, rival, refutation = _texts(draft.fields, "statement", "proof", "rival", "refutation")
    (exact, shape), (rival_exact, rival_shape) = desk.digests(statement), desk.digests(rival)
    if not _neighbours(statement, rival):
        raise _NotAdmitted("not_neighbours", "the two statements have other binders or too little in common")
    desk.prove([Goal(statement, proof)], "unproved")
    desk.prove([Goal(negation(rival), refutation)], "unrefuted")
    if desk.closes_by_default(statement) and desk.closes_by_default(negation(rival)):
        raise _NotAdmitted("trivial", "default tactics settle both")
    pair = [statement, rival]
    swapped = hashlib.sha256("\n".join(sorted(pair)).encode()).digest()[0] & 1 == (statement < rival)
    first, second = reversed(pair) if swapped else pair
    gold = {"holds": 2 if swapped else 1, "proof": proof, "refutation": refutation}
    return _task(draft, {"first": first, "second": second}, gold, shape + rival_shape, exact + rival_exact)


def _admit_induct(desk: _Desk, draft: Draft) -> Task:
    statement, proof = _texts(draft.fields, "statement", "proof")
    instances = draft.fields.get("instances")
    if not isinstance(instances, list | tuple) or not all(isinstance(item, str) for item in instances):
        raise _NotAdmitted("malformed", "instances must be a list of texts")
    if not MIN_INSTANCES <= len(instances) <= MAX_INSTANCES:
        raise _NotAdmitted("malformed", f"induct takes {MIN_INSTANCES} to {MAX_INSTANCES} instances")
    exact, shape = desk.digests(statement)
    if len({desk.digests(item)[0] for item in instances} | {exact}) <= len(instances):
        raise _NotAdmitted("not_instances", "an instance comes twice, or is the lemma itself")
    try:
        goals = lemma_goals(statement, proof, instances)
    except LintError as problem:
        raise _NotAdmitted("statement", str(problem)) from None
    desk.prove(goals[:1], "unproved")
    desk.prove(goals, "not_instances")
    if any(desk.closes_by_default(item) for item in instances):
        raise _NotAdmitted("trivial", "a default tactic proves an instance")
    n_shown = (len(instances) + 1) // 2
    gold = {"statement": statement, "proof": proof, "instances": list(instances[n_shown:])}
    return _task(draft, {"instances": list(instances[:n_shown])}, gold, shape, exact)


def lemma_goals(statement: str, proof: str, instances: Sequence[str]) -> list[Goal]:
    """A lemma, and each instance proved by nothing but it. Raises LintError."""
    binders, _ = split_statement(statement)
    if ":=" in binders:
        raise LintError("a lemma's binders hold no :=")  # a default tactic there would prove any instance
    uses = (Goal(text, _USE_LEMMA, f"instance_{number}") for number, text in enumerate(instances, 1))
    return [Goal(statement, proof, "goal", free=True), *uses]


def _prove_goals(task: Task, text: str) -> list[Goal]:
    return [Goal(str(task.given["statement"]), text)]


def _repair_goals(task: Task, text: str) -> list[Goal]:
    claim = _CLAIM.fullmatch(text)
    if claim is None:
        raise LintError("an answer begins with 1, 2, not 1 or not 2, and a proof follows")
    statement = str(task.given["first" if claim["which"] == "1" else "second"])
    return [Goal(negation(statement) if claim["no"] else statement, claim["proof"])]


def _induct_goals(task: Task, text: str) -> list[Goal]:
    statement, proof = split_definition(text)
    return lemma_goals(statement, proof, [*task.given["instances"], *task.gold["instances"]])


def _neighbours(statement: str, rival: str) -> bool:
    try:
        (binders, type_), (rival_binders, rival_type) = split_statement(statement), split_statement(rival)
    except LintError:
        return False
    likeness = difflib.SequenceMatcher(None, _pieces(type_), _pieces(rival_type), autojunk=False).ratio()
    return _pieces(binders) == _pieces(rival_binders) and likeness >= _MIN_LIKENESS


def _pieces(text: str) -> list[str]:
    return re.findall(r"[\w.']+|[^\w\s]", text)


def _texts(fields: Mapping[str, Any], *names: str) -> list[str]:
    values = [fields.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise _NotAdmitted("malformed", f"draft field {name!r} must be a text")
    return [str(value).strip() for value in values]


def _task(draft: Draft, given: dict[str, Any], gold: dict[str, Any], shape: str, exact: str) -> Task:
    return Task(
        id=task_id("lean", draft.kind, given),
        domain="lean",
        kind=draft.kind,
        given=given,
        gold=gold,
        skeleton=hashlib.sha256(shape.encode()).hexdigest()[:16],
        signature=hashlib.sha256(exact.encode()).hexdigest()[:16],
        draft=dict(draft.fields),
    )


_ADMIT = {"prove": _admit_prove, "repair": _admit_repair, "induct": _admit_induct}
_GOALS = {"prove": _prove_goals, "repair": _repair_goals, "induct": _induct_goals}
