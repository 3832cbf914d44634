"""How fast the math verifier admits and judges easy items: prints a table.

    python benchmarks/math_judge.py [--items N] [--workers W]

Items are small polynomial and elementary problems with integer coefficients, one right answer written differently
from gold and one wrong answer each; starting the workers is not counted. Target: 300 judged items per second on two
cores. `cheap` counts the answers that the exact stages decided without a worker.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.verifiers.math import MathVerifier, gold_text
from azr_engine.verifiers.math.judgement import judge_cheaply


def drafts(rng: random.Random) -> Iterator[Draft]:
    """Endless easy drafts over kinds and operations."""
    while True:
        a, b, c, d = (rng.randint(1, 9) for _ in range(4))
        yield _draft("deduction", "expand", f"({a}*x+{b})*({c}*x-{d})")
        yield _draft("deduction", "differentiate", f"{a}*x**3-{b}*x+sin({c}*x)")
        yield _draft("deduction", "solve", f"(x-{a})*(x+{b})=0")
        yield _draft("abduction", "factor", f"x**2+{a + b}*x+{a * b}")
        yield _draft("deduction", "substitute", f"{a}*x**2+{b}*x-{c}", value=str(d))
        yield _draft("abduction", "differentiate", f"{a}*x**2+{b}*x")
        yield _draft("deduction", "integrate", f"{2 * a}*x+{b}*cos(x)")
        inputs = [f"{n}*x**2+{a}*x-{b}" for n in range(1, 5)]
        fields = {"operation": "differentiate", "expressions": inputs, "message": "slope"}
        yield Draft("math", "induction", fields)


def _draft(kind: str, operation: str, expression: str, **arguments: str) -> Draft:
    return Draft("math", kind, {"operation": operation, "expression": expression, "arguments": arguments})


def right_and_wrong(task: Task) -> tuple[str, str]:
    """Gold's text written differently, and a near miss."""
    gold = gold_text(task)
    if task.kind == "induction":
        return gold, "integrate"
    if gold.startswith("["):
        return ",".join(reversed(gold[1:-1].split(","))), gold.replace(",", ",1")
    if task.given["operation"] == "substitute":
        return f" {gold} ", f"{gold}1"
    if task.given["operation"] == "expand":
        return gold.replace("**", "^"), f"{gold}-x**2"
    return f"0+{gold}", f"{gold}-x**2"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=2000, help="drafts to admit")
    parser.add_argument("--workers", type=int, default=None, help="worker processes; default one per core")
    options = parser.parse_args()
    rng = random.Random(1)
    source = drafts(rng)
    batch = [next(source) for _ in range(options.items)]
    verifier = MathVerifier(workers=options.workers)
    await verifier.admit(batch[:64])
    started = time.perf_counter()
    admitted = await verifier.admit(batch)
    admit_seconds = time.perf_counter() - started
    tasks = [result for result in admitted if isinstance(result, Task)]
    pairs = [(task, Answer({"answer": text}, text)) for task in tasks for text in right_and_wrong(task)]
    started = time.perf_counter()
    verdicts = await verifier.judge(pairs)
    judge_seconds = time.perf_counter() - started
    await verifier.close()
    n_cheap = sum(judge_cheaply(t.kind, t.given, t.gold, a.raw)[0] is not None for t, a in pairs)
    right = Counter(verdict.status for verdict in verdicts[::2])
    wrong = Counter(verdict.status for verdict in verdicts[1::2])
    print(f"{'':10}{'items':>8}{'seconds':>10}{'items/s':>10}")
    print(f"{'admit':10}{len(batch):8}{admit_seconds:10.2f}{len(batch) / admit_seconds:10.0f}")
    print(f"{'judge':10}{len(pairs):8}{judge_seconds:10.2f}{len(pairs) / judge_seconds:10.0f}")
    print(f"admitted {len(tasks)}; cheap {n_cheap / len(pairs):.0%}; right {dict(right)}; wrong {dict(wrong)}")


if __name__ == "__main__":
    asyncio.run(main())
