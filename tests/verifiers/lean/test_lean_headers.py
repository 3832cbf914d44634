"""What the checks of a batch share: imports that were read once. No verdict depends on its neighbours."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Verdict
from azr_engine.verifiers.lean import headers
from azr_engine.verifiers.lean.backends import LeanPool
from azr_engine.verifiers.lean.checking import Checker, Goal, Limits
from azr_engine.verifiers.lean.headers import compile_header
from azr_engine.verifiers.lean.installation import Installation, run_lean
from azr_engine.verifiers.lean.link import Server
from azr_engine.verifiers.lean.modules import Refused, check_reference
from azr_engine.verifiers.lean.olean import Module

SWAP = "(p q : Prop) : p ∧ q → q ∧ p"
NEIGHBOURS = [
    ("fun h => ⟨h.2, h.1⟩", "pass"),
    ("fun h => h", "fail"),
    ("sorry\n#exit", "fail"),
    ("fun h => ⟨h.2, h.1⟩\n/- never closed", "fail"),
    ("fun h => ⟨h.2, h.1⟩\nset_option maxHeartbeats 1\nset_option debug.skipKernelTC true", "pass"),
    ("helper\naxiom helper : False", "fail"),
    ("fun h => ⟨h.2, h.1⟩\nattribute [-simp] and_true\naxiom goal.helper : False", "fail"),
    ("fun h => absurd (by decide +kernel : Nat.pow 2 4294967290 % 3 = 7) (by decide)", "fail"),
    ("helper", "fail"),
    ("goal.helper.elim", "fail"),
    ("by simp [and_comm]", "pass"),
]
"""Proofs of SWAP, some of which would ruin whatever shared a process or an environment with them."""


def statuses(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.status for verdict in verdicts]


def test_a_neighbour_in_the_batch_changes_no_verdict(unlinted: LeanPool) -> None:
    limits = Limits(cpu_seconds=2.0)
    proofs = [proof for proof, _ in NEIGHBOURS]
    for order in (proofs, proofs[::-1]):
        found = asyncio.run(unlinted.check_files([[Goal(SWAP, proof)] for proof in order], limits=limits))
        expected = dict(NEIGHBOURS)
        assert statuses(found) == [expected[proof] for proof in order]


def test_a_header_is_compiled_once(installation: Installation, tmp_path: Path) -> None:
    header = compile_header(installation, "universe u\n", tmp_path)
    assert header.imports == ("Init",)
    assert header.snapshot is not None
    modules = sum(file.stat().st_size for file in installation.search_path[0].rglob("*.olean"))
    assert header.mapped_bytes == modules + header.snapshot.stat().st_size
    made = header.snapshot.stat().st_mtime_ns
    again = compile_header(installation, "universe u\n", tmp_path)
    assert again == header and again.snapshot is not None and again.snapshot.stat().st_mtime_ns == made
    other = compile_header(installation, "import Init.Core\n", tmp_path)
    assert other.imports == ("Init", "Init.Core") and other.snapshot != header.snapshot
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_header_that_does_not_compile_is_one_clear_line(installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lean\.header does not compile: .*Mathlib"):
        compile_header(installation, "import Mathlib\n", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_lean_that_cannot_keep_its_state_is_used_without(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older ones know no `--incr-header-save`."""
    real = run_lean

    def older(
        library: Path, search_path: Sequence[Path], words: Sequence[str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        if any(word.startswith("--incr") for word in words):
            return subprocess.CompletedProcess(list(words), 1, "", "unknown option")
        return real(library, search_path, words, folder)

    monkeypatch.setattr(headers, "run_lean", older)
    header = compile_header(installation, "universe u\n", tmp_path)
    modules = sum(file.stat().st_size for file in installation.search_path[0].rglob("*.olean"))
    assert (header.imports, header.snapshot, header.mapped_bytes) == (("Init",), None, modules)


def test_without_a_snapshot_the_verdicts_are_the_same(pool: LeanPool) -> None:
    """As with a Lean that cannot keep its state: each check reads the imports itself."""

    def work(checker: Checker, server: Server, proof: str) -> tuple[Verdict, Verdict]:
        slow = Checker(checker.installation, replace(checker._header, snapshot=None), checker._kernels)
        goals = [Goal(SWAP, proof)]
        return checker.check(server, goals, pool.limits), slow.check(server, goals, pool.limits)

    for quick, slow in asyncio.run(pool.run(work, ["And.symm", "fun h => h", "by simp [and_comm]", "undefined"])):
        assert (quick.status, quick.reason) == (slow.status, slow.reason)


def test_a_statement_that_imports_more_than_the_header_is_refused(installation: Installation) -> None:
    module = Module((installation.search_path[0] / "Init" / "Logic.olean").read_bytes())
    with pytest.raises(Refused, match="imports something else than the header"):
        check_reference(module, [], module.version, imports=["Init"], header={})


NOTATION = """import Init
universe u v w
notation:50 a " ~~ " b:51 => Eq a b
infixl:65 " ⊕⊕ " => Nat.add
prefix:1024 "twice " => fun (n : Nat) => n + n
notation:40 a " divides " b => ∃ c, b = a * c
local notation "truth" => True
macro "falsity" : term => `(False)
def double (n : Nat) : Nat := n + n
theorem double_eq (n : Nat) : double n = n + n := rfl
"""


def test_a_header_may_bring_notation_and_definitions(pool: LeanPool) -> None:
    good = [
        ("(a b : Nat) : a ~~ b → b ~~ a", "fun h => h.symm"),
        (": 1 ⊕⊕ 2 ⊕⊕ 3 = 6", "rfl"),
        (": twice 3 = 6 ∧ truth", "⟨rfl, trivial⟩"),
        (": ∀ c : Nat, c divides c", "fun c => ⟨1, (Nat.mul_one c).symm⟩"),
        ("(p : Prop) : falsity → p", "False.elim"),
        ("(n : Nat) : double n = n + n", "double_eq n"),
        ("(n : Nat) : double n = n + n", "by\n  unfold double\n  rfl"),
    ]
    files = [[Goal(*case)] for case in good]
    found = asyncio.run(pool.check_files(files, header=NOTATION))
    assert [(case, v.reason) for case, v in zip(good, found, strict=True) if v.status != "pass"] == []


def test_the_names_that_notation_binds_are_its_own(pool: LeanPool) -> None:
    """Were `c` of the notation that of the statement, this would say that there is a `c` with `c = c * c`."""
    statement, proof = ": ∀ c : Nat, c divides (c + c + c)", "fun c => ⟨3, by simp [Nat.mul_succ]⟩"
    assert asyncio.run(pool.check(statement, proof, header=NOTATION)).status == "pass"
    assert asyncio.run(pool.check(statement, "fun c => ⟨c, rfl⟩", header=NOTATION)).status == "fail"


def test_what_a_header_declares_cannot_be_changed(unlinted: LeanPool) -> None:
    """A lemma before ours declares the header's notation or definition anew, or hides it, and proves a lie with it."""
    lies = [
        ("trivial\nnotation:50 (priority := 5000) a \" ~~ \" b:51 => (True ∨ a = b)", ": 1 ~~ 2", "Or.inl trivial"),
        ("trivial\nlocal notation:50 (priority := 5000) a \" ~~ \" b:51 => True", ": 1 ~~ 2", "trivial"),
        ("trivial\nnamespace goal\nscoped infixl:65 (priority := 5000) \" ⊕⊕ \" => Nat.mul\nend goal\nopen goal",
         ": 2 ⊕⊕ 3 = 6", "rfl"),
        ("trivial\nmacro_rules | `(falsity) => `(True)", ": falsity", "trivial"),
        ("trivial\nnamespace goal\ndef double (n : Nat) : Nat := n\nend goal\nopen goal hiding zero",
         ": double 3 = 3", "rfl"),
        ("trivial\ndef double (n : Nat) : Nat := n", ": double 3 = 3", "rfl"),
        ("trivial\naxiom double_ne : double 1 = 3", ": double 1 = 3", "double_ne"),
    ]  # fmt: skip
    files = [[Goal(": True", text, free=True), Goal(ours, proof, "instance_1")] for text, ours, proof in lies]
    found = asyncio.run(unlinted.check_files(files, header=NOTATION))
    assert [(case, v.reason) for case, v in zip(lies, found, strict=True) if v.status != "fail"] == []
    assert sum(v.reason.startswith("module: ") for v in found) >= 4


@pytest.mark.parametrize(
    ("declaration", "kind"),
    [("axiom lie : False", "axiom"), ("inductive Two where | a | b", "constructor"), ("opaque secret : Nat", "opaque")],
)
def test_a_header_declares_nothing_that_the_kernel_cannot_be_told_again(
    installation: Installation, tmp_path: Path, declaration: str, kind: str
) -> None:
    with pytest.raises(UserError, match=rf"lean\.header cannot be used: it declares the {kind}"):
        compile_header(installation, declaration + "\n", tmp_path)


def test_a_header_that_proves_by_sorry_helps_nobody(pool: LeanPool) -> None:
    verdict = asyncio.run(pool.check(": 1 = 2", "lie", header="theorem lie : 1 = 2 := sorry\n"))
    assert verdict.status == "fail" and "sorry" in verdict.reason


def test_another_environment_s_library_compiles_headers_of_its_own(installation: Installation, tmp_path: Path) -> None:
    """Lean's kept state names the library that wrote it by its path, and loads with no other."""
    package = tmp_path / "other"
    shutil.copytree(installation.library.parent, package, copy_function=os.link)
    other = replace(installation, library=package / installation.library.name)
    kept = tmp_path / "headers"
    kept.mkdir()
    first, second = (compile_header(one, "universe u\n", kept) for one in (installation, other))
    assert first.snapshot != second.snapshot
    pool = LeanPool("embedded", lambda: replace(other, headers=kept), workers=1)

    async def check() -> Sequence[Verdict]:
        found = await pool.check_files([[Goal(SWAP, "fun h => ⟨h.2, h.1⟩")]])
        await pool.close()
        return found

    assert statuses(asyncio.run(check())) == ["pass"]
