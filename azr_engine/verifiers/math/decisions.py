"""Decisions of the judge, and how several make one: three-valued, with a reason wherever not True."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from azr_engine.verifiers.math.nodes import Node

Equal = Callable[[Node, Node], bool | None]
Decision = tuple[bool | None, str]


def said(decision: bool | None, reason: str) -> Decision:
    """The decision with `reason` where it is against."""
    return decision, {True: "", False: reason, None: "undecided"}[decision]


def matched(gold: Sequence[Node], answer: Sequence[Node], same: Equal) -> Decision:
    """Whether the two multisets pair off."""
    if len(gold) != len(answer):
        return False, "not as many parts"
    left = list(answer)
    undecided = False
    for part in gold:
        for i, other in enumerate(left):
            decision = same(part, other)
            undecided = undecided or decision is None
            if decision:
                del left[i]
                break
        else:
            return (None, "undecided") if undecided else (False, "a part is wrong or missing")
    return True, ""


def all_of(decisions: Iterable[Decision]) -> Decision:
    """The first decision against, else one that is open, else a pass."""
    worst: Decision = (True, "")
    for decision in decisions:
        if decision[0] is False:
            return decision
        worst = decision if decision[0] is None else worst
    return worst
