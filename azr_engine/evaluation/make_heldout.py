"""Write the suite `heldout`: `python -m azr_engine.evaluation.make_heldout FILE [--per-kind 200] [--seed 20261122]`.

The suite `dev` is made from another seed, without the tasks of the first:
`python -m azr_engine.evaluation.make_heldout data/dev.jsonl --per-kind 100 --seed 7 --without data/heldout.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from azr_engine.engine.config import load_config
from azr_engine.engine.session import choose_domains
from azr_engine.engine.types import Task
from azr_engine.evaluation.heldout import build
from azr_engine.plugins.manager import Plugins


async def make(per_kind: int, seed: int, without: Path | None = None) -> list[Task]:
    """The suite's tasks, admitted by the real verifiers."""
    _, verifiers = choose_domains(load_config(), Plugins())
    lines = without.read_text(encoding="utf-8").splitlines() if without else []
    try:
        return await build(verifiers, per_kind=per_kind, seed=seed, excluded={json.loads(line)["id"] for line in lines})
    finally:
        await asyncio.gather(*(verifier.close() for verifier in verifiers.values()))


def main() -> None:
    """Build and write, one task a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--per-kind", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--without", type=Path, help="suite whose tasks stay out")
    arguments = parser.parse_args()
    tasks = asyncio.run(make(arguments.per_kind, arguments.seed, arguments.without))
    text = "".join(json.dumps(task.to_json(), sort_keys=True) + "\n" for task in tasks)
    arguments.file.write_text(text, encoding="utf-8")
    print(f"{len(tasks)} tasks in {arguments.file}")


if __name__ == "__main__":
    main()
