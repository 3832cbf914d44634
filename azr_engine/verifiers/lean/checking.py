"""From statements and proofs to verdicts: lint, compile, compare the module with a reference, run the kernel again.

A file of one or more theorems is checked as a whole. What Lean prints is used for one thing alone: to tell people why a
proof failed. A pass rests on the compiled module and on the second kernel run.
"""

from __future__ import annotations

import collections
import json
import queue
import re
import textwrap
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import PASS, Verdict
from azr_engine.verifiers.lean.axioms import AxiomTable
from azr_engine.verifiers.lean.headers import FRONTEND, Header
from azr_engine.verifiers.lean.installation import Installation
from azr_engine.verifiers.lean.kernel import ABI_VERSION
from azr_engine.verifiers.lean.link import Server, ServerLost
from azr_engine.verifiers.lean.lint import LintError, check_proof, check_statement
from azr_engine.verifiers.lean.modules import PLACEHOLDER, Refused, check_reference, compare
from azr_engine.verifiers.lean.olean import BadModule, Module
from azr_engine.verifiers.lean.opinion import Disagreement, Tool
from azr_engine.verifiers.lean.replay import Tables

DEFAULT_HEADER = "universe u v w\n"
_KERNEL_HEARTBEATS_PER_HEARTBEAT = 1000
_MAX_REASON = 300
_MAX_REFERENCES = 512
_WALL_FACTOR, _GRACE_SECONDS = 8.0, 60.0
_NEVER_IMPORTED = frozenset((PLACEHOLDER, "Lean.ofReduceBool", "Lean.ofReduceNat", "Lean.trustCompiler"))
_NOT_THE_STATEMENTS = frozenset(f"statement: {end}" for end in ("timeout", "memory", "crash"))
"""Failures that may not come again, so they are not remembered."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost: CPU seconds, MiB of heap, and Lean's own heartbeats (thousands of allocations)."""

    cpu_seconds: float = 10.0
    memory_mb: int = 1024
    heartbeats: int = 200_000


@dataclass(frozen=True, slots=True)
class Goal:
    """A theorem to check. `free`: its statement is the submission's own, so there is nothing to compare it with."""

    statement: str
    proof: str
    name: str = "goal"
    free: bool = False


class Rejected(Exception):
    """The submission's own failure, with the CPU seconds it took."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


class Checker:
    """Checks files on a Lean server that the caller owns; safe to share between threads.

    Args:
        header: what stands before the theorems; it is ours, not a submission's.
        kernels: servers for nothing but second kernel runs.
        opinion: a tool that must agree with each pass.
        lint: whether texts are looked at first. Soundness does not depend on it.
    """

    def __init__(
        self,
        installation: Installation,
        header: Header,
        kernels: queue.SimpleQueue[Server],
        *,
        opinion: Tool | None = None,
        lint: bool = True,
    ) -> None:
        self.installation = installation
        self._header, self._kernels, self._opinion = header, kernels, opinion
        self._lint = lint
        self._references: collections.OrderedDict[tuple[str, ...], Module | str] = collections.OrderedDict()
        self._lock = threading.Lock()
        self._axioms = AxiomTable(installation.search_path) if installation.core_only else None

    def check(self, server: Server, goals: Sequence[Goal], limits: Limits) -> Verdict:
        """A pass only where every goal is proved.

        Raises:
            ServerLost: twice in a row; a fault of ours.
        """
        try:
            return self._check(server, goals, limits)
        except Rejected as failure:
            return Verdict("fail", 0.0, failure.reason, seconds=failure.seconds)

    def try_opinion(self, server: Server, limits: Limits) -> None:
        """Have the second opinion look at a proof that nobody can doubt. Raises UserError where it does not agree."""
        if self._opinion is None:
            return
        try:
            verdict = self.check(server, [Goal(": True", "True.intro")], limits)
            problem = verdict.reason
        except ServerLost as lost:
            problem = str(lost)
        if problem:
            raise UserError(f"lean.second_opinion {self._opinion.name} does not work here ({problem}); set it to off")

    def statement_digest(self, server: Server, statement: str, limits: Limits) -> tuple[str, str]:
        """Hexadecimal digests of a statement's type: exact, and of its shape (see `Module.shape`).

        Raises:
            Rejected: the statement does not compile, or to something too large to read.
            ServerLost: see `check`.
        """
        goal = Goal(statement, "")
        self._look(check_statement, statement)
        reference = self._reference(server, [goal], limits)
        try:
            type_ = reference.constant(goal.name).type
            return reference.digest(type_).hex(), reference.shape(type_).hex()
        except (BadModule, LookupError) as problem:
            raise Rejected(f"statement: {_line(str(problem))}") from None

    def compiles(self, server: Server, goals: Sequence[Goal], limits: Limits) -> bool:
        """Whether Lean's frontend takes texts of our own making; no substitute for `check`.

        Raises:
            ServerLost: see `check`.
        """
        try:
            self._compile(server, goals, limits, ("-E", "hasSorry"))
        except Rejected:
            return False
        return True

    def _check(self, server: Server, goals: Sequence[Goal], limits: Limits) -> Verdict:
        for goal in goals:
            self._look(check_statement, goal.statement)
            self._look(check_proof, goal.proof)
        stated = [goal for goal in goals if not goal.free]
        reference = self._reference(server, stated, limits)
        module, seconds = self._compile(server, goals, limits, ("-E", "hasSorry"))
        try:
            names = [[goal.name for goal in goals if goal.free is free] for free in (False, True)]
            tables = compare(
                reference, module, stated=names[0], free=names[1], header=self._header.declared,
                axioms_of=self._axioms_of,
            )  # fmt: skip
        except (Refused, BadModule, LookupError) as problem:
            raise Rejected(f"module: {_line(str(problem))}", seconds) from None
        seconds += self._replay(tables, limits, seconds)
        if self._opinion is not None:
            try:
                self._opinion.ask(reference.data, module.data, names[0], _wall_seconds(limits))
            except Disagreement as problem:
                raise Rejected(f"second opinion ({self._opinion.name}): {_line(str(problem))}", seconds) from None
        return Verdict("pass", PASS.score, seconds=round(seconds, 4))

    def _look(self, lint: Callable[[str], None], text: str) -> None:
        if not self._lint:
            return
        try:
            lint(text)
        except LintError as problem:
            raise Rejected(f"lint: {problem}") from None

    def _axioms_of(self, name: str) -> frozenset[str]:
        if self._axioms is not None:
            return self._axioms(name)
        # A toolchain's modules are too many to read. Those that prove by `sorry` or by running code name these.
        return frozenset((name,)) if name in _NEVER_IMPORTED else frozenset()

    def _reference(self, server: Server, goals: Sequence[Goal], limits: Limits) -> Module:
        """The compiled statements, each with `sorry` for a proof, kept for the next submission."""
        key = (str(limits.heartbeats), *(f"{goal.name} {goal.statement}" for goal in goals))
        with self._lock:
            found = self._references.get(key)
        if found is None:
            found = self._new_reference(server, goals, limits)
            if found in _NOT_THE_STATEMENTS:
                raise Rejected(str(found))
            with self._lock:
                self._references[key] = found
                if len(self._references) > _MAX_REFERENCES:
                    self._references.popitem(last=False)
        if isinstance(found, str):
            raise Rejected(found)
        return found

    def _new_reference(self, server: Server, goals: Sequence[Goal], limits: Limits) -> Module | str:
        placeholders = [Goal(goal.statement, "sorry", goal.name) for goal in goals]
        try:
            module, _ = self._compile(server, placeholders, limits)
            names, version = [goal.name for goal in goals], self.installation.version
            check_reference(module, names, version, imports=self._header.imports, header=self._header.declared)
        except (Refused, BadModule, LookupError) as problem:
            return f"statement: {_line(str(problem))}"
        except Rejected as failure:
            return f"statement: {failure.reason}"
        return module

    def _compile(
        self, server: Server, goals: Sequence[Goal], limits: Limits, options: Sequence[str] = ()
    ) -> tuple[Module, float]:
        """The module of a file of theorems, and CPU seconds. Raises Rejected with Lean's first complaint."""
        source = source_text(self._header.text, goals, limits.heartbeats)
        words = [*FRONTEND, "-M", str(limits.memory_mb), *options]
        if self._header.snapshot is not None:
            words.append(f"--incr-load={self._header.snapshot}")
        head = {"do": "compile", "options": words, "mapped_bytes": self._header.mapped_bytes}
        outcome, data = _ask(server, head, source.encode("utf-8", "replace"), limits)
        seconds: float = outcome["seconds"]
        if outcome["end"] != "exit 0":
            raise Rejected(failure_reason(outcome), seconds)
        try:
            return Module(data), seconds
        except BadModule as problem:
            raise Rejected(f"module: {problem}", seconds) from None

    def _replay(self, tables: Tables, limits: Limits, so_far: float) -> float:
        """Have a kernel that never saw the submission check its terms; its CPU seconds. Raises Rejected."""
        if self.installation.version != ABI_VERSION:
            return 0.0
        heartbeats = limits.heartbeats * _KERNEL_HEARTBEATS_PER_HEARTBEAT
        head = {
            "do": "replay",
            "imports": self._header.imports,
            "max_heartbeats": heartbeats,
            "mapped_bytes": self._header.mapped_bytes,
        }
        kernel = self._kernels.get()
        try:
            outcome, _ = _ask(kernel, head, json.dumps(tables).encode(), limits)
        finally:
            self._kernels.put(kernel)
        seconds: float = outcome["seconds"]
        if outcome["end"] == "exit 0" and outcome["printed"] == "kernel: ":
            return seconds
        words = outcome["printed"] if outcome["end"] == "exit 0" else outcome["end"]
        raise Rejected(f"kernel: {_line(words.removeprefix('kernel: '))}", so_far + seconds)


def source_text(header: str, goals: Sequence[Goal], heartbeats: int) -> str:
    """One file with the goals as theorems, in order.

    The limit stands in the text, as Lean takes the command line's options from a header that is already compiled.
    """
    theorems = (f"theorem {goal.name} {goal.statement} :=\n{textwrap.indent(goal.proof, '  ')}\n" for goal in goals)
    return f"{header}set_option maxHeartbeats {heartbeats}\n" + "\n".join(theorems)


def failure_reason(outcome: dict[str, Any]) -> str:
    """Why a compilation failed, in Lean's words where it found any."""
    if not outcome["end"].startswith("exit"):
        return str(outcome["end"])
    for line in outcome["printed"].splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("severity") == "error":
            return _line(str(message.get("data", "")))
    if "memory" in outcome["printed"]:
        return "memory"
    return _line(outcome["printed"]) or "Lean wrote no module"


def _line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return re.sub(r"\s+", " ", printable).strip()[:_MAX_REASON]


def _ask(server: Server, head: dict[str, Any], body: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """One request with its limits, tried twice. Raises ServerLost."""
    head = {**head, "cpu_seconds": limits.cpu_seconds, "memory_mb": limits.memory_mb}
    seconds = _wall_seconds(limits)
    try:
        return server.ask(head, body, seconds)
    except ServerLost:
        return server.ask(head, body, seconds)


def _wall_seconds(limits: Limits) -> float:
    return _WALL_FACTOR * limits.cpu_seconds + _GRACE_SECONDS
