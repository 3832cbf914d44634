"""Start a worker module by path without running the `__init__` of the packages above it.

    python -S -s -P boot.py azr_engine.verifiers.python.worker ARGUMENT...

Those packages may import heavy things one day; a worker wants to be small, because every page it holds is paid
for again at each fork. They are entered as bare namespaces that know only where their modules lie.
For the same reason such modules import no `typing`, `collections` or `functools`; what annotations need of them stands
under a `TYPE_CHECKING` that is false.
"""

from __future__ import annotations

import os
import sys
import types


def worker_command(module: str, *arguments: str, python: str = sys.executable, boot: str = __file__) -> list[str]:
    """The command line that runs `module.main(arguments)` in a fresh interpreter.

    No site packages (-S, -s), no current folder on the path (-P). PYTHONHASHSEED in the environment stays in force,
    which -I and -E would undo. Byte code is kept as usual: what compiling leaves behind would double a worker's size.
    """
    return [python, "-S", "-s", "-P", boot, module, *arguments]


def worker_environment(hash_seed: int) -> dict[str, str]:
    """The whole environment of a worker whose interpreter hashes with `hash_seed`, counted from 0.

    Library symbols are resolved at the start (LD_BIND_NOW): each fork would resolve them again.
    """
    return {"PYTHONHASHSEED": str(hash_seed + 1), "LC_ALL": "C.UTF-8", "LD_BIND_NOW": "1"}


def _main() -> None:
    # `random`, `threading` and others register hooks that would touch some 150 pages at every fork of the worker.
    os.register_at_fork = lambda **_: None
    module, *arguments = sys.argv[1:]
    root = os.path.realpath(__file__).rsplit("/", 4)[0]
    names = module.split(".")
    for n in range(1, len(names)):
        package = types.ModuleType(".".join(names[:n]))
        package.__path__ = ["/".join((root, *names[:n]))]
        sys.modules[package.__name__] = package
    __import__(module)
    sys.modules[module].main(arguments)


if __name__ == "__main__":
    _main()
