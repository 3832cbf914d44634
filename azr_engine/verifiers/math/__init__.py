"""The math verifier: SymPy as a judge that is right, cannot be hung and cannot be tricked.

Others rely on `MathVerifier`, `gold_text`, `compute`, `KINDS`, `TABLE`, `REASONS` and the grammar (`parse`,
`to_text`, `skeleton`, `ParseError`); everything else may change freely. Importing this imports no SymPy.
"""

from azr_engine.verifiers.math.grammar import ParseError, parse, skeleton, to_text
from azr_engine.verifiers.math.operations import REASONS, TABLE, OperationError, compute
from azr_engine.verifiers.math.verifier import KINDS, MathVerifier, gold_text

__all__ = [
    "KINDS",
    "REASONS",
    "TABLE",
    "MathVerifier",
    "OperationError",
    "ParseError",
    "compute",
    "gold_text",
    "parse",
    "skeleton",
    "to_text",
]
