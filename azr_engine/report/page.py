"""The report as one HTML file that needs no network: charts, and every task in compressed chunks.

What a model wrote is data here and never markup: it lies in JSON without `<`, `>` or `&`, or in base64, and the
page's own code puts it on the screen as text. A Content-Security-Policy allows this page's script and style by their
hashes and nothing else, and Trusted Types turn any attempt to parse markup at run time into an error.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from azr_engine.engine.durable import replace_text, storage_errors
from azr_engine.engine.errors import UserError
from azr_engine.engine.rundir import RunDirectory
from azr_engine.report.browse import TABLES, Browser
from azr_engine.report.overview import overview
from azr_engine.report.prompts import Prompts
from azr_engine.report.record import RunRecord, read_record
from azr_engine.report.visible import visible

MAX_BYTES = 15_000_000
"""The largest page; where a run has more, the oldest tasks are listed without their texts."""
_BLOCK_ROOM = 120
"""Bytes of a block's own markup, and of its name among the chunks."""

_SCRIPTS = (
    "dom.js",
    "data.js",
    "chart.js",
    "charts.js",
    "oversight.js",
    "overview.js",
    "entry.js",
    "tasks.js",
    "main.js",
)


def write_report(run: RunDirectory, out: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Write the page and say what is in it: `file`, `bytes`, `tasks`, `attempts`, `without_texts` (rows).

    Raises:
        UserError: the run cannot be read, or the file not be written.
    """
    out = out.resolve()
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"cannot write {out}: it is a folder, or its folder does not exist; name a file with --out")
    record = read_record(run)
    with open_browser(run, record) as browser:
        summary = overview(record, browser)
        fixed = len(document(summary["name"], [], connect=False).encode()) + len(escaped_json(summary)) + _BLOCK_ROOM
        chunks, n_left_out = _chunks(browser, max_bytes - fixed)
    summary["chunks"] = list(chunks)
    blocks = [("overview", "application/json", escaped_json(summary))]
    blocks += [(name, "text/plain", text) for name, text in chunks.items()]
    with storage_errors(out):
        replace_text(out, document(summary["name"], blocks, connect=False))
    counts = summary["counts"]
    return {
        "file": str(out),
        "bytes": out.stat().st_size,
        "tasks": counts["tasks"],
        "attempts": counts["attempts"],
        "without_texts": n_left_out,
    }


@contextlib.contextmanager
def open_browser(run: RunDirectory, record: RunRecord) -> Iterator[Browser | None]:
    """The run's tasks with their prompts; None where the run has no task store yet. Raises UserError."""
    if not run.tasks_path.is_file():
        yield None
        return
    with Browser(run.tasks_path, Prompts.of_run(record.config)) as browser:
        yield browser


def _chunks(browser: Browser | None, max_bytes: int) -> tuple[dict[str, str], int]:
    """Base64 texts by block id: indices first, then chunks, newest first while they fit; and how many rows did not."""
    if browser is None:
        return {}, 0
    indices = {table: browser.index(table) for table in TABLES}
    found = {f"index-{table}": _base64(index) for table, index in indices.items()}
    room = max_bytes - sum(len(text) + _BLOCK_ROOM for text in found.values())
    n_kept = 0
    for table in TABLES:
        for number in reversed(browser.chunk_numbers(table)):
            entries = browser.chunk(table, number)
            text = _base64(entries)
            room -= len(text) + _BLOCK_ROOM
            if room < 0:
                break
            found[f"chunk-{table}-{number}"] = text
            n_kept += len(entries)
    return found, sum(len(index["seq"]) for index in indices.values()) - n_kept


def _base64(value: Any) -> str:
    return base64.b64encode(packed_json(value)).decode("ascii")


def document(title: str, blocks: Iterable[tuple[str, str, str]], *, connect: bool) -> str:
    """The page's HTML: `blocks` of data as (id, type, text), or none and `connect` for a page that asks its server."""
    style, code = part("page.css"), script()
    policy = policy_of(style, code, connect=connect)
    data = "".join(f'<script type="{kind}" id="{name}">{text}</script>\n' for name, kind, text in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(visible(title))} · azr-engine</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{part('body.html')}\n{data}<script>{code}</script>\n</body>\n</html>\n"
    )


def policy_of(style: str, code: str, *, connect: bool) -> str:
    """The Content-Security-Policy of a page with this style and code and no others."""
    source = "'self'" if connect else "'none'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(code)}'; img-src data:; "
        f"connect-src {source}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def escaped_json(value: Any) -> str:
    """JSON that may stand inside a script element whatever texts it holds: ASCII, without `<`, `>` and `&`."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed_json(value: Any) -> bytes:
    """JSON compressed by gzip; the same bytes for the same value."""
    return gzip.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), mtime=0)


def part(name: str) -> str:
    """A file of the page."""
    return (files("azr_engine.report") / "page" / name).read_text(encoding="utf-8")


def script() -> str:
    """The page's script, one function around all of its files."""
    body = "\n".join(part(name) for name in _SCRIPTS)
    return f"(() => {{\n'use strict';\n{body}\n}})();"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
