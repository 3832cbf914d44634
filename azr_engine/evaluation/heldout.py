"""The suites `heldout` and `dev`: fixed tasks of each built-in domain and kind, with skeletons no lesson ever showed.

Each file is made once by `build`, through the real verifiers, and then only read. Everything that is tuned is tuned on
`dev`, whose tasks come from another seed and none of which is in `heldout`; what is reported is measured on `heldout`.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Collection, Mapping
from importlib import resources

from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Draft, Task, canonical_json

MAX_ANSWER_SHARE = 0.5
"""Largest share of one answer among a kind's tasks."""


def load_heldout() -> list[Task]:
    """Every task of the suite `heldout`, in the file's order."""
    return _load("heldout.jsonl")


def load_dev() -> list[Task]:
    """Every task of the suite `dev`, in the file's order."""
    return _load("dev.jsonl")


def _load(file: str) -> list[Task]:
    text = resources.files(__package__).joinpath("data", file).read_text(encoding="utf-8")
    return [Task.from_json(json.loads(line)) for line in text.splitlines()]


async def build(
    verifiers: Mapping[str, Verifier], *, per_kind: int, seed: int, excluded: Collection[str] = ()
) -> list[Task]:
    """`per_kind` tasks of each domain and kind with held-out skeletons, each repeated as little as the grammar allows.

    Drafts come from the grammars with a seed of their own and are admitted by the real verifiers; tasks whose ids are
    `excluded` stay out, and no answer makes up more than `MAX_ANSWER_SHARE` of a kind, so that none can be guessed.
    """
    from azr_engine.bootstrap.lessons import held_out, solve_math, solve_python

    tasks: list[Task] = []
    for name, solve in (("python", solve_python), ("math", solve_math)):
        for kind in ("deduction", "abduction", "induction", "error"):
            rng = random.Random(f"{seed}/{name}/{kind}")
            found: dict[str, Task] = {}
            per_skeleton: dict[str, int] = {}
            per_answer: Counter[str] = Counter()
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
                    if not isinstance(outcome, Task) or outcome.id in excluded or len(found) == per_kind:
                        continue
                    answer = canonical_json(outcome.gold)
                    if outcome.id not in found and per_answer[answer] < MAX_ANSWER_SHARE * per_kind:
                        per_answer[answer] += 1
                        found[outcome.id] = dataclasses.replace(outcome, born_step=0)
            tasks += found.values()
    return tasks
