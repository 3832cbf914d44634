"""Checks on how a verifier behaves as a program: its event loop, its processes, a fresh start, its speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from azr_engine.engine.types import canonical_json
from azr_engine.plugins.conformance.kit import Failed, Kit, Skipped, children
from azr_engine.plugins.conformance.verdicts import known_answers

MAX_STALL_SECONDS = 1.0


def event_loop(kit: Kit) -> str:
    """The event loop goes on turning while drafts are admitted and answers judged; long work happens elsewhere."""
    pairs = known_answers(kit)
    kit.loop.longest_stall = 0.0
    kit.admit(kit.drafts)
    kit.judge(pairs)
    stall = kit.loop.longest_stall
    if stall > MAX_STALL_SECONDS:
        raise Failed(f"the event loop stood still for {stall:.1f} s; use a process or asyncio.to_thread")
    return f"longest stall {stall:.2f} s"


def restart(kit: Kit) -> str:
    """Another process, which hashes differently, admits the same tasks and gives the same verdicts."""
    if kit.verifier.nature != "deterministic":
        raise Skipped(f"a {kit.verifier.nature} verifier may differ")
    pairs = known_answers(kit)
    request = {
        "domain": kit.source.domain,
        "extra": kit.source.extra,
        "drafts": [draft.to_json() for draft in kit.drafts],
        "pairs": [[task.to_json(), answer.to_json()] for task, answer in pairs],
    }
    process = subprocess.run(
        [sys.executable, "-m", "azr_engine.plugins.conformance.restart"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=60 + 3 * kit.seconds,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
    )
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Failed(f"a fresh process fails: {last[0][:200]}")
    again = json.loads(process.stdout.splitlines()[-1])
    first = [outcome.to_json() for outcome in kit.admit(kit.drafts)]
    if canonical_json([_without_detail(o) for o in first]) != canonical_json(
        [_without_detail(o) for o in again["tasks"]]
    ):
        raise Failed("a fresh process admits the drafts otherwise, or with another gold")
    statuses = [verdict.status for verdict in kit.judge(pairs)]
    if statuses != again["statuses"]:
        raise Failed("a fresh process gives other verdicts")
    return f"{len(first)} drafts, {len(statuses)} answers"


def _without_detail(outcome: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in outcome.items() if name != "detail"}


def throughput(kit: Kit) -> str:
    """Says how fast drafts are admitted and answers judged, one batch after the other; nothing is asked of it."""
    pairs = known_answers(kit)
    started = time.perf_counter()
    kit.admit(kit.drafts)
    admitted = time.perf_counter()
    kit.judge(pairs)
    judged = time.perf_counter()
    admissions = len(kit.drafts) / max(admitted - started, 1e-9)
    return f"{admissions:.0f} drafts/s, {len(pairs) / max(judged - admitted, 1e-9):.0f} answers/s"


def close(kit: Kit) -> str:
    """`close` returns, may be called twice, and leaves no process behind. Runs last."""
    kit.call("close", kit.verifier.close())
    left = children() - kit.children_at_start
    if left:
        raise Failed(f"{len(left)} processes are left after close")
    kit.call("close", kit.verifier.close())
    return "no process is left"
