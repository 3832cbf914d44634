"""The worker: imports a domain's module, locks itself in, then runs the domain's own functions on model-written texts.

Run as `python -m azr_engine.domains.function.worker MEMORY_MB HASH_SEED MODULE FILE CLASS`. The class is found in
MODULE or, where no such module can be imported, in FILE.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any

from azr_engine.domains.function.domain import FunctionDomain
from azr_engine.domains.function.running import call
from azr_engine.verifiers.sandbox.serving import serve


def main(arguments: list[str]) -> None:
    """Load the domain and serve."""
    memory_mb, hash_seed, module, file, name = arguments
    if os.environ.get("PYTHONHASHSEED") != hash_seed:
        # Only a fresh interpreter takes on another hash seed.
        os.environ["PYTHONHASHSEED"] = hash_seed
        os.execv(sys.executable, [sys.executable, "-P", "-m", "azr_engine.domains.function.worker", *arguments])
    domain = load(module, file, name)

    def run_item(item: dict[str, Any]) -> dict[str, Any]:
        return call(domain, item)

    serve(int(memory_mb), run_item)


def load(module: str, file: str, name: str) -> FunctionDomain:
    """An instance of the class `name` of that module or file."""
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(module, file)
        if spec is None or spec.loader is None:
            raise
        found = sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    made: FunctionDomain = getattr(found, name)()
    return made


if __name__ == "__main__":
    main(sys.argv[1:])
