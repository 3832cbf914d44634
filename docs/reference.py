"""MkDocs hook: the reference pages that are made from the code whenever the site is built.

`cli.md` follows the Typer application, `settings.md` the configuration, `hooks.md` the hook specifications; none of
them is a file. `security.md` is SECURITY.md, which stands beside the README.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel

from azr_engine.cli.app import build_app
from azr_engine.engine.config import RunConfig, settings
from azr_engine.plugins import hookspecs

_ROOT = Path(__file__).parents[1]
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages made here; called by MkDocs once it has found the others."""
    pages = {"cli.md": cli_page(), "settings.md": settings_page(), "hooks.md": hooks_page()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, "security.md", abs_src_path=str(_ROOT / "SECURITY.md")))
    return files


def cli_page() -> str:
    """Every command with its usage, help and options."""
    parts = ["# Command line", "`azr-engine COMMAND --help` prints the same."]
    parts += [_command_section(name, command) for name, command in commands()]
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """The built-in commands by full name, those of a group one by one."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "commands"):
            yield name, command
            return
        for word, child in command.commands.items():
            yield from walk(f"{name} {word}", child)

    return walk("azr-engine", typer.main.get_command(build_app([])))


def _command_section(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    rows = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    help_text = inspect.cleandoc(command.help or "")
    table = _table(("option", "meaning"), [(f"`{option}`", _plain(text)) for option, text in rows])
    return f"## `{name}`\n\n```text\n{usage}\n```\n\n{_plain(help_text)}\n\n{table}"


def settings_page() -> str:
    """Every setting by section, with its type, bounds, default and description."""
    sections: dict[str, list[tuple[str, ...]]] = {}
    for name, field in settings():
        section, _, _ = name.rpartition(".")
        kind = "; ".join([_type(field.annotation), *_bounds(field.metadata)])
        row = (f"`{name}`", kind, _value(field.default), _plain(field.description or ""))
        sections.setdefault(section, []).append(row)
    parts = [
        "# Settings",
        "Each is given as `--set NAME=VALUE`, or in a TOML file with `--config`; the command line wins. "
        "`azr-engine run --dry-run` prints what a run would use. *Empty* is a setting left out.",
    ]
    for section, rows in sections.items():
        heading = f"`{section}`" if section else "The run"
        about = inspect.cleandoc(_section(section).__doc__ or "")
        parts += [f"## {heading}", about, _table(("setting", "type", "default", "meaning"), rows)]
    return "\n\n".join(parts) + "\n"


def _section(name: str) -> type[BaseModel]:
    """The model behind a dotted section name; the run itself for an empty one."""
    model: type[BaseModel] = RunConfig
    for part in filter(None, name.split(".")):
        annotation = model.model_fields[part].annotation
        assert isinstance(annotation, type)
        model = annotation
    return model


def hooks_page() -> str:
    """Every hook with its signature, its contract and an example."""
    parts = [
        "# Hooks",
        "A plugin is a module with functions of these names, decorated with `azr_engine.plugins.hookimpl`. "
        "[Plugins](plugins.md) says how one is loaded and what follows when a hook raises.",
    ]
    parts += [_hook_section(name, hook) for name, hook in vars(hookspecs).items() if name.startswith("azr_")]
    return "\n\n".join(parts) + "\n"


def _hook_section(name: str, hook: Any) -> str:
    lines = (inspect.getdoc(hook) or "").splitlines()
    text = "\n".join(line for line in lines if not line.startswith((">>>", "...")))
    example = "\n".join(line[4:] for line in lines if line.startswith((">>>", "...")))
    signature = f"def {name}{inspect.signature(hook)}".replace("'", "")
    return f"## `{name}`\n\n```python\n{signature}\n```\n\n{text.strip()}\n\n```python\n{example}\n```"


def _type(annotation: Any) -> str:
    """An annotation in words: `one of compact, chat, or empty`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(f"`{argument}`" for argument in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "named sections"
    if arguments and type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        return f"{_type(Union[tuple(rest)])}, or empty"  # noqa: UP007
    return {bool: "boolean", int: "integer", float: "number", str: "text"}[annotation]


def _bounds(metadata: list[Any]) -> Iterator[str]:
    for one in metadata:
        for name, word in _BOUNDS.items():
            if (bound := getattr(one, name, None)) is not None:
                yield f"{word} {bound}"
        if (length := getattr(one, "min_length", None)) is not None:
            yield f"{length} or more"


def _value(value: Any) -> str:
    """A default as it would stand in TOML."""
    match value:
        case None | "" | ():
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`[{', '.join(repr(item) for item in value)}]`".replace("'", '"')
        case _:
            return f"`{value}`"


def _plain(text: str) -> str:
    """Help text for Markdown: outside of `code`, nothing is markup."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([\\*_<>\[\]|#])", r"\\\1", p) for p in pieces)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in lines)
