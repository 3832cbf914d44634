"""Seeds for the operations beyond the small grammar's, for models that know their mathematics already.

The same principle: the hard direction is made from the easy one (a quotient to take apart is a sum of fractions put
together; a matrix with plain eigenvalues is triangular), so that most drafts have an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from azr_engine.domains.math.grammar import Sketch
from azr_engine.domains.math.material import (
    Maker,
    Rng,
    group,
    join_terms,
    linear,
    multiply,
    nonzero,
    poly_text,
    polynomial,
    terms,
)

Recipe = tuple[Mapping[str, str], Maker]


def sample(rng: Rng, *, kind: str, n_expressions: int = 1) -> Sketch:
    """One random operation with `n_expressions` expressions; a sequence, for induction, has exactly one."""
    if kind == "induction" and rng.random() < 0.6:
        arguments, make = rng.choice([_terms, _recurrence])(rng)
        return Sketch("recurrence" if arguments else "terms", (make(),), arguments)
    operation = rng.choice(_BY_KIND[kind])
    recipe = _RISKY[operation] if kind == "error" else _OPERATIONS[operation]
    arguments, make = recipe(rng)
    return Sketch(operation, tuple(make() for _ in range(n_expressions)), arguments)


def _fraction(rng: Rng) -> str:
    return f"{nonzero(rng, 6)}/({poly_text(linear(rng))})"


def _collect(rng: Rng) -> Recipe:
    return {}, lambda: f"{rng.choice(['a', 'b'])}*x+{join_terms(rng, f'{rng.randint(2, 9)}*x', terms(rng, 1))}+a"


def _apart(rng: Rng) -> Recipe:
    def make() -> str:
        one, two = linear(rng), linear(rng)
        top = polynomial(rng, rng.choice([0, 1]), 6)
        return f"({poly_text(top)})/({group(poly_text(one))}*{group(poly_text(two))})"

    return {}, make


def _together(rng: Rng) -> Recipe:
    return {}, lambda: join_terms(rng, *(_fraction(rng) for _ in range(rng.choice([2, 2, 3]))))


def _lcm(rng: Rng) -> Recipe:
    k = rng.randint(2, 9)
    return {"other": str(k * rng.randint(2, 9))}, lambda: str(k * rng.randint(2, 12))


def _limit(rng: Rng) -> Recipe:
    if rng.random() < 0.4:

        def growth() -> str:
            top, bottom = (poly_text(polynomial(rng, rng.choice([1, 2, 2]), 6)) for _ in range(2))
            return f"({top})/({bottom})"

        return {"point": "oo"}, growth
    root = rng.randint(0, 4)

    def hole() -> str:
        zero = [-root, 1]
        if root == 0 and rng.random() < 0.5:
            top = rng.choice(["sin({k}*x)", "exp({k}*x)-1", "log(1+{k}*x)"]).format(k=rng.randint(2, 6))
            return f"({top})/({rng.choice(['x', f'{rng.randint(2, 5)}*x'])})"
        return f"({poly_text(multiply(zero, linear(rng)))})/({poly_text(multiply(zero, linear(rng)))})"

    return {"point": str(root)}, hole


def _series(rng: Rng) -> Recipe:
    def make() -> str:
        inner = rng.choice(["x", f"{rng.randint(2, 3)}*x", "x**2"])
        whole = rng.choice([f"exp({inner})", f"sin({inner})", f"cos({inner})", f"log(1+{inner})", f"1/(1-{inner})"])
        return rng.choice([whole, f"{group(poly_text(linear(rng)))}*{whole}"])

    return {"order": str(rng.randint(1, 4))}, make


def _system(rng: Rng) -> Recipe:
    def make() -> str:
        x, y = rng.randint(-6, 6), rng.randint(-6, 6)
        rows = [(nonzero(rng, 5), nonzero(rng, 5)) for _ in range(2)]
        return "[" + ",".join(f"{a}*x+({b})*y={a * x + b * y}" for a, b in rows) + "]"

    return {}, make


def _inequality(rng: Rng) -> Recipe:
    def make() -> str:
        sign = rng.choice(["<", "<=", ">", ">="])
        left = rng.choice(
            [polynomial(rng, 1, 6), multiply([-rng.randint(-6, 6), 1], [-rng.randint(-6, 6), 1]), linear(rng, 9)]
        )
        return f"{poly_text(left)}{sign}{rng.choice([0, 0, rng.randint(-9, 9)])}"

    return {}, make


def _matrix(rng: Rng, size: int) -> str:
    rows = ("[" + ",".join(str(rng.randint(-5, 6)) for _ in range(size)) + "]" for _ in range(size))
    return "[" + ",".join(rows) + "]"


def _det(rng: Rng) -> Recipe:
    return {}, lambda: _matrix(rng, rng.choice([2, 2, 3]))


def _inverse(rng: Rng) -> Recipe:
    return {}, lambda: _matrix(rng, 2)


def _perhaps_singular(rng: Rng) -> Recipe:
    def make() -> str:
        a, b, k = nonzero(rng, 5), nonzero(rng, 5), nonzero(rng, 3)
        return f"[[{a},{b}],[{k * a},{k * b}]]" if rng.random() < 0.6 else _matrix(rng, 2)

    return {}, make


def _matmul(rng: Rng) -> Recipe:
    return {"other": _matrix(rng, 2)}, lambda: _matrix(rng, 2)


def _eigenvalues(rng: Rng) -> Recipe:
    def make() -> str:
        # A triangular matrix, and a symmetric one with plain eigenvalues a+b and a-b.
        a, b, c = rng.randint(-6, 6), nonzero(rng, 6), rng.randint(-6, 6)
        return rng.choice([f"[[{a},{b}],[0,{c}]]", f"[[{a},{b}],[{b},{a}]]", f"[[{a},0],[{b},{c}]]"])

    return {}, make


def _terms(rng: Rng) -> Recipe:
    def make() -> str:
        poly = poly_text(polynomial(rng, rng.randint(1, 3), 5)).replace("x", "n")
        power = f"{rng.randint(2, 3)}**n"
        return rng.choice(
            [poly, power, f"{poly}+{power}", f"{rng.randint(2, 5)}*{power}-{rng.randint(1, 9)}", f"n*{power}"]
        )

    return {}, make


def _recurrence(rng: Rng) -> Recipe:
    if rng.random() < 0.5:
        return {"initial": f"[{rng.randint(0, 5)}]"}, lambda: f"{rng.randint(2, 4)}*p+{rng.randint(-4, 6)}".replace(
            "+-", "-"
        )

    def second_order() -> str:
        # The characteristic roots are whole numbers.
        r, s = rng.randint(1, 4), rng.choice([-2, -1, 1, 2, 3])
        return f"{r + s}*p+({-r * s})*q"

    return {"initial": f"[{rng.randint(0, 3)},{rng.randint(1, 5)}]"}, second_order


def _list_text(rng: Rng, n_terms: int) -> str:
    """Terms of a quadratic or of a shifted geometric sequence."""
    a, b, c = rng.randint(-4, 6), nonzero(rng, 5), rng.randint(0, 3)
    quadratic = rng.random() < 0.7
    base = rng.choice([2, 3])
    values = [a + b * n + c * n * n if quadratic else a + b * base**n for n in range(n_terms)]
    return f"[{','.join(map(str, values))}]"


def _next(rng: Rng) -> Recipe:
    return {}, lambda: _list_text(rng, 7)


def _formula(rng: Rng) -> Recipe:
    return {}, lambda: _list_text(rng, 7)


def _divergent(rng: Rng) -> Recipe:
    """Improper integrals, about half of which converge."""
    if rng.random() < 0.5:
        power = rng.choice(["1/2", "1", "3/2", "2", "3"])
        return {"lower": "1", "upper": "oo"}, lambda: f"{rng.randint(1, 6)}/x**({power})"
    return {"lower": "0", "upper": "oo"}, lambda: rng.choice(
        [
            f"exp(-{rng.randint(1, 4)}*x)",
            f"{rng.randint(1, 5)}/(x+{rng.randint(1, 4)})",
            f"x*exp(-{rng.randint(1, 3)}*x)",
            "cos(x)",
        ]
    )


_OPERATIONS: dict[str, Callable[[Rng], Recipe]] = {
    "collect": _collect,
    "apart": _apart,
    "together": _together,
    "lcm": _lcm,
    "limit": _limit,
    "series": _series,
    "system": _system,
    "inequality": _inequality,
    "det": _det,
    "inverse": _inverse,
    "matmul": _matmul,
    "eigenvalues": _eigenvalues,
    "terms": _terms,
    "recurrence": _recurrence,
    "next": _next,
    "formula": _formula,
}
_RISKY: dict[str, Callable[[Rng], Recipe]] = {"integrate": _divergent, "limit": _limit, "inverse": _perhaps_singular}
"""Operations that fail on some inputs."""

_BY_KIND: dict[str, list[str]] = {
    "deduction": list(_OPERATIONS),
    # Backwards, a sequence asks for nothing but to be written down.
    "abduction": [name for name in _OPERATIONS if name not in ("terms", "next", "formula", "recurrence")],
    "induction": ["series", "det", "inverse", "together", "lcm", "inequality"],
    "error": list(_RISKY),
}
