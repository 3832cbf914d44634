"""`python -m azr_engine`: the command line, for launchers that start modules."""

from __future__ import annotations

from azr_engine.cli import main

main()
