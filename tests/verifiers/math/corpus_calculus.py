"""Cases of calculus, of equations and of matrices, built backwards from their answers."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from tests.verifiers.math.corpus_cases import (
    Case,
    Maker,
    ascending,
    convolve,
    fraction,
    nonzero,
    number_case,
    perturbed,
    two,
)


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


def limit(rng: random.Random) -> Case:
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    if rng.random() < 0.5:
        return number_case("limit", f"sin({a}*x)/({b}*x)", {"point": "0"}, Fraction(a, b))
    return number_case("limit", f"(x**2-{a * a})/(x-{a})+{b}", {"point": str(a)}, 2 * a + b)


def series(rng: random.Random) -> Case:
    a, n = nonzero(rng, 4), rng.randint(1, 5)
    return number_case("series", f"exp(({a})*x)", {"order": str(n)}, Fraction(a**n, math.factorial(n)))


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


MAKERS: tuple[Maker, ...] = (
    differentiate, integrate, definite, summation, closed_sum, limit, series, solve, system, inequality, determinant,
    inverse, matrix_product, eigenvalues,
)  # fmt: skip
