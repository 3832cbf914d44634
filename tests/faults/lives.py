"""A command's life in a fork of this process, so that what is imported once serves all lives."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

SETTINGS = "--domains python --seed 5 --threads 1 --set trainer.backend=torch --set play.proposals=4"
SETTINGS += " --set play.attempts=4 --set play.replay=2 --set play.anchors=2 --set store.seeds=4"


def import_everything() -> None:
    """What a run imports, so that no life has to."""
    import azr_engine.cli.run
    import azr_engine.engine.policies.transformers
    import azr_engine.engine.session
    import azr_engine.trainer.torch_backend  # noqa: F401


def live(arguments: Sequence[str], log: Path, first: Callable[[], None] | None = None) -> int:
    """The process id of a fork that runs the command line; both its outputs go to the end of `log`.

    Args:
        first: called in the fork before anything else.
    """
    child = os.fork()
    if child:
        return child
    os.setsid()
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from azr_engine.cli import main

    sys.argv = ["azr-engine", *arguments]
    code = 70
    try:
        if first is not None:
            first()
        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def lives(child: int) -> bool:
    """Whether a life has not ended yet; `end_of` is still to be called."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def end_of(child: int) -> int:
    """Wait for a life to end by itself; its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
