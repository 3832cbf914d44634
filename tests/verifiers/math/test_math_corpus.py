"""The judge against a corpus whose truth comes from construction with integers and fractions, never from the judge.

Every case is built backwards from its answer (roots, factors, coefficients, antiderivatives chosen first). Right
answers are spelled unlike gold; wrong ones are one slip away: a sign, a coefficient, a missing root, a form not
asked for.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import pytest

from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.verifiers.math import TABLE, MathVerifier

N_DRAFTS = 34


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


def differentiate(rng: random.Random) -> Case:
    a, b, n = nonzero(rng), rng.randint(2, 9), rng.randint(2, 5)
    case = rng.randrange(4)
    if case == 0:
        text = f"({a})*x**{n}*sin({b}*x)"
        slope, wave = f"({a * n})*x**{n - 1}*sin({b}*x)", f"({a * b})*x**{n}*cos({b}*x)"
        shifted = rf"{a * n}x^{{{n - 1}}}\sin({b}x)+({a * b})x^{{{n}}}\sin({b}x+\frac{{\pi}}{{2}})"
        right = [f"({a})*x**{n - 1}*({n}*sin({b}*x)+{b}*x*cos({b}*x))", f"{wave}+{slope}", shifted]
        wrong = [slope, f"{slope}-{wave}", f"({a * n})*x**{n - 1}*cos({b}*x)"]
    elif case == 1:
        text = f"exp({b}*x)/x"
        right = [f"exp({b}*x)*({b}*x-1)/x**2", f"{b}*E**({b}*x)*x**-1-E**({b}*x)*x**-2", f"exp(x)**{b}*({b}/x-1/x**2)"]
        wrong = [f"{b}*exp({b}*x)", f"exp({b}*x)*({b}*x+1)/x**2", f"exp({b}*x)*({b}*x-1)/x"]
    elif case == 2:
        text = f"log(x**2+{b})*({a})"
        right = [f"2*x*({a})/({b}+x**2)", f"({2 * a})/(x+{b}/x)", rf"\frac{{{2 * a}x}}{{x^2+{b}}}"]
        wrong = [f"({a})/(x**2+{b})", f"x*({a})/({b}+x**2)", f"({2 * a})*x*log(x**2+{b})"]
    else:
        text, root = f"sqrt({b}*x+1)*({a})", f"sqrt({b}*x+1)"
        right = [f"({a * b})/(2*{root})", f"({a * b})/2*({b}*x+1)**(-1/2)", f"({a * b})*{root}/({2 * b}*x+2)"]
        wrong = [f"({a})/(2*{root})", f"({a * b})/{root}", f"({a * b})/2*{root}"]
    return Case("differentiate", text, {}, right, wrong)


def integrate(rng: random.Random) -> Case:
    a, b, c = nonzero(rng), rng.randint(2, 9), rng.randint(1, 9)
    case = rng.randrange(5)
    if case == 0:
        text = f"({a})*cos({b}*x)"
        right = [f"({a})*sin({b}*x)/{b}+{c}", f"({a})/{b}*cos({b}*x-pi/2)+C", rf"\frac{{{a}}}{{{b}}}\sin({b}x)"]
        wrong = [f"({a})*sin({b}*x)", f"-({a})*sin({b}*x)/{b}", f"({a * b})*sin({b}*x)+C"]
    elif case == 1:
        text, power = f"x*exp({b}*x)", f"exp({b}*x)"
        right = [f"{power}*({b}*x-1)/{b * b}+C", f"x*{power}/{b}-{power}/{b * b}-7", f"E**({b}*x)*(x/{b}-1/{b * b})"]
        wrong = [f"x**2*{power}/2", f"{power}*({b}*x+1)/{b * b}", f"{power}*(x-1)"]
    elif case == 2:
        text = f"1/(x**2+{b * b})"
        right = [f"atan(x/{b})/{b}", f"atan(x/{b})/{b}+pi/{b}", f"-atan(-x/{b})/{b}"]
        wrong = [f"atan(x/{b})", f"log(x**2+{b * b})", f"atan({b}*x)/{b}"]
    elif case == 3:
        text = f"({2 * a})*x/(x**2+{b})"
        right = [f"({a})*log(x**2+{b})", f"({a})*log({c}*x**2+{b * c})", f"{a}ln(x^2+{b})+C"]
        wrong = [f"({2 * a})*log(x**2+{b})", f"({a})*atan(x**2+{b})", f"({a})*log(x**2+{b})+x"]
    else:
        text = f"({3 * a})*x**2+{2 * b}*x-{c}"
        right = [f"({a})*x**3+{b}*x**2-{c}*x+C", f"x*(({a})*x**2+{b}*x-{c})", f"x^2(({a})x+{b})-{c}x-1"]
        wrong = [f"({a})*x**3+{b}*x**2-{c}", f"({a})*x**3+{2 * b}*x**2-{c}*x", f"({6 * a})*x+{2 * b}"]
    return Case("integrate", text, {}, right, wrong)


def definite(rng: random.Random) -> Case:
    a, b, lower = nonzero(rng), nonzero(rng), rng.randint(-3, 2)
    upper = lower + rng.randint(1, 4)
    value = Fraction(a, 3) * (upper**3 - lower**3) + b * (upper - lower)
    return number_case("integrate", f"({a})*x**2+({b})", {"lower": str(lower), "upper": str(upper)}, value)


def solve(rng: random.Random) -> Case:
    r, s = two(rng)
    lead = rng.randint(1, 4)
    if rng.random() < 0.3:
        d = rng.choice([2, 3, 5, 7])  # roots r + sqrt(d), r - sqrt(d)
        left = ascending([1, -2 * r, r * r - d])
        pm = [f"{r}+sqrt({d})", f"{r}-sqrt({d})"]
        wrong = [pm[0], f"{r}+sqrt({d + 1}),{r}-sqrt({d + 1})", f"{pm[0]},{pm[1]},{r}"]
        return Case("solve", f"{left}=0", {}, [",".join(pm), f"x={pm[1]} or x={pm[0]}", rf"{r}\pm\sqrt{{{d}}}"], wrong)
    left = ascending([lead * c for c in convolve([1, -r], [1, -s])])
    right = [f"{s},{r}", f"x = {s} or x = {r}", rf"\{{{r}, {s}\}}"]
    return Case(
        "solve", f"{left}=0", {}, right, [f"[{r}]", f"{-r},{-s}" if r != -s else f"{r},{s + 1}", f"{r},{s},{s + 20}"]
    )


def substitute(rng: random.Random) -> Case:
    a, b, c, x = nonzero(rng), nonzero(rng), nonzero(rng), nonzero(rng)
    return number_case("substitute", f"({a})*x**2+({b})*x+({c})", {"value": str(x)}, a * x * x + b * x + c)


def summation(rng: random.Random) -> Case:
    a, b, n = nonzero(rng), nonzero(rng), rng.randint(3, 30)
    return number_case(
        "sum", f"({a})*x**2+({b})", {"lower": "1", "upper": str(n)}, sum(a * k * k + b for k in range(1, n + 1))
    )


def closed_sum(rng: random.Random) -> Case:
    a, b = nonzero(rng), nonzero(rng)
    right = [f"n*(({a})*(n+1)/2+({b}))", f"({a})*n**2/2+({a + 2 * b})*n/2", rf"\frac{{{a}n^2+({a + 2 * b})n}}{{2}}"]
    wrong = [f"({a})*n**2/2+({b})*n", f"n*(({a})*(n-1)/2+({b}))", f"({a})*x**2/2+({a + 2 * b})*x/2"]
    return Case("sum", f"({a})*x+({b})", {"lower": "1", "upper": "n"}, right, wrong)


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


def evaluate(rng: random.Random) -> Case:
    a, b, d = rng.randint(2, 9), rng.randint(2, 9), rng.choice([2, 3, 5, 7])
    right = [f"{a + b}*sqrt({d})", f"sqrt({(a + b) ** 2 * d})", f"{(a + b) * d}/sqrt({d})"]
    wrong = [f"{a + b + 1}*sqrt({d})", f"sqrt({a * a * d + b * b * d})", f"{((a + b) * math.sqrt(d)):.9f}"]
    return Case("evaluate", f"sqrt({a * a * d})+sqrt({b * b * d})", {}, right, wrong)


def arithmetic(rng: random.Random) -> Case:
    a, b, c = (Fraction(nonzero(rng), rng.randint(2, 9)) for _ in range(3))
    return number_case("evaluate", f"({a})*({b})-({c})", {}, a * b - c)


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


def limit(rng: random.Random) -> Case:
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    if rng.random() < 0.5:
        return number_case("limit", f"sin({a}*x)/({b}*x)", {"point": "0"}, Fraction(a, b))
    return number_case("limit", f"(x**2-{a * a})/(x-{a})+{b}", {"point": str(a)}, 2 * a + b)


def series(rng: random.Random) -> Case:
    a, n = nonzero(rng, 4), rng.randint(1, 5)
    return number_case("series", f"exp(({a})*x)", {"order": str(n)}, Fraction(a**n, math.factorial(n)))


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


def system(rng: random.Random) -> Case:
    x, y, (a, b) = nonzero(rng), nonzero(rng), two(rng)
    text = f"[x+({a})*y={x + a * y},x+({b})*y={x + b * y}]"
    right = [f"y={y}, x={x}", f"({x},{y})", f"x={x} and y={y}"]
    return Case("system", text, {}, right, [f"x={y + 1},y={x}", f"x={x}", f"({x},{y + 1})"])


def inequality(rng: random.Random) -> Case:
    r, s = two(rng)
    left = ascending(convolve([1, -r], [1, -s]))
    if rng.random() < 0.5:
        right = [f"{r}<=x<={s}", f"x>={r} and x<={s}", f"[{r},{s}]"]
        return Case("inequality", f"{left}<=0", {}, right, [f"({r},{s})", f"x<={r} or x>={s}", f"[{r},{s + 1}]"])
    right = [f"x<{r} or x>{s}", f"({s},oo)U(-oo,{r})", rf"(-\infty,{r})\cup({s},\infty)"]
    return Case("inequality", f"{left}>0", {}, right, [f"{r}<x<{s}", f"x<{r}", f"(-oo,{r}]U({s},oo)"])


def determinant(rng: random.Random) -> Case:
    a, b, c, d = (nonzero(rng) for _ in range(4))
    return number_case("det", f"[[{a},{b}],[{c},{d}]]", {}, a * d - b * c)


def inverse(rng: random.Random) -> Case:
    a, b, c = rng.randint(1, 5), rng.randint(1, 5), rng.randint(1, 5)
    d = (b * c) // a + 1
    det = a * d - b * c
    entries = [Fraction(d, det), Fraction(-b, det), Fraction(-c, det), Fraction(a, det)]
    spelled = [f"{e.numerator * 3}/{e.denominator * 3}" for e in entries]
    shaped = "[[{},{}],[{},{}]]".format
    wrong = [
        shaped(d, -b, -c, a) if det != 1 else shaped(d, b, c, a),
        shaped(*map(fraction, entries[::-1])) if a != d else shaped(1, 0, 0, 7),
        shaped(*map(fraction, [entries[0] + 1, *entries[1:]])),
    ]
    tuples = "(({},{}),({},{}))".format(*map(fraction, entries))
    return Case(
        "inverse",
        shaped(a, b, c, d),
        {},
        [shaped(*spelled), tuples, shaped(*map(fraction, entries)).replace(",", ", ")],
        wrong,
    )


def matrix_product(rng: random.Random) -> Case:
    a, b, c, d = (nonzero(rng) for _ in range(4))
    shaped = "[[{},{}],[{},{}]]".format
    product = [a + b, a - b, c + d, c - d]
    right = [
        shaped(*product).replace(",", " , "),
        "(({},{}),({},{}))".format(*product),
        shaped(*(f"{v}.0" for v in product)),
    ]
    return Case(
        "matmul",
        shaped(a, b, c, d),
        {"other": "[[1,1],[1,-1]]"},
        right,
        [shaped(*perturbed(rng, product)), shaped(a, b, c, -d), shaped(*product[:3], "x")],
    )


def eigenvalues(rng: random.Random) -> Case:
    r, s = two(rng)
    k = nonzero(rng)
    return Case(
        "eigenvalues",
        f"[[{r},{k}],[0,{s}]]",
        {},
        [f"{s},{r}", f"{{{r},{s}}}", f"[{s}.0,{r}]"],
        [f"[{r}]", f"{r},{s + 1}", f"{r},{s},{k + 30}"],
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


MAKERS: tuple[Maker, ...] = (
    expand, factor, differentiate, integrate, definite, solve, substitute, summation, closed_sum, gcd, polynomial_lcm,
    mod, evaluate, arithmetic, simplify, limit, series, apart, together, collect, system, inequality, determinant,
    inverse, matrix_product, eigenvalues, recurrence, next_term,
)  # fmt: skip


def run(cases: list[Case]) -> tuple[Counter[str], list[str]]:
    """Counts of `right pass` and the like, and a line for everything that should not have happened."""

    async def judged() -> tuple[Counter[str], list[str]]:
        verifier = MathVerifier(cpu_seconds=4.0)
        try:
            fields = [{"operation": c.operation, "expression": c.expression, "arguments": c.arguments} for c in cases]
            tasks = await verifier.admit([Draft("math", "deduction", f) for f in fields])
            counts: Counter[str] = Counter()
            problems: list[str] = []
            todo: list[tuple[Case, str, str, Task]] = []
            for case, task in zip(cases, tasks, strict=True):
                if isinstance(task, Task):
                    todo += [(case, "right", text, task) for text in case.right]
                    todo += [(case, "wrong", text, task) for text in case.wrong]
                elif task.reason != "trivial":
                    problems.append(f"rejected: {case.operation} {case.expression}: {task.reason} {task.detail}")
            verdicts = await verifier.judge([(task, Answer({"answer": text}, text)) for _, _, text, task in todo])
            for (case, truth, text, task), verdict in zip(todo, verdicts, strict=True):
                counts[f"{truth} {verdict.status}"] += 1
                if verdict.status != {"right": "pass", "wrong": "fail"}[truth]:
                    problems.append(f"{truth} {verdict.status}: {case.operation} {case.expression} {case.arguments} "
                                    f"gold {task.gold['result']} answer {text}: {verdict.reason}")  # fmt: skip
            return counts, problems
        finally:
            await verifier.close()

    return asyncio.run(judged())


def check(n_drafts: int, seed: int) -> Counter[str]:
    rng = random.Random(seed)
    counts, problems = run([maker(rng) for maker in MAKERS for _ in range(n_drafts)])
    report = "\n".join(problems[:40])
    never = ("rejected", "wrong pass", "wrong fault", "right fail", "right fault")
    assert not [line for line in problems if line.startswith(never)], report
    assert counts["right pass"] >= 0.98 * sum(n for name, n in counts.items() if name.startswith("right")), report
    return counts


def test_every_operation_has_a_maker() -> None:
    assert {maker(random.Random(1)).operation for maker in MAKERS} == set(TABLE)


def test_small_corpus_is_judged_right() -> None:
    check(2, seed=1)


@pytest.mark.slow
def test_no_wrong_answer_passes_and_right_ones_do() -> None:
    counts = check(N_DRAFTS, seed=2)
    assert min(counts["right pass"], counts["wrong fail"]) >= 2000, counts
