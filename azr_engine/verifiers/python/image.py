"""A container image made of what is already here: the running interpreter and the modules that a worker imports.

No registry and no package manager is asked. Every file keeps its absolute path, so the interpreter inside finds its
libraries as it does outside, and its time of change, so that byte code stays valid: a worker that had to compile would
be slow to start and large. A module that no worker imports is not there, as in the other tiers.
Covered: dynamically linked interpreters on glibc systems (`ldd` must be present).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import py_compile
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from azr_engine.verifiers.sandbox.boot import worker_command, worker_environment

PACKAGE_ROOT = Path("/work")
"""Where the worker's modules lie in the image."""

_PACKAGES = ("sandbox", "python")
_LIBRARY = re.compile(r"(/\S+)\s+\(0x")


def interpreter() -> Path:
    """The interpreter's own file, behind any virtual environment and link."""
    return Path(sys._base_executable).resolve()  # type: ignore[attr-defined]


def image_key() -> str:
    """Twelve hexadecimal digits that change with the interpreter or the worker's code."""
    state = hashlib.sha256()
    python = interpreter()
    state.update(f"{sys.version} {python} {python.stat().st_mtime_ns}".encode())
    for target, source in sorted(_worker_files().items()):
        state.update(str(target).encode() + source.read_bytes())
    return state.hexdigest()[:12]


def image_archive() -> bytes:
    """The image's root file system as a tar archive, about 35 MB.

    Raises:
        OSError: `ldd` is missing, a file cannot be read, or the interpreter cannot import the worker.
    """
    worker, library = _worker_files(), _library_files()
    binaries = [interpreter(), *(file for file in library if file.suffix == ".so")]
    files = worker | {file: file for file in [interpreter(), *library]}
    files |= {shared: shared.resolve() for shared in _shared_libraries(binaries)}
    with tempfile.TemporaryDirectory() as folder:
        return _tar(files | _compiled(files, Path(folder)))


def _worker_files() -> dict[Path, Path]:
    """Where each module of the worker goes, and where it is."""
    verifiers = Path(__file__).parents[1]
    inside = PACKAGE_ROOT / "azr_engine" / "verifiers"
    return {
        inside / package / source.name: source for package in _PACKAGES for source in (verifiers / package).glob("*.py")
    }


def _library_files() -> list[Path]:
    """The files of Python's library that a worker imports."""
    command = worker_command("azr_engine.verifiers.python.contents", python=str(interpreter()))
    listing = subprocess.run(command, env=worker_environment(0), capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        raise OSError(f"the worker's modules cannot be imported: {listing.stderr.strip()[-200:]}")
    own = Path(__file__).parents[2]
    return [path for path in map(Path, listing.stdout.splitlines()) if path.is_file() and own not in path.parents]


def _shared_libraries(binaries: list[Path]) -> set[Path]:
    listing = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return {Path(name) for name in _LIBRARY.findall(listing)}


def _compiled(files: dict[Path, Path], folder: Path) -> dict[Path, Path]:
    """Byte code of all modules among `files`, made in `folder`."""
    found = {}
    for number, (target, source) in enumerate(files.items()):
        if source.suffix == ".py":
            cached = folder / str(number)
            py_compile.compile(str(source), cfile=str(cached), dfile=str(target), doraise=True)
            found[Path(importlib.util.cache_from_source(target))] = cached
    return found


def _tar(files: dict[Path, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folders = {parent for target in files for parent in target.parents} | {
            Path("/proc"),
            Path("/dev"),
            Path("/tmp"),
        }
        for folder in sorted(folders - {Path("/")}):
            entry = tarfile.TarInfo(str(folder.relative_to("/")))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for target, source in sorted(files.items()):
            data = source.read_bytes()
            entry = tarfile.TarInfo(str(target.relative_to("/")))
            entry.size, entry.mode, entry.mtime = len(data), 0o755, int(source.stat().st_mtime)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
