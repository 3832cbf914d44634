"""A second opinion on a pass: tools of the Lean community, on the compiled modules, where a toolchain has them.

| tool | command | what it says |
|---|---|---|
| `comparator` | `leanexport` on both modules, then `lake comparator` on what it wrote (Lean 4.35 and later) | same statement, allowed axioms, terms checked again by other kernels |
| `safe_verify` | `safe_verify REFERENCE SUBMISSION` | same statement, allowed axioms, terms checked again |
| `leanchecker`, `lean4checker` | `leanchecker MODULE` | terms checked again |

The first that is found is asked. It must agree: exit status 0 lets a pass stand, 1 or a timeout fails the submission, and
anything else is a fault of ours. Before its first real case a tool is tried on a plain proof, which it must accept. Tools
map the modules into memory, so they run in bubblewrap, without network, home folder or anything to write but their own
work folder; `lake comparator` alone reads text only and brings a sandbox of its own.
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.lean.installation import Installation
from azr_engine.verifiers.lean.link import ServerLost
from azr_engine.verifiers.lean.modules import ALLOWED_AXIOMS

TOOLS = ("comparator", "safe_verify", "leanchecker", "lean4checker")
"""In order of how much they look at."""

_REFERENCE, _SUBMISSION = "Challenge", "Solution"
_PRIMITIVES = """
    propext Quot.sound Classical.choice Nat Nat.add Nat.sub Nat.mul Nat.pow Nat.gcd Nat.div Nat.mod Nat.beq Nat.ble
    Nat.land Nat.lor Nat.xor Nat.shiftLeft Nat.shiftRight String String.ofList String.mk Char Char.ofNat List
    eagerReduce optParam autoParam semiOutParam outParam Quot Quot.mk Quot.lift Quot.ind
""".split()
"""What an export holds besides the theorems: the comparator compares the definitions that kernels compute with."""


class Disagreement(Exception):
    """The tool refuses the submission; the message says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was found.

    Attributes:
        name: one of TOOLS.
        programs: its executables, in the order of their use.
        confined: whether it runs in bubblewrap.
    """

    name: str
    programs: tuple[Path, ...]
    installation: Installation
    confined: bool = True

    def ask(self, reference: bytes, submission: bytes, names: Sequence[str], seconds: float) -> None:
        """Return where the tool agrees that the submission proves the reference's theorems `names`.

        Raises:
            Disagreement: it does not, or takes longer than `seconds`.
            ServerLost: the tool does not work.
        """
        with tempfile.TemporaryDirectory(prefix="azr-lean-opinion-") as name:
            work = Path(name).resolve()
            (work / f"{_REFERENCE}.olean").write_bytes(reference)
            (work / f"{_SUBMISSION}.olean").write_bytes(submission)
            if self.name == "comparator":
                self._compare(work, names, seconds)
            elif self.name == "safe_verify":
                self._run([str(self.programs[0]), f"{_REFERENCE}.olean", f"{_SUBMISSION}.olean"], work, seconds)
            else:
                self._run([str(self.programs[0]), _SUBMISSION], work, seconds)

    def _compare(self, work: Path, names: Sequence[str], seconds: float) -> None:
        export, lake = map(str, self.programs)
        files = []
        for module in (_REFERENCE, _SUBMISSION):
            files.append(f"{module}.ndjson")
            self._run([export, module, "--", *names, *_PRIMITIVES], work, seconds, output=work / files[-1])
        config = {
            "challenge_module": _REFERENCE,
            "solution_module": _SUBMISSION,
            "theorem_names": list(names),
            "permitted_axioms": sorted(ALLOWED_AXIOMS),
        }
        (work / "comparator.json").write_text(json.dumps(config))
        exports = ["--challenge-from-export", files[0], "--solution-from-export", files[1]]
        self._run([lake, "comparator", "--config", "comparator.json", *exports], work, seconds, confined=False)

    def _run(
        self, command: list[str], work: Path, seconds: float, *, output: Path | None = None, confined: bool = True
    ) -> None:
        if confined and self.confined:
            command = [*self._bubblewrap(work), *command]
        folders = ":".join(map(str, (work, *self.installation.search_path)))
        programs = ":".join(dict.fromkeys(str(program.parent) for program in self.programs))
        environment = {"LEAN_PATH": folders, "PATH": f"{programs}:{_bin(self.installation)}:/usr/bin:/bin"}
        printed = output or work / "printed"
        try:
            with printed.open("wb") as out:
                done = subprocess.run(
                    command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                    timeout=seconds, check=False,
                )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Disagreement("timeout") from None
        except OSError as error:
            raise ServerLost(f"{self.name} does not run: {error}") from None
        if done.returncode == 0:
            return
        words = done.stderr.decode("utf-8", "replace") or printed.read_bytes()[:4096].decode("utf-8", "replace")
        last = (words.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        if done.returncode == 1:
            raise Disagreement(last)
        raise ServerLost(f"{self.name} ended with status {done.returncode}: {last}")

    def _bubblewrap(self, work: Path) -> list[str]:
        """Everything read-only, /tmp and the home folder empty but for what the tool needs, no network."""
        words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/"]
        words += ["--tmpfs", "/tmp", "--tmpfs", str(Path.home()), "--dev", "/dev", "--proc", "/proc"]
        needed = [*self.installation.search_path, _bin(self.installation), self.installation.library.parent]
        for folder in (*needed, *(program.parent for program in self.programs)):
            words += ["--ro-bind", str(folder), str(folder)]
        return [*words, "--bind", str(work), str(work), "--chdir", str(work), "--"]


def find_tool(wanted: str, installation: Installation, project: Path | None, tier: str) -> Tool | None:
    """The tool that the setting `lean.second_opinion` names, or the first that is there for `auto`; None for none.

    Looked for beside `lean`, in the project and its packages, then on PATH.

    Raises:
        UserError: a tool that the setting names is not there, or there is no bubblewrap to run it in.
    """
    if wanted == "off" or (wanted == "auto" and installation.core_only):
        return None
    if installation.core_only:
        raise UserError(f"lean.second_opinion {wanted} needs a toolchain: the embedded Lean has no such tool")
    found = None
    for name in TOOLS if wanted == "auto" else (wanted,):
        programs = [_program(part, installation, project) for part in _parts(name)]
        if all(programs) and not (name == "comparator" and _release(installation) < (4, 35)):
            found = Tool(name, tuple(filter(None, programs)), installation, confined=tier == "namespaces")
            break
    if found is None:
        if wanted == "auto":
            return None
        raise UserError(f"lean.second_opinion: there is no {wanted} beside lean, in the project or on PATH")
    if found.confined and shutil.which("bwrap") is None:
        if wanted == "auto":
            return None
        raise UserError(f"lean.second_opinion {wanted} runs in bubblewrap: install the package bubblewrap (bwrap)")
    return found


def describe(wanted: str, installation: Installation, project: Path | None) -> str:
    """What `find_tool` finds, in words."""
    try:
        tool = find_tool(wanted, installation, project, "namespaces")
    except UserError as problem:
        return f"none: {problem}"
    if tool is not None:
        return f"{tool.name}: {', '.join(map(str, tool.programs))}"
    if wanted == "off":
        return "none: switched off"
    if any(all(_program(part, installation, project) for part in _parts(name)) for name in TOOLS):
        return "none: install bubblewrap (bwrap) to use what the toolchain has"
    return f"none of {', '.join(TOOLS)} is there"


def _parts(name: str) -> tuple[str, ...]:
    return ("leanexport", "lake") if name == "comparator" else (name,)


def _program(name: str, installation: Installation, project: Path | None) -> Path | None:
    places = [_bin(installation)]
    if project is not None:
        places += [project / ".lake" / "build" / "bin", *project.glob(".lake/packages/*/.lake/build/bin")]
    path = ":".join([*map(str, places), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    return Path(found).absolute() if found else None


def _bin(installation: Installation) -> Path:
    return installation.library.parents[2] / "bin"


def _release(installation: Installation) -> tuple[int, int]:
    major, minor, *_ = installation.version.split(".")
    return int(major), int(minor)
