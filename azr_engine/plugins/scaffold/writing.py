"""Writing a new package from the templates."""

from __future__ import annotations

import keyword
import re
from importlib.metadata import entry_points, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from azr_engine.engine.errors import UserError
from azr_engine.plugins.hookspecs import PROJECT

NATURES = ("deterministic", "sampled", "neural")
_SUFFIX = ".tmpl"


def write_package(name: str, folder: Path, nature: str) -> list[Path]:
    """Write an installable package with a domain `name` into a new folder, and say which files it has.

    Args:
        nature: of its verifier, one of `NATURES`.

    Raises:
        UserError: the name is not usable or taken, the nature is unknown, or the folder exists and is not empty.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} cannot name a domain; use lower-case letters, digits and underscores")
    if name in entry_points(group=PROJECT).names:
        raise UserError(f"a plugin named {name!r} is installed already; choose another name")
    if nature not in NATURES:
        raise UserError(f"unknown nature {nature!r}; choose one of {', '.join(NATURES)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; choose another folder with --out")
    words = {
        "name": name,
        "module": f"azr_{name}",
        "package": f"azr-{name.replace('_', '-')}",
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "variable": f"AZR_{name.upper()}",
        "nature": nature,
        "engine": version("azr-engine"),
    }
    templates = files("azr_engine.plugins.scaffold") / "templates"
    written = []
    for source in (templates / "common", templates / nature):
        for parts, text in _texts(source):
            target = folder.joinpath(*(Template(part.removesuffix(_SUFFIX)).substitute(words) for part in parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(text).substitute(words), encoding="utf-8")
            written.append(target)
    return sorted(written)


def _texts(folder: Traversable, parts: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Every template below a folder: the parts of its path, and its text."""
    found = []
    for entry in folder.iterdir():
        path = (*parts, entry.name)
        if entry.is_dir():
            found += _texts(entry, path)
        elif entry.name.endswith(_SUFFIX):
            found.append((path, entry.read_text(encoding="utf-8")))
    return found
