"""What the report's first view shows, as one JSON object. Computed here; drawn by the page."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from azr_engine.report.browse import Browser
from azr_engine.report.curves import HISTOGRAM_BINS, columns, rate_histogram, solve_curves
from azr_engine.report.record import RunRecord, settings_table, versions

EVENTS_SHOWN = 300


def overview(record: RunRecord, browser: Browser | None) -> dict[str, Any]:
    """Charts' columns, evaluations, events, settings and totals.

    Args:
        record: the run's files.
        browser: its task store; None where there is none.
    """
    n_steps = record.n_steps
    rates = browser.task_rates() if browser else []
    return {
        "name": record.folder.name,
        "folder": str(record.folder),
        "made": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "steps": n_steps,
        "planned": record.config.get("steps"),
        "model": record.config.get("model", {}).get("name"),
        "domains": record.domains,
        "seconds": sum(line.get("seconds") or 0.0 for line in record.metrics),
        "tokens": {
            key: sum((line.get("tokens") or {}).get(key) or 0 for line in record.metrics)
            for key in ("generated", "trained")
        },
        "columns": columns(record.metrics),
        "alarms": [[line.get("step"), name] for line in record.metrics for name in line.get("alarms") or ()],
        "evals": record.evals,
        "safety": record.safety,
        "review": record.review,
        "solving": solve_curves(rates, n_steps),
        "histogram": {"bins": HISTOGRAM_BINS, "domains": rate_histogram(rates, n_steps)},
        "verdicts": _verdict_columns(browser.verdicts() if browser else ()),
        "events": record.events[-EVENTS_SHOWN:],
        "n_events": len(record.events),
        "settings": settings_table(record.config),
        "versions": versions(),
        "counts": browser.counts() if browser else {"tasks": 0, "attempts": 0, "proposals": 0},
    }


def _verdict_columns(rows: Iterable[tuple[str, int, str, int]]) -> dict[str, list[list[int]]]:
    """For each status the pairs [step, number], over all domains."""
    found: dict[str, dict[int, int]] = {}
    for _, step, status, number in rows:
        by_step = found.setdefault(status, {})
        by_step[step] = by_step.get(step, 0) + number
    return {status: [[step, number] for step, number in sorted(by_step.items())] for status, by_step in found.items()}
