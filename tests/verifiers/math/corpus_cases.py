"""What cases of the corpus are made of: integers, fractions and text, never the judge."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple


class Case(NamedTuple):
    operation: str
    expression: str
    arguments: dict[str, str]
    right: list[str]
    wrong: list[str]


Maker = Callable[[random.Random], Case]


def nonzero(rng: random.Random, bound: int = 9) -> int:
    return rng.choice([n for n in range(-bound, bound + 1) if n])


def two(rng: random.Random, bound: int = 9) -> list[int]:
    return sorted(rng.sample([n for n in range(-bound, bound + 1) if n], 2))


def convolve(a: list[int], b: list[int]) -> list[int]:
    """Product of polynomials given by coefficients from the highest power down."""
    product = [0] * (len(a) + len(b) - 1)
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            product[i + j] += left * right
    return product


def terms(coefficients: list[int], x: str = "x") -> list[str]:
    top = len(coefficients) - 1
    return [f"({c})*{x}**{top - i}" for i, c in enumerate(coefficients) if c]


def ascending(coefficients: list[int], x: str = "x") -> str:
    return "+".join(reversed(terms(coefficients, x)))


def latex(coefficients: list[int]) -> str:
    top = len(coefficients) - 1
    return "$" + "".join(f"{c:+d}x^{{{top - i}}}" for i, c in enumerate(coefficients) if c) + "$"


def perturbed(rng: random.Random, coefficients: list[int]) -> list[int]:
    changed = list(coefficients)
    changed[rng.randrange(len(changed))] += rng.choice([-2, -1, 1, 2])
    return changed


def fraction(value: Fraction | int) -> str:
    value = Fraction(value)
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def number_case(operation: str, expression: str, arguments: dict[str, str], value: Fraction | int) -> Case:
    value = Fraction(value)
    right = [f"x={fraction(value)}", rf"\boxed{{{fraction(value)}}}", f"The answer is ${fraction(value)}$."]
    if value.denominator == 1:
        right[0] = f"{value.numerator}.0"
    wrong = [fraction(value + 1), fraction(value + Fraction(1, 7)), fraction(-value) if value else "1/2"]
    return Case(operation, expression, arguments, right, wrong)
