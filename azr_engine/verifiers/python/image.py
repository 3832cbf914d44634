"""A container image made of what is already here: the running interpreter, its standard library, and the worker.

No registry and no package manager is asked. Every file keeps its absolute path, so the interpreter inside finds its
libraries as it does outside. Covered: dynamically linked interpreters on glibc systems (`ldd` must be present).
Not covered: site packages; the worker needs none.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

PACKAGE_ROOT = Path("/work")
"""Where the worker's modules lie in the image."""

_PACKAGES = ("sandbox", "python")
_SKIPPED_NAMES = """
    test tests idle_test ensurepip idlelib tkinter turtledemo lib2to3 site-packages dist-packages __pycache__ pydoc_data
"""
_SKIPPED_FOLDERS = frozenset(_SKIPPED_NAMES.split())
_SKIPPED_SUFFIXES = frozenset((".pyc", ".a"))
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
        OSError: `ldd` is missing, or a file cannot be read.
    """
    files = _worker_files() | _standard_library()
    binaries = [interpreter(), *(source for source in files.values() if source.suffix == ".so")]
    files[interpreter()] = interpreter()
    for library in _shared_libraries(binaries):
        files[library] = library.resolve()
    return _tar(files)


def _worker_files() -> dict[Path, Path]:
    """Where each module of the worker goes, and where it is."""
    verifiers = Path(__file__).parents[1]
    inside = PACKAGE_ROOT / "azr_engine" / "verifiers"
    return {
        inside / package / source.name: source for package in _PACKAGES for source in (verifiers / package).glob("*.py")
    }


def _standard_library() -> dict[Path, Path]:
    folder = Path(sysconfig.get_path("stdlib")).resolve()
    return {
        file: file
        for file in folder.rglob("*")
        if file.is_file()
        and file.suffix not in _SKIPPED_SUFFIXES
        and not any(part in _SKIPPED_FOLDERS or part.startswith("config-") for part in file.relative_to(folder).parts)
    }


def _shared_libraries(binaries: list[Path]) -> set[Path]:
    listing = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return {Path(name) for name in _LIBRARY.findall(listing)}


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
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
