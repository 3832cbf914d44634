"""Domains made of one function: `run(program, input)` and two prompts give a whole domain of three kinds.

`domain.py` is the base class that a plugin derives from, `verifier.py` admits and judges by calling its `run` in
`worker.py`'s processes, or wherever a `Runner` of the plugin's own calls it. Plugins rely on the names below; the rest
may change freely.
"""

from azr_engine.domains.function.domain import FunctionDomain
from azr_engine.domains.function.literals import read_literal, write_literal
from azr_engine.domains.function.running import call
from azr_engine.domains.function.verifier import FunctionVerifier, Runner

__all__ = ["FunctionDomain", "FunctionVerifier", "Runner", "call", "read_literal", "write_literal"]
