"""Texts of small integer polynomials and sums, the material of the seed grammar. No parsing, no evaluation."""

from __future__ import annotations

import random
from collections.abc import Callable

Rng = random.Random
Poly = list[int]
"""Coefficients of a polynomial in x, lowest degree first."""

Maker = Callable[[], str]


def poly_text(poly: Poly) -> str:
    """`[1,-3,2]` as `2*x**2-3*x+1`; `0` for the zero polynomial."""
    text = ""
    for degree in range(len(poly) - 1, -1, -1):
        c = poly[degree]
        if c == 0:
            continue
        power = "" if degree == 0 else "x" if degree == 1 else f"x**{degree}"
        size = str(abs(c)) if not power else power if abs(c) == 1 else f"{abs(c)}*{power}"
        text += ("-" if c < 0 else "+" if text else "") + size
    return text or "0"


def multiply(a: Poly, b: Poly) -> Poly:
    """The product of two polynomials."""
    out = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def nonzero(rng: Rng, size: int) -> int:
    """A random integer from -`size` to `size` that is not zero."""
    return rng.choice([n for n in range(-size, size + 1) if n])


def polynomial(rng: Rng, degree: int, size: int = 4) -> Poly:
    """A polynomial of exactly `degree` with some coefficients missing."""
    poly = [rng.choice([0, nonzero(rng, size), nonzero(rng, size)]) for _ in range(degree)]
    return [*poly, rng.choice([1, 1, 1, 2, 3, nonzero(rng, size)])]


def linear(rng: Rng, size: int = 5) -> Poly:
    """A polynomial of degree one with a constant term, mostly monic."""
    return [nonzero(rng, size), rng.choice([1, 1, 1, 1, 2, 3])]


def group(text: str) -> str:
    """`text` in parentheses if it is a sum or starts with a minus."""
    return f"({text})" if any(c in text[1:] for c in "+-") or text.startswith("-") else text


def join_terms(rng: Rng, *terms: str) -> str:
    """Terms in random order with random signs; a term that starts with a minus keeps its own."""
    order = list(terms)
    rng.shuffle(order)
    text = order[0]
    for term in order[1:]:
        text += term if term.startswith("-") else rng.choice("+-") + group_sum(term)
    return text


def group_sum(term: str) -> str:
    """`term` in parentheses if a plus or minus stands outside of its own parentheses."""
    depth = 0
    for character in term:
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in "+-":
            return f"({term})"
    return term


def terms(rng: Rng, count: int) -> str:
    """A sum or difference of `count` varied terms in x."""
    n, m, d = rng.randint(2, 6), rng.randint(1, 6), rng.randint(2, 3)
    makers: list[Maker] = [
        lambda: "x",
        lambda: str(rng.randint(1, 9)),
        lambda: f"{n}*x",
        lambda: f"x**{d}",
        lambda: f"{n}*x**{d}",
        lambda: "x",
        lambda: str(rng.randint(1, 9)),
        lambda: f"{n}*{group(poly_text(linear(rng)))}",
        lambda: f"x*{group(poly_text(linear(rng)))}",
        lambda: f"(x{rng.choice('+-')}{m})**2",
        lambda: f"{group(poly_text(linear(rng)))}*(x{rng.choice('+-')}{m})",
    ]
    return join_terms(rng, *(rng.choice(makers)() for _ in range(count)))
