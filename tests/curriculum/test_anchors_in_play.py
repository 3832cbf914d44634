"""A real run beside a domain whose every answer fails: the anchors leave it, also across a resumption."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Command

PLUGIN = Path(__file__).parents[2] / "benchmarks" / "stuck_domains.py"
SMALL = ("play.proposals=6", "play.attempts=2", "play.replay=0", "play.anchors=12", "store.seeds=4")


def test_anchors_leave_a_domain_that_cannot_be_learned(azr: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = [part for one in SMALL for part in ("--set", one)]
    begun = ["run", "--domains", "math,hopeless", "--plugin", str(PLUGIN), *options, "--seed", "1", "--out", str(out)]
    for steps, resume in ((8, []), (10, ["--resume"])):
        done = azr([*begun, *resume, "--steps", str(steps)])
        assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 11))
    hopeless = [line["domains"]["hopeless"] for line in lines]
    assert sum(one["effective"] + (one["solve_rate"] or 0) for one in hopeless) == 0
    assert hopeless[0]["anchored"] >= 4, "an even part while nothing is known"
    assert {one["anchored"] for one in hopeless[-3:]} <= {0, 1}
    assert sum(line["domains"]["math"]["anchored"] for line in lines[-3:]) >= 24, "the others have what it had"
