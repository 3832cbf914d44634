"""How free-form answers are read; each line that once was misread or refused stays here."""

from __future__ import annotations

import pytest

from azr_engine.verifiers.math import ParseError, to_text
from azr_engine.verifiers.math.answers import read_answer

READINGS = {
    r"The answer is $\boxed{\frac{3}{4}}$.": "3/4",
    r"\[ x \in (-\infty, -2) \cup [3, \infty) \]": "(-oo,-2)U[3,oo)",
    r"\( \frac{1}{3}x^3 + C \)": "1/3*x**3+C",
    r"$$\frac{x^2}{2}$$": "x**2/2",
    r"The solutions are x = 2 and x = 3.": "x=2 and x=3",
    r"1{,}000": "1000",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}": "[[1,2],[3,4]]",
    r"\ln|x| + C": "log(abs(x))+C",
    r"\log_2 8": "log(8,2)",
    r"\log_{10}(x)": "log(x,10)",
    r"\tan^{-1}(x)": "atan(x)",
    r"\binom{5}{2}": "binomial(5,2)",
    r"\text{no solution}": "[]",
    r"\varnothing": "[]",
    r"all real numbers": "(-oo,oo)",
    r"x\in\mathbb{R}": "(-oo,oo)",
    r"f'(x) = 2x": "2*x",
    r"a_n = 2^n": "2**n",
    r"a(n)=2^n": "2**n",
    r"**5**": "5",
    r"`5`": "5",
    r"3x(x+1)": "3*x*(x+1)",
    r"x\left(x+1\right)": "x*(x+1)",
    r"2sin(x)cos(x)": "2*sin(x)*cos(x)",
    r"exp(x)": "exp(x)",
    r"3 cm": "3",
    r"$x = \frac{-1 \pm \sqrt{5}}{2}$": "[x=(-1+sqrt(5))/2,x=(-1-sqrt(5))/2]",
}


@pytest.mark.parametrize(("text", "reading"), READINGS.items())
def test_readings(text: str, reading: str) -> None:
    assert to_text(read_answer(text)) == reading


@pytest.mark.parametrize(("text", "reading"), [("1.5e3", "1500"), ("1.5e-3", "0.0015"), ("-2E2", "-200")])
def test_scientific_notation_is_no_multiple_of_e(text: str, reading: str) -> None:
    assert to_text(read_answer(text)) == reading


def test_the_u_between_intervals_is_no_factor() -> None:
    assert to_text(read_answer("(-5,oo)U(-oo,-8)")) == "(-5,oo)U(-oo,-8)"


@pytest.mark.parametrize(
    "text",
    [
        "Therefore, $x = 5$ is the solution",
        "5 (five)",
        "x is not 3",
        "2 1/2",
        r"0.\overline{3}",
        "sin 2x",
        "3 or so",
        "",
    ],
)
def test_nothing_is_guessed_from_prose(text: str) -> None:
    with pytest.raises(ParseError):
        read_answer(text)
