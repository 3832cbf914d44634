"""The documentation site: it builds without a warning, and its reference is whole."""

from __future__ import annotations

import html
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from azr_engine.cli.app import build_app
from azr_engine.engine.config import RunConfig, settings
from azr_engine.plugins import hookspecs

ROOT = Path(__file__).parents[2]


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of the checkout at `root` as `make docs` does; a warning is an error."""
    pytest.importorskip("material", reason="the extra 'docs' is not installed")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    result = build(ROOT, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def text_of(page: Path) -> str:
    """What a reader sees of a page's own text."""
    (article,) = re.findall(r"<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", article))


def commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command by its words, those of groups included."""
    if hasattr(command, "commands"):
        for word, child in command.commands.items():
            yield from commands(child, *words, word)
    else:
        yield words, command


COMMANDS = dict(commands(typer.main.get_command(build_app([]))))
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("azr_")}


def squeezed(text: str) -> str:
    """Without white space and the marks of code, which differ between Markdown and a page."""
    return re.sub(r"[\s`]", "", text)


def test_every_page_is_built_and_asks_no_other_host(site: Path) -> None:
    for source in (ROOT / "docs").glob("*.md"):
        assert (site / f"{source.stem}.html").is_file(), source
    fetched = re.compile(
        r"""<(?:script|img|iframe)[^>]+src=["']?(?:https?:)?//|<link[^>]+stylesheet[^>]+href=["']?\w*:?//"""
    )
    for page in site.rglob("*.html"):
        assert not fetched.search(page.read_text(encoding="utf-8")), page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", style.read_text(encoding="utf-8")), style


def test_a_dead_link_a_dead_anchor_and_a_page_outside_the_navigation_are_errors(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("mkdocs.yml", "SECURITY.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "docs" / "index.md").write_text("[page](gone.md), [anchor](lean.md#gone)\n")
    (tmp_path / "docs" / "stray.md").write_text("# Stray\n")
    result = build(tmp_path, tmp_path / "site")
    assert result.returncode != 0
    for found in ("'gone.md'", "'#gone'", "stray.md"):
        assert found in result.stderr, result.stderr


def test_every_command_is_in_the_reference_with_all_its_options(site: Path) -> None:
    page = text_of(site / "cli.html")
    for words, command in COMMANDS.items():
        name = " ".join(("azr-engine", *words))
        (section,) = re.findall(rf"^{re.escape(name)}¶$(.*?)(?:^azr-engine[^\n]*¶$|\Z)", page, re.MULTILINE | re.DOTALL)
        assert squeezed(command.help) in squeezed(section), name
        for parameter in command.params:
            assert (parameter.help or "").strip(), f"{name}: {parameter.name} has no help"
            assert squeezed(parameter.help) in squeezed(section), f"{name}: {parameter.name}"
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert option in section, f"{name}: {option}"


def test_every_setting_is_in_the_reference_with_its_description_and_default(site: Path) -> None:
    rows = re.findall(r"<tr>\s*(<td>.*?)</tr>", (site / "settings.html").read_text(encoding="utf-8"), re.DOTALL)
    cells = [[html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in row.split("</td>")] for row in rows]
    documented = {row[0].strip(): [cell.strip() for cell in row[1:4]] for row in cells}
    found = dict(settings())
    assert sorted(documented) == sorted(found)
    for name, field in found.items():
        kind, default, meaning = documented[name]
        assert kind, name
        assert squeezed(field.description or "") == squeezed(meaning) != "", name
        assert (default == "empty") == (field.default in (None, "", ())), name
    assert documented["trainer.learning_rate"][:2] == ["number; above 0; at most 1", "0.00015"]
    assert documented["model.style"][:2] == ["one of compact, chat, or empty", "empty"]


def test_every_default_in_the_reference_can_be_given_as_it_stands(site: Path) -> None:
    from azr_engine.engine.config import load_config

    text = (site / "settings.html").read_text(encoding="utf-8")
    rows = re.findall(r"<td><code>([\w.]+)</code></td>\s*<td>.*?</td>\s*<td><code>(.*?)</code></td>", text)
    assert len(rows) > 60
    assert load_config(assignments=[f"{name}={html.unescape(default)}" for name, default in rows]) == RunConfig()


def test_every_hook_is_in_the_reference_with_its_contract_and_example(site: Path) -> None:
    page = text_of(site / "hooks.html")
    for name, hook in HOOKS.items():
        assert f"{name}¶" in page
        lines = (inspect.getdoc(hook) or "").splitlines()
        contract = " ".join(line for line in lines if not line.startswith((">>>", "...")))
        example = " ".join(line[4:] for line in lines if line.startswith((">>>", "...")))
        assert contract.strip() and squeezed(contract) in squeezed(page), name
        assert example and squeezed(example) in squeezed(page), name
