"""Headers: the text before each theorem, read once by a process of ours; every check starts from what it left.

Reading the imports is most of what a check costs, seconds with a large library. Lean 4.35 can keep its state after
the imports in a file (`--incr-header-save`) that a later process maps into memory (`--incr-load`). So each check still
has a process of its own, which shares nothing with another but read-only files that no submission had a part in.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.lean.installation import (
    Installation,
    first_complaint,
    mark_used,
    put_in_one_step,
    remove_unused,
    run_lean,
)
from azr_engine.verifiers.lean.modules import Refused, fingerprints
from azr_engine.verifiers.lean.olean import BadModule, Module

FRONTEND = ("--json", "-j1", "-t0", "-s", "65536", "-DautoImplicit=false")
"""How Lean reads every text. What is kept of a header was read with these, and holds for what comes after it."""

_SOURCE = "source.lean"
"""As the texts to check are called: what a header declares may bear its file's name."""
_MODULE, _SNAPSHOT = "header.olean", "header.snapshot"


@dataclass(frozen=True, slots=True)
class Header:
    """A text that compiles, such as `import Mathlib`.

    Attributes:
        imports: the modules that it imports, `Init` included.
        declared: fingerprints of the definitions and theorems that it holds, notation among them.
        snapshot: Lean's state after the imports; None where this Lean cannot keep it.
        mapped_bytes: files that a process maps into memory to start from there.
    """

    text: str
    imports: tuple[str, ...]
    declared: dict[str, bytes]
    snapshot: Path | None
    mapped_bytes: int


def compile_header(installation: Installation, text: str, folder: Path) -> Header:
    """Compile a header, or find it compiled; outside the sandbox, as it is the user's own text.

    Args:
        folder: where compiled headers are kept, for this installation alone and for as long as its modules stay.

    Raises:
        UserError: it does not compile, or the folder cannot be written.
    """
    # A snapshot names the library that wrote it by its path; one from another environment cannot be loaded.
    library = installation.library.resolve()
    written_by = [str(library), library.stat().st_mtime_ns]
    key = hashlib.sha256(json.dumps([written_by, [str(path) for path in installation.search_path], text]).encode())
    place = folder / key.hexdigest()[:16]
    if not place.is_dir():
        _build(installation, text, place)
        remove_unused(folder, "*")
    mark_used(place)
    try:
        module = Module((place / _MODULE).read_bytes())
        imports, declared = tuple(dict.fromkeys(module.imports)), fingerprints(module)
    except BadModule as problem:
        raise UserError(f"the module that Lean {installation.version} writes cannot be read: {problem}") from None
    except Refused as problem:
        raise UserError(f"lean.header cannot be used: {problem}") from None
    snapshot = place / _SNAPSHOT
    if not snapshot.is_file():
        return Header(text, imports, declared, None, sum(_sizes(installation)))
    read = [Path(row["olean"]).stat().st_size for row in json.loads(Path(f"{snapshot}.deps").read_text())]
    return Header(text, imports, declared, snapshot, snapshot.stat().st_size + sum(read))


def _build(installation: Installation, text: str, place: Path) -> None:
    """Compile a header into the folder `place`."""
    with put_in_one_step(place, "compiled Lean headers") as building:
        (building / _SOURCE).write_text(text, encoding="utf-8")
        words = [*FRONTEND, "-o", _MODULE]
        done = _lean(installation, [*words, f"--incr-header-save={_SNAPSHOT}", _SOURCE], building)
        if done.returncode != 0:
            for left in building.glob(f"{_SNAPSHOT}*"):
                left.unlink()
            done = _lean(installation, [*words, _SOURCE], building)
        if done.returncode != 0:
            raise UserError(f"lean.header does not compile: {first_complaint(done)}")


def _lean(installation: Installation, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return run_lean(installation.library, installation.search_path, words, folder)


def _sizes(installation: Installation) -> list[int]:
    """Of every compiled module there is: no check maps more than that."""
    return [file.stat().st_size for folder in installation.search_path for file in folder.rglob("*.olean*")]
