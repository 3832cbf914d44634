"""Derivatives of expression trees by the rules of calculus, without SymPy and without simplification.

An independent route to judge antiderivatives: the operation `differentiate` takes another.
"""

from __future__ import annotations

from collections.abc import Callable

from azr_engine.verifiers.math.nodes import Node, add, multiply, negate, number, symbols
from azr_engine.verifiers.math.polynomials import constant_value


def derivative(node: Node, name: str) -> Node:
    """d node / d name over the reals.

    Raises:
        ValueError: a part has no derivative rule (a rounding, a factorial, a collection).
    """
    kind, value, args = node
    if name not in symbols(node):
        return number(0)
    if kind == "symbol":
        return number(1)
    if kind == "+":
        return add(*(derivative(arg, name) for arg in args))
    if kind == "neg":
        return negate(derivative(args[0], name))
    if kind == "*":
        terms = [multiply(*args[:i], derivative(arg, name), *args[i + 1 :]) for i, arg in enumerate(args)]
        return add(*terms)
    if kind == "/":
        return _quotient_rule(args[0], args[1], name)
    if kind == "**":
        return _power_rule(args[0], args[1], name)
    if kind == "call":
        return _chain_rule(value, args, name)
    raise ValueError(f"no derivative of a {kind}")


def _over(top: Node, bottom: Node) -> Node:
    return Node("/", None, (top, bottom))


def _to(base: Node, exponent: Node) -> Node:
    return Node("**", None, (base, exponent))


def _minus(a: Node, b: Node) -> Node:
    return add(a, Node("neg", None, (b,)))


def _quotient_rule(top: Node, bottom: Node, name: str) -> Node:
    if name not in symbols(bottom):
        return _over(derivative(top, name), bottom)
    change = _minus(multiply(derivative(top, name), bottom), multiply(top, derivative(bottom, name)))
    return _over(change, _to(bottom, number(2)))


def _power_rule(base: Node, exponent: Node, name: str) -> Node:
    if name not in symbols(exponent):
        value = constant_value(exponent)
        lowered = number(value - 1) if value is not None else _minus(exponent, number(1))
        return multiply(exponent, _to(base, lowered), derivative(base, name))
    logarithm = Node("call", "log", (base,))
    growth = multiply(derivative(exponent, name), logarithm)
    if name in symbols(base):
        growth = add(growth, _over(multiply(exponent, derivative(base, name)), base))
    return multiply(_to(base, exponent), growth)


def _chain_rule(function: str, args: tuple[Node, ...], name: str) -> Node:
    inner = args[0]
    if function == "log":
        if len(args) == 2:
            natural = _over(Node("call", "log", (inner,)), Node("call", "log", (args[1],)))
            return derivative(natural, name)
        # log|u| and log(u) have the same derivative where both exist, and no sign is left to argue about.
        inner = inner.args[0] if inner.kind == "call" and inner.value == "abs" else inner
        return _over(derivative(inner, name), inner)
    if function not in _OUTER:
        raise ValueError(f"no derivative of {function}")
    return multiply(_OUTER[function](inner), derivative(inner, name))


def _call(function: str, inner: Node) -> Node:
    return Node("call", function, (inner,))


def _squared(function: str, inner: Node) -> Node:
    return _to(_call(function, inner), number(2))


_ONE, _TWO, _THREE = number(1), number(2), number(3)
_OUTER: dict[str, Callable[[Node], Node]] = {
    "sin": lambda u: _call("cos", u),
    "cos": lambda u: negate(_call("sin", u)),
    "tan": lambda u: _over(_ONE, _squared("cos", u)),
    "cot": lambda u: negate(_over(_ONE, _squared("sin", u))),
    "sec": lambda u: _over(_call("sin", u), _squared("cos", u)),
    "csc": lambda u: negate(_over(_call("cos", u), _squared("sin", u))),
    "asin": lambda u: _over(_ONE, _call("sqrt", _minus(_ONE, _to(u, _TWO)))),
    "acos": lambda u: negate(_over(_ONE, _call("sqrt", _minus(_ONE, _to(u, _TWO))))),
    "atan": lambda u: _over(_ONE, add(_to(u, _TWO), _ONE)),
    "sinh": lambda u: _call("cosh", u),
    "cosh": lambda u: _call("sinh", u),
    "tanh": lambda u: _over(_ONE, _squared("cosh", u)),
    "asinh": lambda u: _over(_ONE, _call("sqrt", add(_to(u, _TWO), _ONE))),
    "acosh": lambda u: _over(_ONE, multiply(_call("sqrt", _minus(u, _ONE)), _call("sqrt", add(u, _ONE)))),
    "atanh": lambda u: _over(_ONE, _minus(_ONE, _to(u, _TWO))),
    "exp": lambda u: _call("exp", u),
    "sqrt": lambda u: _over(_ONE, multiply(_TWO, _call("sqrt", u))),
    "cbrt": lambda u: _over(_ONE, multiply(_THREE, _to(_call("cbrt", u), _TWO))),
    "abs": lambda u: _over(u, _call("abs", u)),
}
