"""The suite `heldout`: fixed tasks of each built-in domain and kind, with skeletons no lesson ever showed.

The file is made once by `build`, through the real verifiers, and then only read.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Mapping
from importlib import resources

from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Draft, Task

FILE = "heldout.jsonl"


def load_heldout() -> list[Task]:
    """Every task of the suite, in the file's order."""
    text = resources.files(__package__).joinpath("data", FILE).read_text(encoding="utf-8")
    return [Task.from_json(json.loads(line)) for line in text.splitlines()]


def heldout_ids() -> frozenset[str]:
    """Ids of the suite's tasks, which no run may admit."""
    return frozenset(task.id for task in load_heldout())


async def build(verifiers: Mapping[str, Verifier], *, per_kind: int, seed: int) -> list[Task]:
    """`per_kind` tasks of each domain and kind with held-out skeletons, each repeated as little as the grammar allows.

    Drafts come from the grammars with a seed of their own and are admitted by the real verifiers.
    """
    from azr_engine.bootstrap.lessons import held_out, solve_math, solve_python

    tasks: list[Task] = []
    for name, solve in (("python", solve_python), ("math", solve_math)):
        for kind in ("deduction", "abduction", "induction", "error"):
            rng = random.Random(f"{seed}/{name}/{kind}")
            found: dict[str, Task] = {}
            per_skeleton: dict[str, int] = {}
            most, skipped = 1, 0
            while len(found) < per_kind:
                batch: list[Draft] = []
                while len(batch) < 128:
                    solved = solve(rng, kind)
                    if solved is None or not held_out(solved.skeleton):
                        continue
                    # Each skeleton once as long as new ones turn up, then twice, and so on.
                    if per_skeleton.get(solved.skeleton, 0) >= most:
                        skipped += 1
                        most, skipped = (most + 1, 0) if skipped > 200 else (most, skipped)
                        continue
                    per_skeleton[solved.skeleton] = per_skeleton.get(solved.skeleton, 0) + 1
                    batch.append(solved.draft)
                for outcome in await verifiers[name].admit(batch):
                    if isinstance(outcome, Task) and len(found) < per_kind:
                        found[outcome.id] = dataclasses.replace(outcome, born_step=0)
            tasks += found.values()
    return tasks
