"""One answer judged: what each kind asks of it. Runs with the cheap equality in the verifier's own process (pure
Python, bounded sizes, no SymPy) and with the staged one in workers; the cheap run answers None where it must not
or cannot decide.

- deduction: compared with gold by the form of the operation's result.
- abduction: the operation, applied to the answer, must give the shown result; copies are no answers, and an answer
  must depend on the variable when the proposer's expression did. An integrand is judged by differentiation.
- induction: `operation name=value ...` must reproduce every pair, shown and held back; of a sequence, a formula in
  `n` must reproduce every term.
- error: one word of `none`, `undefined`, `no-solution`, `divergent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from azr_engine.verifiers.math.answers import read_answer
from azr_engine.verifiers.math.copies import copies, depends_on, isolated
from azr_engine.verifiers.math.decisions import Decision, Equal
from azr_engine.verifiers.math.derivative import derivative
from azr_engine.verifiers.math.forms import compare, plain
from azr_engine.verifiers.math.grammar import ParseError
from azr_engine.verifiers.math.nodes import Node, number, symbols
from azr_engine.verifiers.math.operations import TABLE, apply, read, read_arguments, read_text
from azr_engine.verifiers.math.operations.algebra import replace
from azr_engine.verifiers.math.operations.problem import Operation, OperationError, Problem, is_expression
from azr_engine.verifiers.math.polynomials import same_value
from azr_engine.verifiers.math.printer import to_text

EqualOn = Callable[[Problem], Equal]
"""The equality of values on the domain of a problem's input."""
ERROR_WORDS = ("none", "undefined", "no-solution", "divergent")
MAX_CHEAP_CHARACTERS = 200


def judge_cheaply(kind: str, given: Mapping[str, Any], gold: Mapping[str, Any], answer: str) -> Decision:
    """The decision of the stages that need no worker; None when they do not decide."""
    if kind == "error":
        return _judge_error(gold, answer)
    if len(answer) > MAX_CHEAP_CHARACTERS:
        return None, "large"
    if kind == "deduction":
        return _guarded(_judge_deduction, given, gold, answer, _cheap)
    if kind == "abduction" and str(given.get("operation")) == "integrate" and not given.get("arguments"):
        return _guarded(_judge_abduction, given, gold, answer, _cheap)
    return None, ""


def _cheap(_: Problem) -> Equal:
    return same_value


def judge(kind: str, given: Mapping[str, Any], gold: Mapping[str, Any], answer: str, equal_on: EqualOn) -> Decision:
    """The decision with an equality of values on a problem's domain; a reason wherever it is not True."""
    if kind == "error":
        return _judge_error(gold, answer)
    rule = {"deduction": _judge_deduction, "abduction": _judge_abduction, "induction": _judge_induction}[kind]
    return _guarded(rule, given, gold, answer, equal_on)


def _guarded(rule: Any, given: Mapping[str, Any], gold: Mapping[str, Any], answer: str, equal_on: EqualOn) -> Decision:
    try:
        decision: Decision = rule(given, gold, answer, equal_on)
    except (ParseError, OperationError) as error:
        return False, f"{error.reason}: {error.detail}".removesuffix(": ")[:200]
    return decision


def _judge_deduction(given: Mapping[str, Any], gold: Mapping[str, Any], answer: str, equal_on: EqualOn) -> Decision:
    operation, problem = read(given)
    return compare(operation.form, read_text(gold["result"]), read_answer(answer), problem, equal_on(problem))


def _judge_abduction(given: Mapping[str, Any], gold: Mapping[str, Any], answer: str, equal_on: EqualOn) -> Decision:
    operation, problem = read({**_context(given), "expression": to_text(read_answer(answer))})
    _, original = read({**_context(given), "expression": gold["expression"]})
    result, equal = read_text(given["result"]), equal_on(original)
    expression, variable = problem.expression, problem.variable
    solved = operation.takes in ("equation", "inequality") and isolated(expression, variable)
    if solved or copies(operation, expression, result):
        return False, "a copy of the result"
    if depends_on(original.expression, variable) and not depends_on(expression, variable):
        return False, f"does not depend on {variable}"
    if operation.form == "antiderivative" and not problem.arguments:
        try:
            wanted = derivative(result, variable)
        except ValueError:
            return None, "undecided"
        decision = equal(wanted, expression)
        return decision, {True: "", False: "wrong value", None: "undecided"}[decision]
    return _same_result(operation, result, apply(operation, problem), problem, equal)


def _context(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("operation", "variable", "arguments") if name in given}


def _same_result(operation: Operation, wanted: Node, found: Node, problem: Problem, equal: Equal) -> Decision:
    if wanted == found:
        return True, ""
    decision, reason = compare(operation.form, wanted, found, problem, equal)
    return decision, reason and f"gives {to_text(found)[:80]}"


def _judge_induction(given: Mapping[str, Any], gold: Mapping[str, Any], answer: str, equal_on: EqualOn) -> Decision:
    if "terms" in given:
        return judge_formula([*given["terms"], *gold["terms"]], read_answer(answer), equal_on(Problem(number(0))))
    name, *pieces = answer.split() or [""]
    guess = TABLE.get(name)
    if guess is None:
        return False, "unknown_operation"
    arguments: dict[str, str] = {}
    for piece in pieces:
        key, sign, value = piece.partition("=")
        if not sign or key in arguments:
            return False, "bad_arguments: not name=value"
        arguments[key] = value
    variable = arguments.pop("variable", str(given.get("variable", "x")))
    read_arguments(guess, arguments)
    row = TABLE[gold["operation"]]
    for pair in (*given["pairs"], *gold["pairs"]):
        fields = {"operation": name, "expression": pair["input"], "variable": variable, "arguments": arguments}
        operation, problem = read(fields)
        found, equal = apply(operation, problem), equal_on(problem)
        decision, reason = _same_result(row, read_text(pair["output"]), found, problem, equal)
        if not decision:
            return decision, f"{pair['input'][:60]} {reason}"
    return True, ""


def judge_formula(terms: Sequence[str], answer: Node, equal: Equal) -> Decision:
    """Whether a formula in `n` gives every term, a(0) first."""
    formula = plain(answer)
    if not is_expression(formula) or not set(symbols(formula)) <= {"n"}:
        return False, "not a formula in n"
    for n, term in enumerate(terms):
        decision = equal(read_text(term), replace(formula, "n", number(n)))
        if not decision:
            return decision, "undecided" if decision is None else f"another a({n})"
    return True, ""


def _judge_error(gold: Mapping[str, Any], answer: str) -> Decision:
    word = "-".join(answer.strip().lower().rstrip(".").replace("_", " ").replace("-", " ").split())
    if word not in ERROR_WORDS:
        return False, f"none of {', '.join(ERROR_WORDS)}"
    return word == gold["error"], "" if word == gold["error"] else "another outcome"
