"""How large the report of a long run is, how soon it opens, and how soon a search is done.

    python benchmarks/report.py [--attempts 100000] [--run RUN] [--json]

Writes a made-up run of so many tries (or takes a real one), makes its page, and opens it in headless Chromium. Given
are wall seconds, and CPU seconds of all of Chromium's processes, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from azr_engine.engine.rundir import RunDirectory
from azr_engine.report.page import write_report
from tests.report.synthetic import synthetic_run

TASKS_PER_STEP = 62
TRIES_PER_TASK = 8


def measure(run: Path, page: Path) -> dict[str, Any]:
    """Make the page, open it, open its list of tasks, and search for what is nowhere (so every text is read)."""
    started, cpu = time.monotonic(), time.process_time()
    result = write_report(RunDirectory.open(run), page)
    figures: dict[str, Any] = {**result, "write_seconds": time.monotonic() - started}
    figures["write_cpu_seconds"] = time.process_time() - cpu
    figures |= _browse(page)
    return figures


def _browse(page: Path) -> dict[str, Any]:
    from playwright.sync_api import expect, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.set_default_timeout(300_000)
        session = browser.new_browser_cdp_session()

        def timed(name: str, act: Any) -> None:
            started, cpu = time.monotonic(), _cpu_seconds(session)
            act()
            found[f"{name}_seconds"] = time.monotonic() - started
            found[f"{name}_cpu_seconds"] = _cpu_seconds(session) - cpu

        def open_page() -> None:
            tab.goto(page.as_uri())
            tab.wait_for_selector("html[data-ready]")

        def open_tasks() -> None:
            tab.click("#views a[href='#tasks']")
            tab.wait_for_selector(".rows tbody tr")

        def search(word: str) -> None:
            tab.fill("#search", word)
            expect(tab.locator("#found")).to_have_text(re.compile(r"^0 of [0-9,]+ found$"), timeout=300_000)

        tab.goto("about:blank")
        timed("open", open_page)
        timed("tasks", open_tasks)
        found["rows_in_document"] = tab.locator(".rows tbody tr").count()
        timed("search", lambda: search("nowhere-to-be-found"))
        browser.close()
    return found


def _cpu_seconds(session: Any) -> float:
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(process["cpuTime"] for process in processes))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = options.run
        if run is None:
            n_steps = -(-options.attempts // (TASKS_PER_STEP * TRIES_PER_TASK))
            run = synthetic_run(Path(folder) / "run", n_steps, TASKS_PER_STEP, TRIES_PER_TASK)
        figures = measure(run, Path(folder) / "report.html")
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22}  {value:.2f}" if isinstance(value, float) else f"{name:22}  {value}")


if __name__ == "__main__":
    main()
