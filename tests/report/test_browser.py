"""The page in a real browser: charts are drawn, search finds, lineage opens, and hostile text stays text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.store import TaskStore
from azr_engine.oversight.review import ReviewQueue
from tests.conftest import PATIENCE_SECONDS
from tests.report.synthetic import HOSTILE

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH")]

WAIT = 1000 * PATIENCE_SECONDS
sync_api.expect.set_options(timeout=WAIT)
"""A page draws after an event, not in it, so what follows one is waited for."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        flags += ["--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=WAIT)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Any, hostile_page: Path, tmp_path: Path) -> Iterator[Any]:
    """The report, opened; afterwards nothing has been complained of, nothing was fetched and nothing hostile ran."""
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    problems: list[str] = []
    fetched: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("dialog", lambda dialog: problems.append(dialog.message))
    tab.on("request", lambda wanted: fetched.append(wanted.url))
    tab.goto(hostile_page.as_uri())
    tab.wait_for_selector("html[data-ready]")
    yield tab
    tab.screenshot(path=tmp_path / f"{request.param}.png")
    assert tab.evaluate("window.hacked") is None
    context.close()
    assert problems == []
    assert {url for url in fetched if not url.startswith("data:")} == {hostile_page.as_uri()}


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_charts_are_drawn_and_read_out(page: Any) -> None:
    titles = page.locator("figure h3").all_inner_texts()
    for wanted in ("Held-out pass@k (heldout)", "Solve rate on its own tasks", "Share of the gradient", "Policy"):
        assert wanted in titles or wanted in page.locator("h2").all_inner_texts()
    assert "A new figure · value" in titles
    for figure in page.locator("figure:has(svg.plot)").all():
        assert figure.locator("svg.plot path.line, svg.plot path.area, svg.plot rect.area").count() > 0
    numbers = page.locator("svg.plot path").evaluate_all("paths => paths.map(path => path.getAttribute('d')).join()")
    assert "NaN" not in numbers
    assert "Infinity" not in numbers
    assert page.locator("svg.plot .mark").count() > 0
    figure = page.locator("figure", has_text="Solve rate on its own tasks").first
    figure.locator("svg.plot").focus()
    page.keyboard.press("End")
    sync_api.expect(figure.locator(".tip")).to_contain_text("step 24")
    page.keyboard.press("ArrowLeft")
    sync_api.expect(figure.locator(".tip")).to_contain_text("step 23")
    figure.get_by_text("Data").click()
    sync_api.expect(figure.locator("tbody tr")).to_have_count(24)
    assert page.locator("#settings tr.changed").count() > 0
    page.evaluate("window.scrollTo(0, 0)")


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_safety_and_review_are_shown_as_text(page: Any) -> None:
    titles = page.locator("#oversight figure h3").all_inner_texts()
    assert titles == ["Guards that failed", "What the policy writes for the suite"]
    figure = page.locator("#oversight figure").first
    figure.get_by_text("Data").click()
    sync_api.expect(figure.locator("tbody tr")).to_have_count(3)
    assert page.locator("#safety-failures tbody td").all_inner_texts() == ["24", *HOSTILE[:2]]
    rows = [row.locator("td").all_inner_texts() for row in page.locator("#review tbody tr").all()]
    assert [row[:5] for row in rows] == [
        ["approved", "2", "safety", HOSTILE[0], f"{HOSTILE[3]} 2"],
        ["rejected", "3", "safety", HOSTILE[0], f"{HOSTILE[3]} 3"],
        ["waits", "24", "safety", HOSTILE[0], ""],
    ]
    assert "1 alarm still to be decided" in page.locator("#review .note").inner_text()
    assert page.locator("#oversight script, #oversight img, #oversight svg[onload]").count() == 0


def test_search_finds_in_texts_and_filters_narrow(page: Any, hostile_run: Path) -> None:
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        task = store.tasks("python", "deduction")[3]
        words = store.attempts(task.id)[1].text.split()
    page.get_by_role("link", name="Tasks").click()
    sync_api.expect(page.locator("#found")).to_contain_text("240 of 360")
    sync_api.expect(page.locator("tbody tr")).to_have_count(25)
    page.select_option("#filter-kind", "deduction")
    sync_api.expect(page.locator("#found")).to_have_text("120 of 360 found")
    page.fill("#search", next(word for word in words if word.isdigit()))
    # The number stands in a try's text alone, which lies in a chunk; the index has only the program's beginning.
    link = page.locator(f'a[href="#task/{task.id}"]')
    link.wait_for()
    sync_api.expect(page.locator("tbody tr")).not_to_have_count(25)
    page.fill("#search", "")
    page.select_option("#filter-outcome", "malformed")
    sync_api.expect(page.locator("#found")).to_have_text("72 of 360 found")
    page.get_by_role("button", name="Next page").click()
    sync_api.expect(page.locator(".pager")).to_contain_text("page 2 of 3")


def test_lineage_opens_and_hostile_text_is_shown_as_it_is(page: Any, hostile_run: Path) -> None:
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        child = store.tasks()[-1]
        parent = store.task(child.parents[1])
    page.goto(page.url.partition("#")[0] + f"#task/{child.id}")
    page.locator("#lineage").wait_for()
    sync_api.expect(page.locator("li.try")).to_have_count(4)
    page.locator(f'#lineage ul a[href="#task/{parent.id}"]').first.click()
    page.locator("h1 code", has_text=parent.id).wait_for()
    sync_api.expect(page.locator(f'#lineage ul a[href="#task/{child.id}"]')).to_have_count(1)
    shown = page.locator("pre").first.inner_text()
    plain = parent.given["input"] if shown == parent.given["input"] else parent.given["program"]
    spelt = {"\u202e": "U+202E", "\x00": "U+0000", "\x1b": "U+001B", "\x07": "U+0007", "\x9b": "U+009B"}
    spelt |= {"\u2028": "U+2028", "\u2029": "U+2029", "\ud800": "U+D800"}
    assert shown == "".join(spelt.get(character, character) for character in plain)
    page.keyboard.press("Escape")
    page.locator("#search").wait_for()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_every_hostile_text_stays_text_wherever_it_is_shown(page: Any, hostile_run: Path) -> None:
    with TaskStore(hostile_run / "tasks.sqlite", read_only=True) as store:
        tasks = [next(task for task in store.tasks() if text in task.given["program"]) for text in HOSTILE]
    for task in tasks:
        page.goto(page.url.partition("#")[0] + f"#task/{task.id}")
        page.locator("h1 code", has_text=task.id).wait_for()
        page.locator("li.try").first.wait_for()
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        foreign = page.evaluate("document.querySelectorAll('main script, main img, main iframe, main [onload]').length")
        assert foreign == 0
    assert page.evaluate("document.querySelectorAll('[onerror], [onload]').length") == 0


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_everything_can_be_reached_by_keys(page: Any) -> None:
    page.keyboard.press("/")
    sync_api.expect(page.locator("#search")).to_be_focused()
    page.locator("tbody a").first.focus()
    page.keyboard.press("ArrowDown")
    sync_api.expect(page.locator("tbody a").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#back")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#search").wait_for()
    names = page.locator("button, a, input, select, svg[tabindex]").evaluate_all(
        "nodes => nodes.filter(one => !(one.textContent.trim() || one.getAttribute('aria-label'))).length"
    )
    assert names == 0
    page.get_by_role("button", name="Change between dark and light").click()
    sync_api.expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_live_page_redraws_itself_and_opens_tasks(chromium: Any, port: int, live_run: Path) -> None:
    context = chromium.new_context()
    tab = context.new_page()
    tab.set_default_timeout(WAIT)
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(f"http://127.0.0.1:{port}/")
    sync_api.expect(tab.locator("#state")).to_have_text("live · step 24")
    with RunDirectory.resume(live_run) as run:
        run.append_metrics({**run.read_metrics()[-1], "step": 25})
    sync_api.expect(tab.locator("#state")).to_have_text("live · step 25")
    sync_api.expect(tab.locator(".hero .facts")).to_contain_text("25 of 24 steps")
    sync_api.expect(tab.locator("#review .badge.waits")).to_have_count(1)
    ReviewQueue(live_run).decide("all", "approve", "read")
    sync_api.expect(tab.locator("#review .badge.waits")).to_have_count(0)
    sync_api.expect(tab.locator("#review .badge.pass")).to_have_count(2)
    tab.get_by_role("link", name="Tasks").click()
    tab.locator("tbody a").first.click()
    tab.locator("li.try").first.wait_for()
    assert tab.evaluate("window.hacked") is None
    context.close()
    assert problems == []
