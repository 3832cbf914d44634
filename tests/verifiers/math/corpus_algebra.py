"""Cases of rewriting, of arithmetic and of sequences, built backwards from their answers."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from tests.verifiers.math.corpus_cases import (
    Case,
    Maker,
    ascending,
    convolve,
    latex,
    nonzero,
    number_case,
    perturbed,
    terms,
    two,
)


def expand(rng: random.Random) -> Case:
    a, b = [nonzero(rng), nonzero(rng)], [nonzero(rng), rng.randint(-5, 5), nonzero(rng)]
    product = convolve(a, b)
    factored = f"({a[0]}*x+{a[1]})*({b[0]}*x**2+{b[1]}*x+{b[2]})"
    right = [ascending(product), latex(product), "+".join(sorted(terms(product)))]
    return Case(
        "expand", factored, {}, right, [factored, ascending(perturbed(rng, product)), latex(perturbed(rng, product))]
    )


def factor(rng: random.Random) -> Case:
    r, s = two(rng)
    irreducible = [1, 2 * rng.randint(-2, 2), rng.randint(5, 9)]  # negative discriminant
    scale = rng.choice([1, 2, 3])
    product = [scale * c for c in convolve(convolve([1, -r], [1, -s]), irreducible)]
    third = f"({ascending(irreducible)})"
    right = [
        f"{third}*({scale}*x-({scale * s}))*(x-({r}))",
        f"{scale}*(({r})-x)*(({s})-x)*{third}",
        f"{scale}(x-({s}))(x-({r})){third}",
    ]
    merged = f"({ascending(convolve([1, -r], [1, -s]))})"
    wrong = [f"{scale}*{merged}*{third}", ascending(product), f"{scale}*(x-({r}))*(x-({s + 1}))*{third}"]
    return Case("factor", ascending(product), {}, right, wrong)


def simplify(rng: random.Random) -> Case:
    r, s = two(rng)
    a = rng.randint(10, 19)
    case = rng.randrange(3)
    if case == 0:
        text = f"({ascending(convolve([1, -r], [1, -s]))})/(x-({r}))"
        return Case("simplify", text, {}, [f"x-({s})", f"-({s})+x", f"{-s}+x"], [f"x-({r})", text, f"x+({s})"])
    if case == 1:
        text = f"{a}*sin(x)**2+{a}*cos(x)**2+x"
        return Case("simplify", text, {}, [f"{a}+x", f"x+{a}", f"y={a}+x"], [f"{a + 1}+x", text, f"{a}*x"])
    text = f"log(exp({a}*x))+({r})*x"
    right = [f"x*{a + r}", f"{a + r}x", f"x={a + r}*x"]
    return Case("simplify", text, {}, right, [f"({a + r + 1})*x", f"({a + r})*x+1", text])


def apart(rng: random.Random) -> Case:
    r, s = two(rng)
    a, b = nonzero(rng), nonzero(rng)
    top = [a + b, -a * s - b * r]
    whole = f"({'+'.join(terms(top)) or '0'})/((x-({r}))*(x-({s})))"
    right = [
        f"({b})/(x-({s}))+({a})/(x-({r}))",
        f"({-a})/(({r})-x)+({b})/(x-({s}))",
        rf"\frac{{{a}}}{{x-({r})}}+\frac{{{b}}}{{x-({s})}}",
    ]
    return Case(
        "apart", whole, {}, right, [whole, f"({a})/(x-({s}))+({b + 10})/(x-({r}))", f"({a})/(x-({r}))-({b})/(x-({s}))"]
    )


def together(rng: random.Random) -> Case:
    r, s = two(rng)
    a, b = rng.randint(1, 9), rng.randint(1, 9)
    top, bottom = f"({ascending([a + b, -a * s - b * r])})", ascending(convolve([1, -r], [1, -s]))
    parts = f"{a}/(x-({r}))+{b}/(x-({s}))"
    right = [f"{top}/({bottom})", f"{top}/((x-({s}))*(x-({r})))", f"-{top}/((({s})-x)*(x-({r})))"]
    return Case("together", parts, {}, right, [parts, f"{top}*(x+11)/(({bottom})*(x+11))", f"({top}+1)/({bottom})"])


def collect(rng: random.Random) -> Case:
    a, b, c = rng.randint(2, 9), rng.randint(2, 9), nonzero(rng)
    flat = f"{a}*x*y+{b}*x+({c})*y+x**2"
    right = [f"x**2+x*({a}*y+{b})+({c})*y", f"({c})*y+x**2+({b}+y*{a})*x", f"({b}+{a}y)x+x^2+({c})y"]
    return Case("collect", flat, {}, right, [flat, f"x**2+x*({a}*y+{b + 1})+({c})*y", f"x*(x+{a}*y+{b})+({c})*y"])


def evaluate(rng: random.Random) -> Case:
    a, b, d = rng.randint(2, 9), rng.randint(2, 9), rng.choice([2, 3, 5, 7])
    right = [f"{a + b}*sqrt({d})", f"sqrt({(a + b) ** 2 * d})", f"{(a + b) * d}/sqrt({d})"]
    wrong = [f"{a + b + 1}*sqrt({d})", f"sqrt({a * a * d + b * b * d})", f"{((a + b) * math.sqrt(d)):.9f}"]
    return Case("evaluate", f"sqrt({a * a * d})+sqrt({b * b * d})", {}, right, wrong)


def arithmetic(rng: random.Random) -> Case:
    a, b, c = (Fraction(nonzero(rng), rng.randint(2, 9)) for _ in range(3))
    return number_case("evaluate", f"({a})*({b})-({c})", {}, a * b - c)


def substitute(rng: random.Random) -> Case:
    a, b, c, x = nonzero(rng), nonzero(rng), nonzero(rng), nonzero(rng)
    return number_case("substitute", f"({a})*x**2+({b})*x+({c})", {"value": str(x)}, a * x * x + b * x + c)


def gcd(rng: random.Random) -> Case:
    g, a, b = rng.randint(2, 12), rng.randint(2, 30), rng.randint(2, 30)
    return number_case("gcd", str(g * a), {"other": str(g * b + g)}, math.gcd(g * a, g * b + g))


def polynomial_lcm(rng: random.Random) -> Case:
    r, s = two(rng)
    t = next(n for n in range(11, 13) if n not in (r, s))
    left, other = convolve([1, -r], [1, -s]), convolve([1, -r], [1, -t])
    product = convolve(left, [1, -t])
    right = [f"(x-({r}))*(x-({s}))*(x-{t})", ascending(product), f"-2*(x-({r}))*(x-({s}))*({t}-x)"]
    return Case(
        "lcm",
        ascending(left),
        {"other": ascending(other)},
        right,
        [f"x-({r})", ascending(left), ascending(perturbed(rng, product))],
    )


def mod(rng: random.Random) -> Case:
    base, exponent, modulus = rng.randint(2, 9), rng.randint(3, 20), rng.randint(3, 30)
    return number_case(
        "mod", f"{base}**{exponent}+{modulus**2}", {"modulus": str(modulus)}, pow(base, exponent, modulus)
    )


def recurrence(rng: random.Random) -> Case:
    r, s = sorted(rng.sample([2, 3, 4, 5], 2))
    c, d = rng.randint(1, 4), rng.randint(1, 4)
    initial = f"[{c + d},{c * r + d * s}]"
    closed = f"{c}*{r}**n+{d}*{s}**n"
    right = [
        f"{d}*{s}**n+{c}*{r}**n",
        f"{c * r}*{r}**(n-1)+{d}*{s}**n",
        f"{c}*exp(n*log({r}))+{d}{s}^n".replace(f"{d}{s}", f"{d}*{s}"),
    ]
    return Case(
        "recurrence",
        f"{r + s}*p-{r * s}*q",
        {"initial": initial},
        right,
        [f"{closed}+1", f"{c}*{s}**n+{d + 1}*{r}**n", f"{c}*{r}**n"],
    )


def next_term(rng: random.Random) -> Case:
    a, b, c = nonzero(rng), nonzero(rng), nonzero(rng)
    values = [a * n * n + b * n + c for n in range(7)]
    return number_case("next", f"[{','.join(map(str, values[:6]))}]", {}, values[6])


def geometric_next(rng: random.Random) -> Case:
    a, b, r = rng.randint(1, 9), nonzero(rng), rng.choice([-3, -2, 2, 3])
    values = [a * r**n + b for n in range(10)]
    shown, hidden = values[:7], values[7:]
    right = [
        ",".join(map(str, hidden)),
        f"{hidden[0]}, {hidden[1]}, {hidden[2]}",
        f"[{hidden[0]}.0,{hidden[1]},{hidden[2]}]",
    ]
    wrong = [
        f"[{hidden[0]},{hidden[1]}]",
        f"[{hidden[1]},{hidden[0]},{hidden[2]}]",
        f"[{hidden[0]},{hidden[1]},{hidden[2] + 1}]",
    ]
    return Case("next", f"[{','.join(map(str, shown))}]", {"count": "3"}, right, wrong)


def first_terms(rng: random.Random) -> Case:
    a, b, r = nonzero(rng), nonzero(rng), rng.choice([2, 3, 5])
    values = [a * n + b * r**n for n in range(5)]
    spelled = ",".join(map(str, values))
    right = [spelled, f"[{spelled.replace(',', ', ')}]", f"({spelled})"]
    wrong = [f"[{spelled},{a * 5 + b * r**5}]", ",".join(map(str, perturbed(rng, values))), str(values[0])]
    return Case("terms", f"({a})*n+({b})*{r}**n", {"count": "5"}, right, wrong)


def polynomial_formula(rng: random.Random) -> Case:
    a, b, c = nonzero(rng), nonzero(rng), nonzero(rng)
    values = [a * n * n + b * n + c for n in range(6)]
    right = [f"{c}+n*(({a})*n+({b}))", f"a_n = {ascending([a, b, c], 'n')}", f"a(n)=({a})n^2+({b})n+({c})"]
    wrong = [ascending(perturbed(rng, [a, b, c]), "n"), f"({a})*x**2+({b})*x+({c})", f"[{values[0]},{values[1]}]"]
    return Case("formula", f"[{','.join(map(str, values))}]", {}, right, wrong)


def geometric_formula(rng: random.Random) -> Case:
    a, b, r = rng.randint(1, 9), nonzero(rng), rng.choice([2, 3, 5])
    values = [a * r**n + b for n in range(8)]
    right = [f"{b}+{a}*{r}**n", f"{a * r}*{r}**(n-1)+({b})", rf"{a}\cdot {r}^{{n}}+({b})"]
    wrong = [f"{b}+{a}*{r}**(n+1)", f"{b + 1}+{a}*{r}**n", f"{values[0]}+({values[1] - values[0]})*n"]
    return Case("formula", f"[{','.join(map(str, values))}]", {}, right, wrong)


MAKERS: tuple[Maker, ...] = (
    expand, factor, simplify, apart, together, collect, evaluate, arithmetic, substitute, gcd, polynomial_lcm, mod,
    recurrence, next_term, geometric_next, first_terms, polynomial_formula, geometric_formula,
)  # fmt: skip
