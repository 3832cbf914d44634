"""LeanDojo as a backend: proofs tactic by tactic in a traced repository, its theorems as seeds.

Needs the extra `leandojo` and a Lean toolchain: LeanDojo traces a repository with `lake` before anything else. What it
calls finished is checked again from the outside, because it neither looks at axioms nor sees a `sorry` that current
Lean reports in other words than it expects.

Results of `Dojo.run_tac` are read by the names of their classes (lean-dojo 4.20: `TacticState`, `ProofFinished`,
`ProofGivenUp`, `LeanError`) and of their fields; anything else counts as a failure.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.engine.types import Draft, Verdict
from azr_engine.verifiers.lean.backends import Backend
from azr_engine.verifiers.lean.checking import Limits
from azr_engine.verifiers.lean.lint import LintError, split_statement

Standing = Literal["open", "finished", "failed", "given_up"]
_MAX_GOALS_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Step:
    """Where a proof stands after a tactic: goals still open as Lean prints them, or what went wrong."""

    standing: Standing
    goals: str = ""
    message: str = ""


def read_step(result: Any) -> Step:
    """A `Step` from what `Dojo.run_tac` returned."""
    match type(result).__name__:
        case "TacticState":
            return Step("open", str(result.pp)[:_MAX_GOALS_CHARACTERS], str(result.message or ""))
        case "ProofFinished":
            return Step("finished", "", str(result.message or ""))
        case "ProofGivenUp":
            return Step("given_up", "", "the proof holds a sorry")
        case "LeanError":
            return Step("failed", "", str(result.error))
    return Step("failed", "", f"LeanDojo returned {type(result).__name__}")


class TacticWalk:
    """One proof under way.

    Args:
        dojo: an entered `Dojo`.
        state: its first `TacticState`.
    """

    def __init__(self, dojo: Any, state: Any) -> None:
        self._dojo = dojo
        self._states = [state]
        self.tactics: list[str] = []

    @property
    def goals(self) -> str:
        """The goals still open, as Lean prints them."""
        return read_step(self._states[-1]).goals

    def run(self, tactic: str) -> Step:
        """Try a tactic; only one that leaves goals or finishes becomes part of the proof."""
        if read_step(self._states[-1]).standing != "open":
            return Step("failed", "", "the proof is over")
        result = self._dojo.run_tac(self._states[-1], tactic)
        step = read_step(result)
        if step.standing in ("open", "finished"):
            self.tactics.append(tactic)
            self._states.append(result)
        return step

    def back(self) -> None:
        """Take the last tactic back; nothing happens at the beginning."""
        if self.tactics:
            self.tactics.pop()
            self._states.pop()

    def proof(self) -> str:
        """The tactics so far as a `by` block."""
        lines = (line for tactic in self.tactics for line in tactic.splitlines())
        return "by\n" + "\n".join(f"  {line}" for line in lines)


async def recheck(walk: TacticWalk, statement: str, backend: Backend, limits: Limits | None = None) -> Verdict:
    """What a checker from the outside says of a walk: `fail` unless the walk is finished and its proof passes."""
    if read_step(walk._states[-1]).standing != "finished":
        return Verdict("fail", 0.0, "the proof is not finished")
    return await backend.check(statement, walk.proof(), limits=limits)


class TracedRepository:
    """A repository that LeanDojo has traced, which takes minutes to hours the first time.

    Raises:
        MissingDependency: lean-dojo is not installed.
        UserError: the folder is no git repository, or LeanDojo cannot trace it.
    """

    def __init__(self, folder: Path) -> None:
        self._dojo = _lean_dojo()
        if not (folder / ".git").exists():
            raise UserError(f"{folder} is no git repository, which LeanDojo needs")
        try:
            self._repo = self._dojo.LeanGitRepo.from_path(folder)
            self._traced = self._dojo.trace(self._repo)
        except Exception as error:
            raise UserError(f"LeanDojo cannot trace {folder}: {type(error).__name__}: {error}") from None

    def seeds(self) -> Iterator[Draft]:
        """The repository's public theorems with a tactic proof, as drafts of the kind `prove`."""
        for theorem in self._traced.get_traced_theorems():
            if (fields := draft_fields(theorem)) is not None:
                yield Draft("lean", "prove", fields)

    def premises(self) -> Iterator[tuple[str, str]]:
        """Full name and source of everything that proofs in the repository may use."""
        for file in self._traced.traced_files:
            for premise in file.get_premise_definitions():
                yield str(premise["full_name"]), str(premise["code"])

    def walk(self, file: str, name: str, seconds: int = 600) -> Any:
        """A context manager that opens a theorem and gives a `TacticWalk`."""
        return _Opened(self._dojo.Dojo(self._dojo.Theorem(self._repo, Path(file), name), timeout=seconds))


class _Opened:
    def __init__(self, dojo: Any) -> None:
        self._dojo = dojo

    def __enter__(self) -> TacticWalk:
        dojo, state = self._dojo.__enter__()
        return TacticWalk(dojo, state)

    def __exit__(self, *error: Any) -> None:
        self._dojo.__exit__(*error)


def draft_fields(theorem: Any) -> dict[str, str] | None:
    """Statement and proof of a traced theorem; None for a private one, and where either cannot be had as text."""
    if theorem.is_private or not theorem.has_tactic_proof():
        return None
    proof = theorem.get_tactic_proof()
    head = re.match(
        r"(?:@\[[^\]]*\]\s*)*(?:protected\s+|noncomputable\s+|nonrec\s+)*(?:theorem|lemma)\s+(?:«[^»]*»|[^\s:({\[⦃])+",
        theorem.get_theorem_statement().strip(),
    )
    if proof is None or head is None:
        return None
    statement = theorem.get_theorem_statement().strip()[head.end() :].strip().removesuffix(":=").strip()
    try:
        split_statement(statement)
    except LintError:
        return None
    return {"statement": statement, "proof": proof}


def _lean_dojo() -> Any:
    try:
        return importlib.import_module("lean_dojo")
    except ImportError:
        raise MissingDependency("LeanDojo is not installed: pip install azr-engine[leandojo]") from None
