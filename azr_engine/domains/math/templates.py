"""Tasks in words: one sentence per operation and direction, for models that read words.

The compact style shows the same givens without these sentences. Built from what the solver is shown alone. Adding an
operation to the verifier's table means adding it here; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azr_engine.verifiers.math import TABLE

_ORDINALS = {"1": "", "2": "second ", "3": "third "}

FORWARD: dict[str, str] = {
    "expand": "Expand {e} and collect like terms.",
    "factor": "Factor {e} completely over the rational numbers.",
    "collect": "Write {e} as a polynomial in {v}, collecting the coefficient of each power of {v}.",
    "apart": "Find the partial fraction decomposition of {e} with respect to {v}.",
    "together": "Write {e} as a single fraction in lowest terms.",
    "simplify": "Simplify {e} as far as possible.",
    "evaluate": "Evaluate {e} exactly.",
    "substitute": "Find the exact value of {e} at {v} = {value}.",
    "gcd": "Find the greatest common divisor of {e} and {other}.",
    "lcm": "Find the least common multiple of {e} and {other}.",
    "mod": "Find the remainder, from 0 to {modulus} - 1, when {e} is divided by {modulus}; of a polynomial, reduce "
    "every coefficient.",
    "differentiate": "Find the {nth}derivative of {e} with respect to {v}.",
    "integrate": "Find an antiderivative of {e} with respect to {v}.",
    "integrate between": "Compute the definite integral of {e} from {v} = {lower} to {v} = {upper} exactly.",
    "limit": "Find the limit of {e} as {v} tends to {point}.",
    "series": "Find the coefficient of ({v} - ({point}))**{order} in the Taylor series of {e} about {v} = {point}.",
    "sum": "Compute the sum of {e} over all whole numbers {v} from {lower} to {upper}, both included.",
    "solve": "Find all real {v} such that {e}.",
    "system": "Find the values of the unknowns that satisfy all of these equations at once: {e}.",
    "inequality": "Find the set of all real {v} such that {e}, as a union of intervals.",
    "det": "Find the determinant of the matrix {e}.",
    "inverse": "Find the inverse of the matrix {e}.",
    "matmul": "Compute the matrix product {e} times {other}.",
    "eigenvalues": "Find all distinct eigenvalues of the matrix {e}.",
    "recurrence": "A sequence obeys a(n) = {e}, where p = a(n-1) and q = a(n-2), and starts with {initial} at n = 0. "
    "Find a closed form of a(n) in n.",
    "terms": "Write down the first {count} terms a(0), a(1), ... of the sequence a(n) = {e}.",
    "next": "What is the next number in the sequence {e}?",
    "next several": "What are the next {count} numbers in the sequence {e}?",
    "formula": "The sequence a(0), a(1), ... begins {e}. Find a formula for a(n) in n.",
}
"""The question, from the input `e` to the result."""

BACKWARD: dict[str, str] = {
    "expand": "Find a product or power which, multiplied out, gives {r}.",
    "factor": "Find a polynomial, not itself factored, whose complete factorisation over the rationals is {r}.",
    "collect": "Find an expression which, written as a polynomial in {v} with its coefficients collected, is {r}.",
    "apart": "Find a rational function of {v} whose partial fraction decomposition is {r}.",
    "together": "Find a sum of fractions which, put over one denominator in lowest terms, is {r}.",
    "simplify": "Find a longer expression which simplifies to {r}.",
    "evaluate": "Find an arithmetic expression, not just the number, whose exact value is {r}.",
    "substitute": "Find an expression in {v} whose value at {v} = {value} is {r}.",
    "gcd": "Find something whose greatest common divisor with {other} is {r}.",
    "lcm": "Find something whose least common multiple with {other} is {r}.",
    "mod": "Find something other than the remainder itself which leaves the remainder {r} when divided by {modulus}.",
    "differentiate": "Find a function of {v} whose {nth}derivative is {r}.",
    "integrate": "Find a function of {v} of which {r} is an antiderivative.",
    "integrate between": "Find a function of {v} whose definite integral from {v} = {lower} to {v} = {upper} is {r}.",
    "limit": "Find an expression in {v} whose limit as {v} tends to {point} is {r}.",
    "series": "Find a function of {v} whose Taylor series about {v} = {point} has the coefficient {r} at "
    "({v} - ({point}))**{order}.",
    "sum": "Find an expression in {v} whose sum over all whole numbers {v} from {lower} to {upper} is {r}.",
    "solve": "Find an equation, not yet solved for {v}, whose real solutions {v} are exactly {r}.",
    "system": "Find a system of equations, written as [equation,equation], whose only solution is {r}.",
    "inequality": "Find an inequality, not yet solved for {v}, whose real solutions {v} are exactly {r}.",
    "det": "Find a square matrix, written as a list of rows, whose determinant is {r}.",
    "inverse": "Find the matrix, written as a list of rows, whose inverse is {r}.",
    "matmul": "Find a matrix, written as a list of rows, which times {other} gives {r}.",
    "eigenvalues": "Find a square matrix, written as a list of rows, whose distinct eigenvalues are exactly {r}.",
    "recurrence": "A sequence starts with {initial} at n = 0 and has the closed form a(n) = {r}. Find a recurrence for "
    "it: an expression in p = a(n-1), q = a(n-2) and n.",
    "terms": "Find a formula in n whose values at n = 0, 1, 2, ... are {r}.",
    "next": "Find a list of at least four numbers which continues, by a polynomial or a linear recurrence, with {r}.",
    "next several": "Find a list of at least four numbers which continues, by a polynomial or a linear recurrence, "
    "with the {count} numbers {r}.",
    "formula": "Write down at least the first six terms a(0), a(1), ..., as a list, of a sequence whose formula is "
    "a(n) = {r}.",
}
"""The question from the result `r` back to an input."""

_DEFAULTS = {"point": "0", "count": "6"}
"""What an operation takes for an argument that is left out, where a sentence names it."""


def question(given: Mapping[str, Any]) -> str:
    """The task in one sentence, from its `expression` or, where that is wanted, from its `result`."""
    operation = str(given["operation"])
    arguments = {name: str(text) for name, text in (given.get("arguments") or {}).items()}
    expression = str(given.get("expression", ""))
    if operation == "solve" and "=" not in expression:
        expression += " = 0"
    sentences = FORWARD if "expression" in given else BACKWARD
    words = {
        **_DEFAULTS,
        **arguments,
        "e": expression,
        "r": str(given.get("result", "")),
        "v": str(given.get("variable", "x")),
        "nth": _ORDINALS.get(arguments.get("order", "1"), ""),
    }
    return sentences[_variant(operation, arguments)].format_map(words)


def _variant(operation: str, arguments: Mapping[str, str]) -> str:
    if operation == "integrate" and "lower" in arguments:
        return "integrate between"
    if operation == "next" and arguments.get("count", "1") != "1":
        return "next several"
    return operation


def operations_text() -> str:
    """Every operation of the table with its arguments, those that may be left out in brackets."""
    rows = []
    for row in TABLE.values():
        arguments = [name if argument.required else f"[{name}]" for name, argument in row.arguments.items()]
        takes = "" if row.takes == "expression" else f" of {_TAKES[row.takes]}"
        rows.append(f"{row.name}{takes}" + (f" with {' '.join(arguments)}" if arguments else ""))
    return "; ".join(rows)


_TAKES = {
    "equation": "an equation",
    "inequality": "an inequality",
    "system": "a list of equations",
    "matrix": "a list of rows",
    "list": "a list of numbers",
}
