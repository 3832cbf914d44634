"""Between our trees and SymPy's, for our own data or inside a worker only: SymPy must never see raw text.

Symbols are real. Undefined values are caught while building, before SymPy can simplify them away: `1/0`,
`0**0` (1 in SymPy), `log(0)`, `tan(pi/2)` raise instead of becoming `zoo`. Importing this module imports SymPy.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from azr_engine.verifiers.math.nodes import FUNCTIONS, Node, add, multiply, negate, number, symbol
from azr_engine.verifiers.math.operations.problem import OperationError

_TO_CLASS: dict[str, Any] = {
    name: getattr(sympy, {"abs": "Abs"}.get(name, name)) for name in FUNCTIONS if hasattr(sympy, name) or name == "abs"
}
_TO_NAME = {cls: name for name, cls in _TO_CLASS.items() if isinstance(cls, type)}
_CONSTANTS: dict[str, Any] = {"pi": sympy.pi, "E": sympy.E, "I": sympy.I, "oo": sympy.oo}
_TO_CONSTANT = {value: name for name, value in _CONSTANTS.items()}
_RELATIONS: dict[str, Any] = {
    "=": sympy.Eq,
    "!=": sympy.Ne,
    "<": sympy.Lt,
    "<=": sympy.Le,
    ">": sympy.Gt,
    ">=": sympy.Ge,
}
_UNDEFINED = (sympy.zoo, sympy.nan)


def real_symbol(name: str) -> Any:
    """The SymPy symbol our trees use for `name`."""
    return sympy.Symbol(name, real=True)


def to_sympy(node: Node) -> Any:
    """The SymPy expression of an expression tree (no relations, no collections).

    Raises:
        OperationError: `undefined`, where a part has no value; `syntax`, where the tree is no expression.
    """
    kind, value, args = node
    if kind == "number":
        if isinstance(value, Fraction):
            return sympy.Rational(value.numerator, value.denominator)
        return sympy.Integer(value)
    if kind == "symbol":
        return real_symbol(value)
    if kind == "constant":
        return _CONSTANTS[value]
    parts = [to_sympy(arg) for arg in args]
    if kind == "+":
        result = sympy.Add(*parts)
    elif kind == "*":
        result = sympy.Mul(*parts)
    elif kind == "neg":
        result = -parts[0]
    elif kind == "/":
        result = parts[0] / _nonzero(parts[1])
    elif kind == "**":
        result = _power(*parts)
    elif kind == "call":
        result = _TO_CLASS[value](*parts)
    else:
        raise OperationError("syntax", f"a {kind} where an expression belongs")
    if result in _UNDEFINED:
        raise OperationError("undefined", "a part of the expression has no value")
    return result


def _nonzero(value: Any) -> Any:
    if value.is_zero:
        raise OperationError("undefined", "division by zero")
    return value


def _power(base: Any, exponent: Any) -> Any:
    if base.is_zero and not exponent.is_positive:
        raise OperationError("undefined", "zero to a power that is not positive")
    return base**exponent


def relation(node: Node) -> Any:
    """The SymPy inequality of a relation tree with one operator."""
    left, right = node.args
    return _RELATIONS[node.value[0]](to_sympy(left), to_sympy(right), evaluate=False)


def from_sympy(value: Any) -> Node:
    """Our tree of a SymPy result, spelled the short way: descending powers, quotients, `sqrt`.

    Raises:
        OperationError: `undefined` for a result without a value, `unsolved` for what the grammar has no word
            for (an integral left standing, a root object, a piecewise function).
    """
    if value in _UNDEFINED or value.has(sympy.nan, sympy.zoo):
        raise OperationError("undefined", "no value")
    if value.is_Rational:
        return number(Fraction(int(value.p), int(value.q)))
    if value.is_Symbol:
        return symbol(value.name)
    if value in _TO_CONSTANT:
        return Node("constant", _TO_CONSTANT[value])
    if value is sympy.S.NegativeInfinity:
        return negate(Node("constant", "oo"))
    if value.is_Add:
        return add(*(from_sympy(term) for term in value.as_ordered_terms()))
    if value.is_Mul or value.is_Pow or isinstance(value, sympy.exp):
        return _product(value)
    name = _TO_NAME.get(value.func)
    if name is None:
        raise OperationError("unsolved", f"the result holds {value.func.__name__}")
    return Node("call", name, tuple(from_sympy(arg) for arg in value.args))


def _product(value: Any) -> Node:
    coefficient, rest = value.as_coeff_Mul()
    if coefficient.is_infinite:
        raise OperationError("divergent", "infinite")
    if not coefficient.is_Rational:
        coefficient, rest = sympy.S.One, value
    top, bottom = [], []
    for factor in rest.as_ordered_factors() if rest.is_Mul else [rest]:
        base, exponent = (factor.base, factor.exp) if factor.is_Pow else (factor, sympy.S.One)
        if exponent.is_Rational and exponent < 0:
            bottom.append(_power_tree(base, -exponent))
        elif factor is not sympy.S.One:
            top.append(_call_exp(factor) if isinstance(factor, sympy.exp) else _power_tree(base, exponent))
    if abs(coefficient.p) != 1 or not top:
        top.insert(0, number(abs(int(coefficient.p))))
    if coefficient.q != 1:
        bottom.insert(0, number(int(coefficient.q)))
    node = multiply(*top)
    if bottom:
        node = Node("/", None, (node, multiply(*bottom)))
    return negate(node) if coefficient.p < 0 else node


def _call_exp(value: Any) -> Node:
    return Node("call", "exp", (from_sympy(value.args[0]),))


def _power_tree(base: Any, exponent: Any) -> Node:
    if exponent is sympy.S.One:
        return from_sympy(base)
    if exponent == sympy.Rational(1, 2):
        return Node("call", "sqrt", (from_sympy(base),))
    return Node("**", None, (from_sympy(base), from_sympy(exponent)))
