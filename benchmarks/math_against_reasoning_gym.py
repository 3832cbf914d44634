"""The math verifier against reasoning-gym's own scorers, on gold answers and on perturbed ones: prints tables.

    python benchmarks/math_against_reasoning_gym.py [--items N] [--seed S]        (needs the extra `reasoning-gym`)

`computed`: our table of operations works out the result from the question's own expression, and the package's gold
answer is judged against that. `compared`: a question in words; only our reading and comparison of the answer is
tested, against the package's gold. A perturbed answer is gold with the first number in it one larger.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from azr_engine.engine.types import Answer, Draft, Task, Verdict
from azr_engine.verifiers.math import MathVerifier
from azr_engine.verifiers.reasoning_gym import ReasoningGymVerifier
from azr_engine.verifiers.reasoning_gym.generators import Generator

Entry = dict[str, Any]
Fields = dict[str, Any]
Reader = Callable[[Entry], Fields | None]


def fields(operation: str, expression: str, variable: str = "x", **arguments: str) -> Fields:
    """A draft with its variable renamed to x: single letters such as `e` and `i` name constants here."""
    expression = re.sub(rf"\b{variable}\b", "x", expression)
    return {"operation": operation, "expression": expression, "arguments": arguments}


def _of_metadata(operation: str, name: str) -> Reader:
    def read(entry: Entry) -> Fields:
        data = entry["metadata"]
        return fields(operation, data[name], data.get("variable", "x"))

    return read


def _in_question(pattern: str) -> Reader:
    def read(entry: Entry) -> Fields | None:
        found = re.search(pattern, entry["question"])
        return fields("evaluate", found[1].replace("×", "*").replace("÷", "/")) if found else None

    return read


def _complex(entry: Entry) -> Fields:
    data = entry["metadata"]
    left, right = (f"({real}+({imaginary})*I)" for real, imaginary in (data["num1"], data["num2"]))
    return fields("evaluate", f"{left}{data['operation']}{right}")


def _divisor(operation: str) -> Reader:
    def read(entry: Entry) -> Fields:
        first, second = entry["metadata"]["numbers"]
        return fields(operation, str(first), other=str(second))

    return read


def _geometry(entry: Entry) -> Fields:
    data = entry["metadata"]
    return fields("evaluate", f"180*({data['n_sides']}-2)-({'+'.join(map(str, data['known_angles']))})")


def _sequence(entry: Entry) -> Fields:
    return fields("next", f"[{','.join(map(str, entry['metadata']['sequence'][:-1]))}]")


def _power(entry: Entry) -> Fields:
    return fields("evaluate", f"({entry['metadata']['base']})**({entry['metadata']['exponent']})")


COMPUTED: dict[str, Reader] = {
    "simple_equations": _of_metadata("solve", "equation"),
    "polynomial_equations": _of_metadata("solve", "polynomial_expr"),
    "polynomial_multiplication": _of_metadata("expand", "polynomial_expr"),
    "simple_integration": _of_metadata("integrate", "integrand"),
    "intermediate_integration": _of_metadata("integrate", "integrand"),
    "complex_arithmetic": _complex,
    "basic_arithmetic": _of_metadata("evaluate", "expression"),
    "chain_sum": _of_metadata("evaluate", "expression"),
    "decimal_chain_sum": _of_metadata("evaluate", "expression"),
    "decimal_arithmetic": _in_question(r"\n(.*) = \?"),
    "products": _of_metadata("evaluate", "expression"),
    "power_function": _power,
    "gcd": _divisor("gcd"),
    "lcm": _divisor("lcm"),
    "number_sequence": _sequence,
    "simple_geometry": _geometry,
}
COMPARED = (
    "fraction_simplification", "bitwise_arithmetic", "count_bits", "dice", "gsm_symbolic", "leg_counting",
    "number_format", "count_primes",
)  # fmt: skip


def our_text(name: str, entry: Entry, answer: str) -> str:
    """The package's notation in ours: its variable as x, `i` as `I`, hexadecimal as decimal digits."""
    if name == "bitwise_arithmetic":
        return str(int(answer, 16))
    if name == "complex_arithmetic":
        return re.sub(r"\bi\b|(?<=\d)i\b", "*I", answer)
    return re.sub(rf"\b{entry['metadata'].get('variable', 'x')}\b", "x", answer)


def perturbed(text: str) -> str:
    """The first number one larger; a text without numbers is doubled."""
    hexadecimal = re.match(r"(-?)0x([0-9a-f]+)$", text)
    if hexadecimal:
        return f"{hexadecimal[1]}{int(hexadecimal[2], 16) + 1:#x}"
    changed, n_changed = re.subn(r"\d+", lambda match: str(int(match[0]) + 1), text, count=1)
    return changed if n_changed else f"2*({text.removesuffix(' + C')})"


class Row(NamedTuple):
    """One item: our task or None, the package's, its entry and both answers."""

    name: str
    ours: Task | None
    reason: str
    theirs: Task
    entry: Entry
    answers: tuple[str, str]


async def rows(name: str, numbers: list[int], math: MathVerifier, gym: ReasoningGymVerifier) -> list[Row]:
    """Both verifiers' tasks for the numbered items."""
    generator = Generator(name)
    entries = [generator.item(number) for number in numbers]
    theirs = await gym.admit([Draft(f"rg:{name}", "question", {"number": number}) for number in numbers])
    if name in COMPUTED:
        drafts = [Draft("math", "deduction", COMPUTED[name](entry) or {}) for entry in entries]
        ours: list[Any] = list(await math.admit(drafts))
    else:
        ours = [_compared(name, entry) for entry in entries]
    found = []
    for entry, their_task, our_task in zip(entries, theirs, ours, strict=True):
        assert isinstance(their_task, Task) and their_task.given["question"] == entry["question"]
        admitted = our_task if isinstance(our_task, Task) else None
        reason = "" if admitted else f"{our_task.reason} {our_task.detail}"
        found.append(Row(name, admitted, reason, their_task, entry, (entry["answer"], perturbed(entry["answer"]))))
    return found


def _compared(name: str, entry: Entry) -> Task:
    gold = our_text(name, entry, entry["answer"]).strip("$").replace("dfrac", "frac")
    gold = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", gold)
    given = {"operation": "evaluate", "expression": gold, "variable": "x", "arguments": {}}
    return Task("compared", "math", "deduction", given, {"result": gold}, "")


async def judged(
    found: list[Row], which: int, math: MathVerifier, gym: ReasoningGymVerifier
) -> list[tuple[Row, Verdict, Verdict]]:
    """Both verdicts on the gold (0) or the perturbed (1) answers of the items that we have a task for."""
    usable = [(row, row.ours, row.answers[which]) for row in found if row.ours is not None]
    our_texts = [our_text(row.name, row.entry, text) for row, _, text in usable]
    ours = await math.judge(
        [(task, Answer({"answer": text}, text)) for (_, task, _), text in zip(usable, our_texts, strict=True)]
    )
    theirs = await gym.judge([(row.theirs, Answer({"answer": text}, text)) for row, _, text in usable])
    return [(row, our, their) for (row, _, _), our, their in zip(usable, ours, theirs, strict=True)]


def disagreement(row: Row, which: int, our: Verdict, their: Verdict) -> str:
    """A line with all that is needed to see who is right."""
    wanted = row.ours.gold["result"] if row.ours else ""
    return (
        f"{row.name}: {'perturbed' if which else 'gold'} {row.answers[which]}: ours {our.status} ({our.reason}), "
        f"theirs {their.status}; our result {wanted[:60]}; question {' '.join(row.entry['question'].split())[:90]!r}"
    )


def print_row(name: str, found: list[Row], results: list[list[tuple[Row, Verdict, Verdict]]]) -> None:
    """One line of the table."""
    refused = Counter(row.reason.split()[0] for row in found if row.ours is None)
    cells = [
        f"{sum(our.status == 'pass' for _, our, _ in r)}/{sum(their.status == 'pass' for _, _, their in r)}"
        for r in results
    ]
    everything = [our.status == their.status for r in results for _, our, their in r]
    share = f"{sum(everything) / len(everything):.1%}" if everything else "-"
    way = "computed" if name in COMPUTED else "compared"
    note = f"  not admitted: {dict(refused)}" if refused else ""
    print(f"{name:26} {way:9} {len(found) - refused.total():5}  {cells[0]:>7}  {cells[1]:>9}  {share:>6}{note}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=50, help="items per generator")
    parser.add_argument("--seed", type=int, default=1, help="seed of the item numbers")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    names = [*COMPUTED, *COMPARED]
    math, gym = MathVerifier(workers=1, cpu_seconds=4.0), ReasoningGymVerifier(names, workers=1)
    print(f"passes by ours/theirs, {options.items} items per generator")
    print(f"{'generator':26} {'way':9} {'tasks':>5}  {'gold':>7}  {'perturbed':>9}  agreement")
    lines: list[str] = []
    total: Counter[str] = Counter()
    for name in names:
        found = await rows(name, [rng.randrange(10**6) for _ in range(options.items)], math, gym)
        results = [await judged(found, which, math, gym) for which in (0, 1)]
        for which, group in enumerate(results):
            for row, our, their in group:
                said = "agree" if our.status == their.status else f"ours {our.status}, theirs {their.status}"
                total[f"{'perturbed' if which else 'gold'}: {said}"] += 1
                if our.status != their.status:
                    lines.append(disagreement(row, which, our, their))
        print_row(name, found, results)
    await math.close()
    await gym.close()
    print(f"\n{dict(total)}\n\ndisagreements: {len(lines)}", *lines, sep="\n")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # a few generators order terms by hash; the workers' seed is 0
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    asyncio.run(main())
