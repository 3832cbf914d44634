"""The worker: makes the generators it is asked for, then serves their items and scores from behind the lock.

Run as `python -m azr_engine.verifiers.reasoning_gym.worker MEMORY_MB NAME...`.
"""

from __future__ import annotations

import contextlib
import sys
from functools import lru_cache
from typing import Any

from azr_engine.verifiers.math.worker import import_everything
from azr_engine.verifiers.reasoning_gym.generators import Generator
from azr_engine.verifiers.sandbox.serving import serve

_generators: dict[str, Generator] = {}


def main(arguments: list[str]) -> None:
    """Make the generators, let each load what it loads at first use, and serve."""
    import_everything()
    with contextlib.redirect_stdout(sys.stderr):
        for name in arguments[1:]:
            _generators[name] = Generator(name)
            entry = _generators[name].item(0)
            for answer in (str(entry["answer"]), "0"):
                with contextlib.suppress(Exception):
                    _generators[name].score(entry, answer)
    serve(int(arguments[0]), run_item)


def run_item(item: dict[str, Any]) -> dict[str, Any]:
    """Of an admission `{"question", "answer"}`, of a judgement `{"score"}` or, for another question, `{"fault"}`."""
    name, number = item["name"], item["number"]
    try:
        entry = _entry(name, number)
        if item["do"] == "admit":
            return {"question": entry["question"], "answer": entry["answer"]}
        if entry["question"] != item["question"]:
            return {"fault": f"{name} {number} is another question in the installed version of reasoning-gym"}
        return {"score": _generators[name].score(entry, item["answer"])}
    except MemoryError:
        return {"killed": "memory"}
    except Exception as error:
        return {"killed": "crash", "detail": f"{type(error).__name__}: {error}"[:200]}


@lru_cache(maxsize=1)
def _entry(name: str, number: int) -> dict[str, Any]:
    return _generators[name].item(number)


if __name__ == "__main__":
    main(sys.argv[1:])
