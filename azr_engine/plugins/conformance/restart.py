"""The fresh process of the check `restart`: admits and judges what standard input asks, and prints one JSON line.

Run as `python -m azr_engine.plugins.conformance.restart`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.plugins.conformance.finding import find


async def main(request: dict[str, Any]) -> dict[str, Any]:
    """Outcomes of the drafts and statuses of the answers."""
    domain, verifier = find(request["domain"], request["extra"])
    del domain
    try:
        outcomes = await verifier.admit([Draft.from_json(draft) for draft in request["drafts"]])
        pairs = [(Task.from_json(task), Answer.from_json(answer)) for task, answer in request["pairs"]]
        verdicts = await verifier.judge(pairs)
    finally:
        await verifier.close()
    return {"tasks": [o.to_json() for o in outcomes], "statuses": [v.status for v in verdicts]}


if __name__ == "__main__":
    print("\n" + json.dumps(asyncio.run(main(json.load(sys.stdin)))))
