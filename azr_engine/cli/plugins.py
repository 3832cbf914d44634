"""`azr-engine plugins`: what is loaded and what it brings, a new one to start from, and whether one behaves."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="List plugins, start a new one, or check one.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def plugins() -> None:
    """Plugins bring domains, verifiers, rewards, curricula and oversight."""


@app.command("list")
def list_plugins(
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List plugins with version, source, hooks and health, and the domains and verifiers they bring.

    A plugin is healthy when each domain's verifier is there and a first seed parses; `plugins check` looks closer.

    Example: `azr-engine plugins list --json`
    """
    from azr_engine.engine.config import load_config
    from azr_engine.plugins.health import health, verifier_of
    from azr_engine.plugins.manager import Plugins

    loaded = Plugins(plugin or [])
    config = load_config()
    domains = loaded.domains(config)
    verifiers = {name: verifier_of(domain, loaded) for name, domain in domains.items()}
    natures = {name: "missing" if isinstance(v, str) else v.nature for name, v in verifiers.items()}
    rows: list[dict[str, Any]] = []
    for info in loaded.info():
        own = [domains[name] for name in loaded.brought(info.name, config)]
        nature = sorted({v.nature for d in own if not isinstance(v := verifiers[d.name], str)})
        rows.append({**asdict(info), "nature": nature, "health": health(own, verifiers)})
    kinds: list[dict[str, Any]] = [
        {"name": d.name, "kinds": list(d.kinds), "verifier": d.verifier, "nature": natures[d.name]}
        for d in domains.values()
    ]
    if as_json:
        print(json.dumps({"plugins": rows, "domains": kinds}))
        return
    from rich.table import Table

    from azr_engine.cli.tables import table_console

    table = Table("plugin", "version", "source", "hooks", "nature", "health")
    for row in rows:
        texts = (row["name"], row["version"], row["source"], ", ".join(row["hooks"]), ", ".join(row["nature"]))
        table.add_row(*texts, row["health"])
    domain_table = Table("domain", "kinds", "verifier", "nature")
    for entry in kinds:
        domain_table.add_row(entry["name"], ", ".join(entry["kinds"]), entry["verifier"], entry["nature"])
    console = table_console()
    console.print(table)
    console.print(domain_table)


@app.command("check")
def check_plugin(
    name: Annotated[str, typer.Argument(help="An installed plugin, a domain, a plugin file, or a module.")],
    seconds: Annotated[float, typer.Option(help="Longest that a verifier may take over one batch.", min=0.1)] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the conformance kit on a plugin; the exit code is 1 when a check fails.

    Example: `azr-engine plugins check python`
    """
    import os

    from azr_engine.plugins.conformance import check_plugin as check

    report = check(name, seconds)
    print(json.dumps(report.to_json()) if as_json else "\n".join(report.lines()))
    if report.hung:
        # Python would wait for ever for the threads of a verifier that hangs.
        sys.stdout.flush()
        os._exit(1)
    raise typer.Exit(0 if report.passed else 1)


@app.command("new")
def new_plugin(
    name: Annotated[str, typer.Argument(help="Name of the domain: lower-case letters, digits and underscores.")],
    out: Annotated[Path | None, typer.Option(help="Folder to make; default azr-NAME.")] = None,
    nature: Annotated[str, typer.Option(help="deterministic, sampled or neural.")] = "deterministic",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a package with a domain, its verifier and tests that pass, to be changed into your own.

    Example: `azr-engine plugins new dice --out azr-dice`
    """
    from azr_engine.plugins.scaffold import write_package

    folder = out or Path(f"azr-{name.replace('_', '-')}")
    files = write_package(name, folder, nature)
    if as_json:
        print(json.dumps({"folder": str(folder), "files": [str(file) for file in files]}))
        return
    print(f"wrote {len(files)} files to {folder}; next:")
    print(f"  pip install --editable {folder}")
    print(f"  azr-engine plugins check {name}")
    print(f"  azr-engine run --domains {name} --steps 2")
