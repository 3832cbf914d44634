"""`azr-engine plugins`: what is loaded and what it brings."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(help="See the loaded plugins.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def plugins() -> None:
    """Plugins bring domains, verifiers, rewards, curricula and oversight."""


@app.command("list")
def list_plugins(
    plugin: Annotated[list[str] | None, typer.Option(help="Plugin file or module to load as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List plugins with version, source and hooks, and the domains and verifiers they bring.

    Example: `azr-engine plugins list --json`
    """
    from azr_engine.engine.config import load_config
    from azr_engine.plugins.manager import Plugins

    loaded = Plugins(plugin or [])
    config = load_config()
    domains = loaded.domains(config)
    verifiers = loaded.verifiers(config)
    result = {
        "plugins": [asdict(info) for info in loaded.info()],
        "domains": [
            {"name": d.name, "kinds": list(d.kinds), "verifier": d.verifier, "nature": verifiers[d.verifier].nature}
            for d in domains.values()
            if d.verifier in verifiers
        ],
    }
    if as_json:
        print(json.dumps(result))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("plugin", "version", "source", "hooks")
    for info in loaded.info():
        table.add_row(info.name, info.version, info.source, ", ".join(info.hooks))
    kinds = Table("domain", "kinds", "verifier", "nature")
    for entry in domains.values():
        nature = verifiers[entry.verifier].nature if entry.verifier in verifiers else "missing"
        kinds.add_row(entry.name, ", ".join(entry.kinds), entry.verifier, nature)
    console = Console()
    console.print(table)
    console.print(kinds)
