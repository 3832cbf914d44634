"""Exact polynomials: ring laws, agreement with evaluation, and the fast results against SymPy's own."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from azr_engine.verifiers.math import compute, parse, to_text
from azr_engine.verifiers.math.copies import depends_on
from azr_engine.verifiers.math.derivative import derivative
from azr_engine.verifiers.math.polynomials import (
    ONE,
    NotRational,
    Polynomial,
    UndefinedValue,
    compose,
    plus,
    polynomial,
    ratio,
    same_value,
    times,
    tree,
)

POWERS = st.dictionaries(st.sampled_from("xy"), st.integers(1, 4), max_size=2)
MONOMIALS = POWERS.map(lambda powers: tuple(sorted(powers.items())))
POLYNOMIALS = st.dictionaries(MONOMIALS, st.integers(-9, 9).filter(bool), max_size=4)


@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
def test_ring_laws(a: Polynomial, b: Polynomial, c: Polynomial) -> None:
    assert times(a, plus(b, c)) == plus(times(a, b), times(a, c))
    assert times(times(a, b), c) == times(a, times(b, c))
    assert plus(plus(a, b), b, -1) == a
    assert times(a, ONE) == a


@given(POLYNOMIALS)
def test_the_expanded_tree_reads_back(poly: Polynomial) -> None:
    assert polynomial(parse(to_text(tree(poly)))) == poly


@given(POLYNOMIALS, POLYNOMIALS, st.integers(-5, 5))
def test_composition_is_evaluation(poly: Polynomial, other: Polynomial, value: int) -> None:
    at: Polynomial = {(): value} if value else {}
    whole = compose(times(poly, other), "x", at)
    assert whole == times(compose(poly, "x", at), compose(other, "x", at))


@pytest.mark.parametrize("text", ["1/0", "x/(y-y)", "0**0", "0**-1", "(x-x)**0", "1/(2-2)"])
def test_undefined_is_seen(text: str) -> None:
    with pytest.raises(UndefinedValue):
        ratio(parse(text))


def test_too_large_is_refused_and_not_computed() -> None:
    with pytest.raises(NotRational):
        polynomial(parse("(a+b+c+d+f)**60"))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("(x+1)*(x-1)", "x**2-1", True),
        ("(x**2-1)/(x-1)", "x+1", True),
        ("x*sin(2*x/2)", "sin(x)*x", True),
        ("exp(x)**2", "E**x*exp(x)", True),
        ("x**2", "x**2+10**-60", False),
        ("1/x", "x", False),
        ("sin(x)**2+cos(x)**2", "1", None),
        ("3*sin(0)/sin(0)", "3", None),
        ("sqrt(2)*sqrt(2)", "2", None),
    ],
)
def test_equality_of_values_says_only_what_is_proven(a: str, b: str, same: bool | None) -> None:
    assert same_value(parse(a), parse(b)) is same


@pytest.mark.parametrize(("text", "depends"), [("x-x+5", False), ("0*x", False), ("5*x/x", False), ("sin(x)**2+cos(x)**2", False), ("x", True), ("floor(x)", True), ("y", False)])  # fmt: skip # noqa: E501
def test_dependence_is_of_the_value_and_not_of_the_text(text: str, depends: bool) -> None:
    assert depends_on(parse(text), "x") is depends


def sample(rng: random.Random) -> str:
    return "+".join(f"({rng.randint(-9, 9)})*x**{n}" for n in range(rng.randint(2, 5)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_fast_results_are_those_of_sympy(seed: int) -> None:
    rng = random.Random(seed)
    a, b = sample(rng), sample(rng)
    x = sympy.Symbol("x")
    product = sympy.sympify(f"({a})*({b})")

    def value(operation: str, expression: str, **arguments: str) -> sympy.Expr:
        result = compute({"operation": operation, "expression": expression, "arguments": arguments})["result"]
        return sympy.sympify(result)

    assert value("expand", f"({a})*({b})") == sympy.expand(product)
    assert sympy.expand(value("factor", f"({a})*({b})") - product) == 0
    assert value("differentiate", f"({a})*({b})") == sympy.expand(product.diff(x))
    assert value("integrate", a) == sympy.expand(sympy.integrate(sympy.sympify(a), x))
    assert value("substitute", a, value="-3") == sympy.sympify(a).subs(x, -3)
    assert value("sum", a, lower="1", upper="7") == sum(sympy.sympify(a).subs(x, n) for n in range(1, 8))
    assert value("integrate", a, lower="-1", upper="2") == sympy.integrate(sympy.sympify(a), (x, -1, 2))


@pytest.mark.parametrize(
    "text",
    ["x**3*sin(2*x)", "exp(-x**2)/x", "log(abs(x))", "sqrt(x+2)*x", "atan(3*x)", "x**x", "tan(x)", "cosh(x)*tanh(x)",
     "1/(x**2+1)", "asin(x/9)", "log(x,2)", "sec(x)-csc(x)+cot(x)", "cbrt(x)", "acosh(x+3)", "asinh(x)+atanh(x/9)"],
)  # fmt: skip
def test_derivatives_agree_with_difference_quotients(text: str) -> None:
    from azr_engine.verifiers.math.numeric import value_at

    node = parse(text)
    h, at = Fraction(1, 10**12), Fraction(13, 11)
    change = value_at(node, {"x": at + h}, 60) - value_at(node, {"x": at - h}, 60)
    quotient = change * h.denominator / 2
    exact = value_at(derivative(node, "x"), {"x": at}, 60)
    assert abs(quotient - exact) < 1e-15 * max(1, abs(exact))
