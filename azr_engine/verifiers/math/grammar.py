r"""The safe grammar of the math domain: text in, a tree of plain tuples out, nothing evaluated.

Covers numbers, symbols, `+ - * / ** ^`, the functions and constants of `nodes.py`, relations, lists, sets,
tuples, intervals and their unions, factorials, and the LaTeX a language model writes (`\frac{1}{2}`,
`\sqrt[3]{x}`, `\sin^2 x`, `\left(`). A missing multiplication sign is understood where only one reading
exists (`2x`, `2(x+1)`, `(x+1)(x-1)`, `x sin(x)`) and refused elsewhere (`x(x+1)`, `1/2x`, `x 2`).

Sizes are bounded before anything can compute with the tree: characters, tokens, nesting, digits, the bits that
a numeric subtree could evaluate to (so `9**9**9` and `factorial(10**9)` are refused while reading) and the
degree of powers of symbols.
"""

from __future__ import annotations

import math
from fractions import Fraction

from azr_engine.verifiers.math.lexer import ParseError, Token, tokenize
from azr_engine.verifiers.math.nodes import COLLECTIONS, FUNCTIONS, Node, add, multiply
from azr_engine.verifiers.math.printer import skeleton, to_text

__all__ = ["MAX_BITS", "MAX_DEGREE", "MAX_DEPTH", "Node", "ParseError", "parse", "skeleton", "to_text"]

MAX_DEPTH = 60
MAX_BITS = 2048
MAX_DEGREE = 128
MAX_FACTORIAL = 150

_LOOSEST, _OR, _AND, _RELATION, _UNION, _SUM, _PRODUCT, _POWER = range(8)
_BINDING = {
    "or": _OR, "and": _AND, "union": _UNION, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">="), _RELATION),
}  # fmt: skip
_STARTS_FACTOR = frozenset({"name", "constant", "function", "group", "("})
_END = Token("end", "end of text")


def parse(text: str) -> Node:
    """The tree of `text`.

    Raises:
        ParseError: with reason `syntax`, `banned` or `oversize`; never anything else.
    """
    parser = _Parser(tokenize(text))
    node = parser.sequence("end")
    if len(node) != 1:
        tree = Node("tuple", None, tuple(node))
    else:
        tree = node[0]
    _bound(tree)
    return tree


class _Parser:
    """A precedence-climbing parser over a token list; one method call per level of nesting."""

    def __init__(self, tokens: list[Token]) -> None:
        if not tokens:
            raise ParseError("syntax", "empty")
        self.tokens = [*tokens, _END]
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def expect(self, kind: str) -> None:
        if self.next.kind != kind:
            raise ParseError("syntax", f"expected {kind!r}, found {self.next.text!r}")
        self.position += 1

    def sequence(self, close: str) -> list[Node]:
        """Expressions separated by commas up to the token `close`, which is taken; a last comma is allowed."""
        items: list[Node] = []
        while self.next.kind != close:
            items.append(self.expression(_LOOSEST))
            if self.next.kind != close:
                self.expect(",")
        if close != "end":
            self.position += 1
        return items

    def expression(self, binding: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ParseError("oversize", f"nested deeper than {MAX_DEPTH}")
        left = self.prefix(binding)
        while (level := self.level()) > binding:
            left = self.infix(left, level)
        self.depth -= 1
        return left

    def level(self) -> int:
        """Binding of the operator that comes next; a missing multiplication sign counts as one."""
        token = self.next
        if token.kind in _STARTS_FACTOR:
            is_union = token.text == "U" and self.tokens[self.position - 1].text in (")", "]")
            return _UNION if is_union and self.tokens[self.position + 1].text in ("(", "[") else _PRODUCT
        return _BINDING.get(token.kind, _LOOSEST)

    def infix(self, left: Node, level: int) -> Node:
        kind = self.next.kind
        if level == _RELATION:
            return self.relation(left)
        if level == _PRODUCT and kind in _STARTS_FACTOR:
            return self.juxtaposed(left)
        self.position += 1
        if kind == "**":
            return Node("**", None, (left, self.exponent()))
        right = self.expression(level)
        if kind == "+":
            return add(left, right)
        if kind == "-":
            return add(left, Node("neg", None, (right,)))
        if kind == "*":
            return multiply(left, right)
        if kind == "/":
            return Node("/", None, (left, right))
        return _joined("union" if level == _UNION else kind, left, right)

    def relation(self, left: Node) -> Node:
        operators: list[str] = []
        sides = [left]
        while self.level() == _RELATION:
            operators.append(self.take().kind)
            sides.append(self.expression(_RELATION))
        return Node("relation", tuple(operators), tuple(sides))

    def juxtaposed(self, left: Node) -> Node:
        if left.kind in COLLECTIONS or left.kind in ("interval", "union"):
            raise ParseError("syntax", f"{self.next.text!r} after a collection")
        ends_in_name = self.tokens[self.position - 1].kind in ("name", "constant", "function")
        if ends_in_name and self.next.kind == "(":
            raise ParseError("syntax", "a name before '(' may be a product or a call: write the '*'")
        if left.kind == "/" and self.tokens[self.position - 1].text != "}":
            raise ParseError("syntax", "a quotient followed by a factor without '*' has two readings")
        return multiply(left, self.expression(_PRODUCT))

    def exponent(self) -> Node:
        if self.next.kind == "{":
            return self.group()
        return self.expression(_POWER - 1)

    def prefix(self, binding: int) -> Node:
        token = self.take()
        if token.kind == "-":
            return Node("neg", None, (self.expression(max(binding, _SUM)),))
        if token.kind == "+":
            return self.expression(max(binding, _SUM))
        node = self.atom(token)
        while self.next.kind == "!":
            self.position += 1
            node = Node("call", "factorial", (node,))
        return node

    def atom(self, token: Token) -> Node:
        match token.kind:
            case "number":
                if self.next.kind == "number":
                    raise ParseError("syntax", "two numbers in a row")
                return Node("number", Fraction(token.text) if "." in token.text else int(token.text))
            case "name":
                return Node("symbol", token.text)
            case "constant":
                return Node("constant", token.text)
            case "function":
                return self.call(token.text)
            case "group":
                return self.latex(token.text)
            case "(" | "[":
                return self.bracket(token.kind)
            case "{" | "open-set":
                return Node("set", None, tuple(self.sequence("}" if token.kind == "{" else "close-set")))
            case "|":
                inner = self.expression(_LOOSEST)
                self.expect("|")
                return Node("call", "abs", (inner,))
        raise ParseError("syntax", f"unexpected {token.text!r}")

    def bracket(self, opening: str) -> Node:
        items: list[Node] = []
        while self.next.kind not in (")", "]"):
            items.append(self.expression(_LOOSEST))
            if self.next.kind not in (")", "]"):
                self.expect(",")
        closing = self.take().kind
        comma = self.tokens[self.position - 2].kind == ","
        if opening + closing == "()":
            if not items:
                raise ParseError("syntax", "empty parentheses")
            return items[0] if len(items) == 1 and not comma else Node("tuple", None, tuple(items))
        if opening + closing == "[]":
            return Node("list", None, tuple(items))
        if len(items) != 2:
            raise ParseError("syntax", "an interval has two ends")
        return Node("interval", opening + closing, tuple(items))

    def call(self, name: str) -> Node:
        power = None
        if self.next.kind == "**":
            self.position += 1
            power = self.group() if self.next.kind == "{" else self.atom(self.take())
            if power.kind != "number":
                raise ParseError("syntax", f"power of the function {name}")
        if self.next.kind == "(":
            self.position += 1
            args = tuple(self.sequence(")"))
        elif self.next.kind in ("name", "constant", "number"):
            args = (self.atom(self.take()),)
            if self.next.kind in ("**", "!") or self.next.kind in _STARTS_FACTOR:
                raise ParseError("syntax", f"write the argument of {name} in parentheses")
        else:
            raise ParseError("syntax", f"{name} without an argument")
        least, most = FUNCTIONS[name]
        if not least <= len(args) <= most:
            raise ParseError("syntax", f"{name} takes {least if least == most else f'{least} or {most}'} arguments")
        node = Node("call", name, args)
        return node if power is None else Node("**", None, (node, power))

    def latex(self, name: str) -> Node:
        if name == "frac":
            numerator = self.group()
            return Node("/", None, (numerator, self.group()))
        if name == "sqrt" and self.next.kind == "[":
            self.position += 1
            index = self.expression(_LOOSEST)
            self.expect("]")
            one = Node("number", 1)
            return Node("**", None, (self.group(), Node("/", None, (one, index))))
        return Node("call", "sqrt", (self.group(),)) if name == "sqrt" else self.group()

    def group(self) -> Node:
        """A LaTeX argument: `{...}` or one digit or name."""
        token = self.take()
        if token.kind == "number" and token.text.isdigit():
            if len(token.text) > 1:  # \frac12 is a half
                self.position -= 1
                self.tokens[self.position] = Token("number", token.text[1:])
            return Node("number", int(token.text[0]))
        if token.kind != "{":
            return self.atom(token)
        items = self.sequence("}")
        if len(items) != 1:
            raise ParseError("syntax", "a LaTeX group holds one expression")
        return items[0]


def _joined(kind: str, left: Node, right: Node) -> Node:
    parts = [inner for side in (left, right) for inner in (side.args if side.kind == kind else (side,))]
    return Node(kind, None, tuple(parts))


def _bound(node: Node) -> tuple[float, float]:
    """Upper bounds on the bits of the numbers and on the degree in the symbols, were the tree expanded.

    Raises:
        ParseError: `oversize`, where a bound passes its limit.
    """
    kind = node.kind
    if kind == "number":
        value = Fraction(node.value)
        return math.log2(max(value.numerator, value.denominator, 1)), 0.0
    if kind == "symbol":
        return 0.0, 1.0
    parts = [_bound(arg) for arg in node.args]
    bits = sum(part[0] for part in parts) + (len(parts) if kind == "+" else 0)
    degree = max((part[1] for part in parts), default=0.0)
    if kind in ("*", "/"):
        degree = sum(part[1] for part in parts)
    elif kind == "**":
        (base_bits, base_degree), (exponent_bits, exponent_degree) = parts
        if exponent_degree == 0:
            factor = 2.0 ** min(exponent_bits, 64.0)
            bits, degree = base_bits * factor + exponent_bits, base_degree * factor
    elif kind == "call" and node.value in ("factorial", "binomial"):
        if any(2.0 ** min(part[0], 64.0) > MAX_FACTORIAL for part in parts):
            raise ParseError("oversize", f"{node.value} of more than {MAX_FACTORIAL}")
        bits, degree = (1000.0 if degree == 0 else 0.0), 1.0 if degree else 0.0
    if bits > MAX_BITS:
        raise ParseError("oversize", f"a number of more than {MAX_BITS} bits")
    if degree > MAX_DEGREE:
        raise ParseError("oversize", f"degree above {MAX_DEGREE}")
    return bits, degree
