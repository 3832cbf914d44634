"""Sets of real numbers as intervals, from the ways people write them: brackets, unions, inequalities."""

from __future__ import annotations

from collections.abc import Sequence

from azr_engine.verifiers.math.nodes import Node, negate

INFINITY = Node("constant", "oo")


def intervals(node: Node, variable: str) -> list[Node] | None:
    """The parts of a set as `interval` nodes, a single point as a closed one; None when it is no set of reals.

    Reads unions, bracket pairs (`(1,2]`, and `[1,2]` as a closed interval), sets of points, relations in the
    variable (`1<x<=2`, `x!=3`, `2>x`) and relations joined by `or` and `and`.
    """
    if node.kind in ("union", "or"):
        parts = [intervals(arg, variable) for arg in node.args]
        return None if None in parts else [interval for part in parts for interval in part or []]
    if node.kind == "set":
        return [interval(value, True, value, True) for value in node.args]
    if node.kind in ("tuple", "list", "interval") and len(node.args) == 2:
        brackets = node.value or {"tuple": "()", "list": "[]"}[node.kind]
        return [Node("interval", brackets, node.args)]
    if node.kind in ("relation", "and"):
        return _from_relations(node.args if node.kind == "and" else (node,), variable)
    return None


def interval(left: Node, has_left: bool, right: Node, has_right: bool) -> Node:
    """The interval between two ends that belong to it or not."""
    return Node("interval", ("[" if has_left else "(") + ("]" if has_right else ")"), (left, right))


def _from_relations(relations: Sequence[Node], variable: str) -> list[Node] | None:
    left, has_left, right, has_right = negate(INFINITY), False, INFINITY, False
    x = Node("symbol", variable)
    for relation in relations:
        if relation.kind != "relation" or relation.args.count(x) != 1:
            return None
        for operator, a, b in zip(relation.value, relation.args, relation.args[1:], strict=False):
            value = b if a == x else a
            if operator in ("=", "!="):
                return _from_equation(operator, value) if len(relations) == len(relation.value) == 1 else None
            if x not in (a, b):
                return None
            if (a == x) == (operator[0] == "<"):
                right, has_right = value, operator.endswith("=")
            else:
                left, has_left = value, operator.endswith("=")
    return [interval(left, has_left, right, has_right)]


def _from_equation(operator: str, value: Node) -> list[Node]:
    if operator == "=":
        return [interval(value, True, value, True)]
    return [interval(negate(INFINITY), False, value, False), interval(value, False, INFINITY, False)]
