"""A grammar of small mathematical tasks, as texts: an operation, an expression and its arguments.

Used for seeds and for the embedded model's first lessons. The hard direction is made from the easy one (a
polynomial to factor is a product multiplied out; an equation is built around its roots), so that most drafts have
an answer. Nothing here evaluates anything but small integer polynomials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from azr_engine.domains.math.material import (
    Maker,
    Rng,
    group,
    group_sum,
    join_terms,
    linear,
    multiply,
    nonzero,
    poly_text,
    polynomial,
    terms,
)


@dataclass(frozen=True, slots=True)
class Sketch:
    """An operation, the texts of its expressions (several for induction) and its arguments."""

    operation: str
    expressions: tuple[str, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)


def sample(rng: Rng, *, kind: str = "deduction", n_expressions: int = 1) -> Sketch:
    """One random operation with `n_expressions` expressions it applies to."""
    if kind == "error":
        operation, arguments, make = _risky(rng)
    else:
        names, weights = zip(*_WEIGHTS[kind].items(), strict=True)
        operation = rng.choices(names, weights)[0]
        arguments, make = _OPERATIONS[operation](rng)
    return Sketch(operation, tuple(make() for _ in range(n_expressions)), arguments)


Recipe = tuple[Mapping[str, str], Maker]


def _expand(rng: Rng) -> Recipe:
    def make() -> str:
        form = rng.random()
        if form < 0.35:
            outer = rng.choice(["x", str(rng.randint(2, 5)), f"{rng.randint(2, 4)}*x"])
            return f"{outer}*{group(poly_text(linear(rng)))}"
        if form < 0.55:
            return f"{group(poly_text(linear(rng)))}*{group(poly_text(linear(rng)))}"
        if form < 0.65:
            return f"(x{rng.choice('+-')}{rng.randint(1, 6)})**2"
        if form < 0.75:
            return f"{group(poly_text(linear(rng)))}*{group(poly_text([*linear(rng), 1]))}"
        return terms(rng, 2)

    return {}, make


def _factor(rng: Rng) -> Recipe:
    def make() -> str:
        form = rng.random()
        if form < 0.5:
            return poly_text(multiply(linear(rng), linear(rng, 4)))
        if form < 0.65:
            return poly_text(multiply([0, rng.randint(1, 4)], linear(rng)))
        if form < 0.8:
            k = rng.randint(2, 5)
            return poly_text([k * c for c in polynomial(rng, rng.choice([1, 2]), 4)])
        return poly_text(multiply(multiply([0, 1], linear(rng, 3)), linear(rng, 3)))

    return {}, make


def _inner(rng: Rng) -> str:
    return rng.choice(["x", "x", f"{rng.randint(2, 4)}*x", f"x+{rng.randint(1, 5)}"])


def _smooth(rng: Rng) -> str:
    """One term whose derivative is easy."""
    form = rng.random()
    if form < 0.55:
        return poly_text([0] * rng.randint(1, 4) + [rng.randint(1, 6)])
    if form < 0.8:
        outer = rng.choice(["", f"{rng.randint(2, 4)}*"])
        return f"{outer}{rng.choice(['sin', 'cos', 'exp'])}({_inner(rng)})"
    return f"{group(poly_text(linear(rng)))}**{rng.randint(2, 3)}"


def _differentiate(rng: Rng) -> Recipe:
    arguments = {"order": "2"} if rng.random() < 0.15 else {}

    def make() -> str:
        form = rng.random()
        if form < 0.2:
            return poly_text(polynomial(rng, rng.randint(1, 3)))
        if form < 0.3:
            return terms(rng, 2)
        if form < 0.85:
            return join_terms(rng, *(_smooth(rng) for _ in range(rng.choice([1, 1, 2, 2, 3]))))
        return (
            f"x*{group_sum(_smooth(rng))}"
            if form < 0.92
            else join_terms(rng, f"x*{rng.choice(['sin', 'cos', 'exp'])}(x)", _smooth(rng))
        )

    return arguments, make


def _integrate(rng: Rng) -> Recipe:
    definite = rng.random() < 0.3
    lower = rng.randint(0, 2)
    arguments = {"lower": str(lower), "upper": str(lower + rng.randint(1, 3))} if definite else {}

    def make() -> str:
        degrees = rng.sample(range(4), rng.choice([1, 1, 2, 3]))
        poly = [0] * 4
        for degree in degrees:
            poly[degree] = nonzero(rng, 3) * (degree + 1)
        if definite or rng.random() < 0.5:
            return poly_text(poly)
        term = rng.choice(
            [f"{rng.choice(['sin', 'cos', 'exp'])}(x)", f"{rng.randint(2, 4)}*{rng.choice(['sin', 'cos', 'exp'])}(x)"]
        )
        return join_terms(rng, poly_text(poly), term) if rng.random() < 0.75 else term

    return arguments, make


def _solve(rng: Rng) -> Recipe:
    def make() -> str:
        root, k = rng.randint(-6, 9), rng.randint(1, 5)
        form = rng.random()
        if form < 0.35:
            b = nonzero(rng, 9)
            return f"{poly_text([b, k])}={k * root + b}"
        if form < 0.55:
            j = rng.randint(1, 4)
            left = [nonzero(rng, 9), k + j]
            return f"{poly_text(left)}={poly_text([left[0] + k * root, j])}"
        if form < 0.7:
            return f"{k}*{group(poly_text([nonzero(rng, 6), 1]))}={k * rng.randint(-6, 6)}"
        quadratic = multiply([-rng.randint(-6, 6), 1], [-rng.randint(-6, 6), 1])
        if form < 0.85:
            return f"{poly_text(quadratic)}=0"
        shift = nonzero(rng, 9)
        return f"{poly_text([quadratic[0] + shift, *quadratic[1:]])}={shift}"

    return {}, make


def _substitute(rng: Rng) -> Recipe:
    arguments = {"value": str(rng.choice([1, 2, 3, 4, 5, -1, -2]))}

    def make() -> str:
        form = rng.random()
        if form < 0.25:
            return poly_text(polynomial(rng, rng.randint(1, 3)))
        return join_terms(
            rng, f"{rng.randint(2, 5)}*{group(poly_text(linear(rng)))}", poly_text(polynomial(rng, rng.randint(1, 2)))
        )

    return arguments, make


def _sum(rng: Rng) -> Recipe:
    lower = rng.randint(0, 3)
    arguments = {"lower": str(lower), "upper": str(lower + rng.randint(1, 2))}

    def make() -> str:
        form = rng.random()
        if form < 0.7:
            return poly_text(polynomial(rng, rng.randint(1, 2), 3))
        return f"x*{group(poly_text(linear(rng, 4)))}" if form < 0.85 else f"{group(poly_text(linear(rng, 3)))}**2"

    return arguments, make


def _integer(rng: Rng, size: int) -> str:
    form = rng.random()
    if form < 0.5:
        return str(rng.randint(2, size))
    a, b, c = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, 9)
    shapes = [f"{a}*{b}", f"{a}*{b}+{c}", f"{a}**2", f"{a}**2+{c}", f"{a}*({b}+{c})", f"{a}**2-{c}", f"{a}+{b}*{c}"]
    return rng.choice(shapes)


def _gcd(rng: Rng) -> Recipe:
    k = rng.randint(1, 6)
    other = k * rng.randint(2, 6)

    def make() -> str:
        return _integer(rng, 30) if rng.random() < 0.5 else str(k * rng.randint(2, 6))

    return {"other": str(other)}, make


def _mod(rng: Rng) -> Recipe:
    return {"modulus": str(rng.randint(2, 9))}, lambda: _integer(rng, 40)


def _evaluate(rng: Rng) -> Recipe:
    def number(depth: int) -> str:
        if depth == 0 or rng.random() < 0.1:
            return str(rng.randint(1, 9))
        a, b = number(depth - 1), number(depth - 1)
        sign = rng.choice("+-*")
        return f"{group(a)}*{group(b)}" if sign == "*" else f"{a}{sign}{group_sum(b)}"

    return (
        {},
        lambda: number(rng.choice([1, 1, 2, 2, 3])) if rng.random() < 0.8 else f"{rng.randint(2, 9)}**2-{number(1)}",
    )


def _simplify(rng: Rng) -> Recipe:
    def make() -> str:
        form = rng.random()
        a = linear(rng, 5)
        if form < 0.25:
            return f"({poly_text(multiply(a, linear(rng, 5)))})/{group(poly_text(a))}"
        if form < 0.6:
            return terms(rng, rng.choice([2, 3, 3]))
        if form < 0.7:
            k = rng.randint(2, 6)
            return f"({poly_text([k * c for c in a])})/{k}"
        if form < 0.8:
            return (
                join_terms(rng, "sin(x)**2", "cos(x)**2")
                if rng.random() < 0.4
                else f"{rng.randint(2, 6)}*sin(x)**2+{rng.randint(2, 6)}*cos(x)**2"
            )
        return (
            f"x**{rng.randint(2, 5)}*x**{rng.randint(2, 5)}/x"
            if form < 0.9
            else join_terms(rng, f"x*{group(poly_text(a))}", poly_text([0, 0, 1]))
        )

    return {}, make


_OPERATIONS: dict[str, Callable[[Rng], Recipe]] = {
    "expand": _expand,
    "factor": _factor,
    "differentiate": _differentiate,
    "integrate": _integrate,
    "solve": _solve,
    "substitute": _substitute,
    "sum": _sum,
    "gcd": _gcd,
    "mod": _mod,
    "evaluate": _evaluate,
    "simplify": _simplify,
}
_EVEN = {
    "expand": 3, "factor": 2, "differentiate": 3, "integrate": 2, "solve": 2.5, "substitute": 2.5,
    "sum": 1.5, "gcd": 1, "mod": 1.2, "evaluate": 2, "simplify": 2,
}  # fmt: skip
_WEIGHTS: dict[str, dict[str, float]] = {
    "deduction": _EVEN,
    # Going back from a plain number needs only a search, so integer operations stay rare here.
    "abduction": {**_EVEN, "evaluate": 0.7, "gcd": 0.7, "mod": 0.7, "sum": 1.0},
    "induction": {**_EVEN, "substitute": 4, "mod": 3, "gcd": 2, "sum": 3, "evaluate": 0.6, "solve": 1},
}


def _risky(rng: Rng) -> tuple[str, Mapping[str, str], Maker]:
    """An operation that has an answer about half of the time."""
    form = rng.random()
    if form < 0.36:
        value = nonzero(rng, 5)
        return "substitute", {"value": str(value)}, lambda: _with_pole(rng, value)
    if form < 0.88:
        return "solve", {}, lambda: _unsure_equation(rng)
    if form < 0.95:
        return (
            "evaluate",
            {},
            lambda: f"{rng.randint(1, 9)}/({rng.randint(1, 9)}-{rng.randint(1, 4)}*{rng.randint(1, 3)})",
        )
    return "mod", {"modulus": str(rng.choice([0, 0, rng.randint(2, 9)]))}, lambda: _integer(rng, 60)


def _with_pole(rng: Rng, value: int) -> str:
    """An expression that mostly has no value at `value`."""
    root = value if rng.random() < 0.6 else nonzero(rng, 6)
    bottom = poly_text([-root, 1]) if rng.random() < 0.6 else poly_text(multiply([-root, 1], linear(rng, 4)))
    top = rng.choice([str(rng.randint(1, 9)), poly_text(linear(rng))])
    shape = f"{group(top)}/({bottom})"
    form = rng.random()
    if form < 0.2:
        return shape
    if form < 0.4:
        return f"{terms(rng, rng.choice([1, 2]))}{rng.choice('+-')}log({poly_text([-root, 1])})"
    if form < 0.5:
        return f"({terms(rng, 2)})/({bottom})"
    return join_terms(rng, shape, terms(rng, rng.choice([1, 1, 2])))


def _unsure_equation(rng: Rng) -> str:
    """An equation in x with real solutions about as often as without."""
    b, c, k = rng.randint(-6, 6), rng.randint(1, 9), rng.randint(2, 5)
    shift = poly_text([rng.choice([-c, c]), 1])
    makers: list[Maker] = [
        lambda: f"x**2{rng.choice('+-')}{c}=0",
        lambda: f"{poly_text([c, b, 1])}={rng.choice(['0', str(rng.randint(1, 9))])}",
        lambda: f"{group(poly_text(linear(rng)))}*{group(poly_text([b, 1]))}={rng.randint(-9, 9)}",
        lambda: f"{poly_text([c, b, 1])}={poly_text(linear(rng))}",
        lambda: f"{rng.choice(['', f'{k}*'])}({shift})**2={rng.randint(-6, 6)}",
        lambda: f"({shift})*({poly_text([b, 1])})+{rng.randint(4, 20)}=0",
        lambda: f"x*({shift})={rng.randint(-12, 6)}",
        lambda: f"{k}*({shift})={poly_text([rng.randint(-9, 9), rng.choice([k, k, 1])])}",
        lambda: f"{poly_text([b, 1])}={poly_text([c, 1])}" if rng.random() < 0.5 else f"{poly_text([b, k])}={shift}",
        lambda: f"{rng.choice(['exp(x)', 'x**2', f'exp({shift})', f'{k}*x**2'])}={nonzero(rng, 4)}",
        lambda: f"{rng.choice(['', f'{k}*'])}sqrt({shift})={rng.randint(-4, 4)}",
        lambda: f"{rng.choice([str(c), f'({poly_text([b, 1])})'])}/({shift})={rng.choice([0, 1, k])}",
        lambda: f"{poly_text([c, b, k])}={poly_text([rng.randint(-3, 9), 0, rng.choice([1, k])])}",
    ]
    return rng.choice(makers)()
