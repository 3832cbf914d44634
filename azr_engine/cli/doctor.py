"""`azr-engine doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from azr_engine.engine.config import RunConfig

PACKAGES = ("torch", "transformers", "sympy", "pluggy", "pydantic", "deepspeed", "vllm", "docker", "ray", "peft")


def doctor(
    model: Annotated[str, typer.Option(help="Model whose memory is estimated.")] = "azr-tiny",
    config: Annotated[Path | None, typer.Option(help="TOML file of settings for that estimate.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the machine: cores, memory, packages, sandbox tiers, domains, and what a run with a model would need.

    Example: `azr-engine doctor --model Qwen/Qwen2.5-3B-Instruct`
    """
    from azr_engine.engine.config import load_config

    settings = load_config(config, (), None if config else {"model.name": model})
    result = examine(settings)
    if as_json:
        print(json.dumps(result))
        return
    from rich.table import Table

    from azr_engine.cli.tables import table_console

    console = table_console()
    table = Table("what", "state")
    table.add_row("python", result["python"])
    table.add_row("cores", str(result["cores"]))
    table.add_row("memory", f"{result['memory_mb']:.0f} MiB")
    table.add_row(f"run of {settings.model.name}", result["run_memory"])
    for name, version in result["packages"].items():
        table.add_row(name, version or "not installed")
    for tier in result["sandbox"]["tiers"]:
        table.add_row(f"sandbox {tier['name']}", f"{'works' if tier['works'] else 'no'}: {tier['why']}")
    table.add_row("sandbox auto", result["sandbox"]["auto"])
    table.add_row("domains", ", ".join(result["domains"]))
    table.add_row("lean", result["lean"]["lean"])
    table.add_row("lean second opinion", result["lean"]["second_opinion"])
    table.add_row("azr-tiny", "shipped" if result["embedded_model"] else "missing")
    console.print(table)


def examine(settings: RunConfig) -> dict[str, Any]:
    """Everything `doctor` reports; the settings are those of a run whose memory is estimated."""
    from azr_engine.engine.memory import memory_line
    from azr_engine.engine.policies.loading import EMBEDDED_FOLDER
    from azr_engine.plugins.manager import Plugins
    from azr_engine.verifiers.lean.backends import describe_backend
    from azr_engine.verifiers.python.executor import auto_choice, probe_tiers

    tiers = probe_tiers()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20,
        "run_memory": memory_line(settings),
        "packages": {name: _version(name) for name in PACKAGES},
        "sandbox": {
            "tiers": [{"name": tier.name, "works": tier.works, "why": tier.why} for tier in tiers],
            "auto": auto_choice(tiers),
        },
        "domains": sorted(Plugins().domains(settings)),
        "lean": describe_backend(settings.lean),
        "embedded_model": (EMBEDDED_FOLDER / "model.safetensors").is_file(),
    }


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None
