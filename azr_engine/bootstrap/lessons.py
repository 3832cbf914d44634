"""Grammar lessons: solved tasks of every domain and kind, as prompt and completion texts in a style.

The golds of Python lessons come from running the grammar's own programs in this process, which is safe only because
no model had a hand in them; the math lessons' golds come from the verifier's table of operations. Skeletons of the
held-out part (`held_out`) are left to evaluation and never appear in a lesson.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azr_engine.bootstrap.math_steps import math_steps
from azr_engine.bootstrap.python_steps import python_steps
from azr_engine.domains.lean import grammar as propositional
from azr_engine.domains.lean.domain import LeanDomain
from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.protocols import Domain
from azr_engine.engine.styles import CompactStyle
from azr_engine.engine.types import Draft, Prompt, Section, Task, content_hash
from azr_engine.verifiers.math.copies import copies, does_nothing
from azr_engine.verifiers.math.grammar import parse
from azr_engine.verifiers.math.operations import TABLE, OperationError, compute
from azr_engine.verifiers.math.printer import skeleton as expression_skeleton
from azr_engine.verifiers.python.skeleton import program_skeleton

HELD_OUT_ONE_IN = 16


def held_out(skeleton: str) -> bool:
    """Whether a skeleton belongs to the held-out sixteenth of all skeletons, by hash."""
    return int(hashlib.sha256(skeleton.encode()).hexdigest()[:8], 16) % HELD_OUT_ONE_IN == 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt, the completion to learn and where it belongs."""

    prompt: str
    completion: str
    domain: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class Solved:
    """A draft with what a verifier would make of it."""

    draft: Draft
    given: dict[str, Any]
    answer: str
    skeleton: str


@dataclass(frozen=True, slots=True)
class Mix:
    """The share of lessons in the proposer's role, and the names a lesson's domain is drawn from.

    `worked` is the share of answers with the steps before them, among those that have steps that can be told; a
    proposal is the longest of `draws`, since short ones repeat each other.
    """

    propose: float
    domains: tuple[str, ...]
    worked: float = 0.0
    draws: int = 1


BROAD = Mix(0.25, ("python",) * 4 + ("math",) * 4 + ("lean",))
SOLVING = Mix(0.12, ("python",) * 14 + ("math",) * 6 + ("lean",))
"""For the second phase of training: answers, Python's above all, need more lessons than proposals do."""

WORKING = Mix(0.12, ("python",) * 10 + ("math",) * 9 + ("lean",), worked=0.5, draws=2)
"""For the third phase: how an answer is worked out."""

MAX_STEPS_CHARACTERS = 160
"""Answers whose steps are longer are given without them."""

KINDS = {"python": PythonDomain.kinds, "math": MathDomain.kinds, "lean": ("prove",)}
"""The kinds of each domain that lessons are made of."""


class LessonBook:
    """An endless, seeded stream of lessons.

    Args:
        style: renders prompts and completions.
        seed: the whole stream follows from it.
        n_references: earlier tasks shown in each proposing lesson.
        mix: shares of roles and domains.
    """

    def __init__(self, style: CompactStyle, seed: int, *, n_references: int = 1, mix: Mix = BROAD) -> None:
        self._style = style
        self._rng = random.Random(seed)
        self._n_references = n_references
        self._mix = mix
        self._domains: dict[str, Domain] = {"python": PythonDomain(), "math": MathDomain(), "lean": LeanDomain()}
        self._solvers: dict[str, Callable[[random.Random, str], Solved | None]] = {
            "python": solve_python,
            "math": solve_math,
            "lean": solve_lean,
        }

    def lessons(self) -> Iterator[Lesson]:
        """Lessons for ever: domains by the mix, kinds drawn evenly."""
        while True:
            name = self._rng.choice(self._mix.domains)
            domain = self._domains[name]
            kind = self._rng.choice(KINDS[name])
            yield self._lesson(domain, kind)

    def _lesson(self, domain: Domain, kind: str) -> Lesson:
        solved = self.solved(domain.name, kind)
        proposes = self._rng.random() < self._mix.propose
        for _ in range(self._mix.draws - 1 if proposes else 0):
            solved = max(solved, self.solved(domain.name, kind), key=lambda one: len(str(one.draft.fields)))
        task = Task("", domain.name, kind, solved.given, {}, solved.skeleton, draft=solved.draft.fields)
        if proposes:
            references = [self._reference(domain.name, kind) for _ in range(self._n_references)]
            prompt = domain.propose_prompt(kind, references)
            sections = domain.draft_sections(kind, solved.draft.fields)  # type: ignore[attr-defined]
            return self._lesson_of(prompt, self._style.render_return(sections))
        prompt, answer = domain.solve_prompt(task), Section("answer", solved.answer)
        # A mix without steps draws nothing here, so that its stream is what it was before there were any.
        if self._mix.worked and self._rng.random() < self._mix.worked:
            steps = written_steps(domain.name, kind, solved)
            if steps and len(steps) <= MAX_STEPS_CHARACTERS:
                return self._lesson_of(prompt, self._style.render_worked(steps, answer))
        return self._lesson_of(prompt, self._style.render_return((answer,)))

    def _lesson_of(self, prompt: Prompt, completion: str) -> Lesson:
        return Lesson(self._style.render(prompt), completion, prompt.domain, prompt.kind, prompt.role)

    def _reference(self, domain: str, kind: str) -> Task:
        solved = self.solved(domain, kind)
        return Task("", domain, kind, {}, {}, solved.skeleton, draft=solved.draft.fields)

    def solved(self, domain: str, kind: str) -> Solved:
        """One solved task outside of the held-out part."""
        while True:
            solved = self._solvers[domain](self._rng, kind)
            if solved is not None and not held_out(solved.skeleton):
                return solved


_PYTHON, _MATH = PythonDomain(), MathDomain()
MAX_RESULT_CHARACTERS = 40


def solve_python(rng: random.Random, kind: str) -> Solved | None:
    """A Python draft with its answer; None when this draw would not be admitted."""
    draft = _PYTHON.seed(rng, kind)
    program = draft.fields["program"]
    inputs: list[str] = draft.fields["inputs"] if kind == "induction" else [draft.fields["input"]]
    outputs = [_run_grammar_program(program, text) for text in inputs]
    if kind == "error":
        error = outputs[0][1] or "none"
        if error == "none" and rng.random() < 0.55:
            return None
        return Solved(draft, dict(draft.fields), error, program_skeleton(program))
    values = [value for value, error in outputs if error is None]
    if len(values) < len(outputs) or any(len(value) > MAX_RESULT_CHARACTERS for value in values):
        return None
    skeleton = program_skeleton(program)
    if kind == "deduction":
        return Solved(draft, dict(draft.fields), values[0], skeleton)
    if kind == "abduction":
        return Solved(draft, {"program": program, "output": values[0]}, inputs[0], skeleton)
    if len(set(values)) == 1:
        return None
    shown = (len(inputs) + 1) // 2
    pairs = [{"input": i, "output": o} for i, o in zip(inputs, values, strict=True)]
    return Solved(draft, {"message": draft.fields["message"], "pairs": pairs[:shown]}, program, skeleton)


def _run_grammar_program(program: str, arguments: str) -> tuple[str, str | None]:
    """The result's text and None, or an empty text and the exception's name. For grammar programs only."""
    scope: dict[str, Any] = {}
    exec(compile(program, "<grammar>", "exec"), scope)  # noqa: S102 - our own grammar's text
    try:
        return repr(eval(f"f({arguments})", scope)), None  # noqa: S307 - our own grammar's text
    except Exception as error:
        return "", type(error).__name__


def solve_math(rng: random.Random, kind: str) -> Solved | None:
    """A math draft with its answer; None when this draw would not be admitted."""
    draft = _MATH.seed(rng, kind)
    fields = dict(draft.fields)
    texts: list[str] = fields["expressions"] if kind == "induction" else [fields["expression"]]
    shared = {"operation": fields["operation"], "arguments": fields.get("arguments", {})}
    skeleton = math_skeleton(fields)
    outcomes = [_compute({**shared, "expression": text}) for text in texts]
    if kind == "error":
        error = outcomes[0][1] or "none"
        if rng.random() >= ERRORS.get(error, 0.0):
            return None
        return Solved(draft, fields, error, skeleton)
    results = [result for result, error in outcomes if error is None]
    if len(results) < len(texts) or any(len(result) > MAX_RESULT_CHARACTERS for result in results):
        return None
    row, trivial = TABLE[fields["operation"]], copies if kind == "abduction" else does_nothing
    if any(trivial(row, parse(text), parse(result)) for text, result in zip(texts, results, strict=True)):
        return None
    if kind == "deduction":
        return Solved(draft, fields, results[0], skeleton)
    if kind == "abduction":
        return Solved(draft, {**shared, "result": results[0]}, texts[0], skeleton)
    if len(set(texts)) < len(texts) or len(set(results)) == 1:
        return None
    shown = (len(texts) + 1) // 2
    pairs = [{"input": i, "output": o} for i, o in zip(texts, results, strict=True)]
    answer = " ".join([fields["operation"], *(f"{k}={v}" for k, v in shared["arguments"].items())])
    return Solved(draft, {"pairs": pairs[:shown], "message": ""}, answer, skeleton)


ERRORS = {"none": 0.5, "undefined": 0.8, "no-solution": 0.8, "divergent": 1.0}
"""The chance that a task with this outcome becomes a lesson: no outcome may be much more frequent than the others."""


def _compute(fields: dict[str, Any]) -> tuple[str, str | None]:
    """The result's text and None, or an empty text and the reason there is none."""
    try:
        return compute(fields)["result"], None
    except OperationError as error:
        return "", error.reason.replace("_", "-")


def solve_lean(rng: random.Random, kind: str) -> Solved:
    """A propositional statement with a proof, by the grammar's own prover."""
    statement, proof = propositional.sample(rng)
    draft = Draft("lean", kind, {"statement": statement, "proof": proof})
    return Solved(draft, {"statement": statement}, proof, content_hash(statement))


def written_steps(domain: str, kind: str, solved: Solved) -> str:
    """How the answer is worked out, as text; empty where that can't be told."""
    given = solved.given
    steps: Sequence[str] | None = None
    if domain == "python" and kind in ("deduction", "error"):
        steps = python_steps(given["program"], given["input"])
    elif domain == "math" and kind in ("deduction", "error"):
        steps = math_steps(kind, given)
    return ";".join(steps or ())


def math_skeleton(fields: Mapping[str, Any]) -> str:
    """The operation with its expressions' structure."""
    texts = fields["expressions"] if "expressions" in fields else [fields["expression"]]
    return content_hash(fields["operation"], [expression_skeleton(parse(text)) for text in texts])
