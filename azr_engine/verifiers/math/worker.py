"""The worker: imports SymPy once, warms it up, then serves admissions and judgements from behind the lock.

Nothing that came from a model is ever evaluated here: our grammar reads it and SymPy is given what was read.

Run as `python -m azr_engine.verifiers.math.worker MEMORY_MB`.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
import sys
from typing import Any

from azr_engine.verifiers.math.equivalence import equal_on
from azr_engine.verifiers.math.judgement import judge
from azr_engine.verifiers.math.operations import compute
from azr_engine.verifiers.math.operations.problem import OperationError
from azr_engine.verifiers.math.tasks import admit
from azr_engine.verifiers.sandbox.serving import serve

_STATUS = {True: "pass", False: "fail", None: "abstain"}
_WARM_UP: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("factor", "x**2-1", {}), ("simplify", "sin(x)**2+cos(x)**2", {}), ("integrate", "x*exp(x)", {}),
    ("integrate", "1/(x**2+1)", {"lower": "0", "upper": "1"}), ("limit", "sin(x)/x", {"point": "0"}),
    ("series", "exp(x)", {"order": "3"}), ("sum", "x**2", {"lower": "1", "upper": "n"}),
    ("sum", "1/2**x", {"lower": "0", "upper": "oo"}), ("solve", "exp(2*x)-3*exp(x)+2=0", {}),
    ("solve", "x**2-x-1", {}), ("solve", "sqrt(x)=3", {}), ("inequality", "(x-1)/(x+2)>0", {}),
    ("apart", "1/(x**2-1)", {}), ("recurrence", "p+q", {"initial": "[0,1]"}), ("system", "[x+y=3,x-y=1]", {}),
    ("eigenvalues", "[[1,1],[1,0]]", {}), ("inverse", "[[1,2],[3,4]]", {}), ("gcd", "x**2-1", {"other": "x-1"}),
)  # fmt: skip
"""One problem per part of SymPy that builds tables when first used, which no child should pay for."""
_PACKAGES = ("assumptions", "calculus", "concrete", "functions", "integrals", "matrices", "ntheory", "polys", "series",
             "sets", "simplify", "solvers")  # fmt: skip
_NOT_NEEDED = re.compile(r"\.(tests|benchmarks|\w+_doc)(\.|$)")


def main(arguments: list[str]) -> None:
    """Import, warm up and serve."""
    import_everything()
    for operation, expression, extra in _WARM_UP:
        with contextlib.suppress(OperationError):
            compute({"operation": operation, "expression": expression, "arguments": extra})
    serve(int(arguments[0]), run_item)


def import_everything() -> None:
    """Import what SymPy would import when first used: once locked in, there is no file left to import from."""
    for name in _PACKAGES:
        package = importlib.import_module(f"sympy.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _NOT_NEEDED.search(module.name):
                importlib.import_module(module.name)


def run_item(item: dict[str, Any]) -> dict[str, Any]:
    """Of an admission `{"task"}` or `{"rejected", "detail"}`, of a judgement `{"status", "reason"}`."""
    try:
        if item["do"] == "admit":
            return {"task": admit(item["kind"], item["fields"])}
        decision, reason = judge(item["kind"], item["given"], item["gold"], item["answer"], equal_on)
    except OperationError as error:
        return {"rejected": error.reason, "detail": error.detail}
    except MemoryError:
        return {"killed": "memory"}
    except Exception as error:
        return {"killed": "crash", "detail": f"{type(error).__name__}: {error}"[:200]}
    return {"status": _STATUS[decision], "reason": reason}


if __name__ == "__main__":
    main(sys.argv[1:])
