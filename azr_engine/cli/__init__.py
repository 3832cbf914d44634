"""The command line, one file per command. Heavy imports happen inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `azr-engine`: the user's mistakes end in one line and exit code 2."""
    from azr_engine.cli.app import build_app
    from azr_engine.engine.errors import RunPaused, UserError

    try:
        build_app(sys.argv[1:])()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except RunPaused as error:
        print(f"paused: {error}", file=sys.stderr)
        raise SystemExit(3) from None
    except BrokenPipeError:
        # The reader of our output went away (`| head`); Python would complain again while flushing at exit.
        sys.stderr.close()
        raise SystemExit(0) from None
