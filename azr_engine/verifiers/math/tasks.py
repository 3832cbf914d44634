"""Drafts to tasks: what a draft must be, its gold, what the solver is shown, and its fingerprints. In workers.

| kind | given | gold |
|---|---|---|
| deduction | operation, expression, variable, arguments | result |
| abduction | operation, result, variable, arguments | expression |
| induction | the first half of the pairs, message, variable | operation, arguments, the other pairs |
| induction of a sequence | the first half of the terms, message | operation, arguments, formula, the other terms |
| error | as deduction | error: one of `ERRORS` |

A draft is rejected as `trivial` when its operation does nothing to its input, when the input does not depend on
the variable where that matters, and when the draft's own expression would be no answer to abduction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from azr_engine.verifiers.math.copies import copies, depends_on, does_nothing, isolated
from azr_engine.verifiers.math.equivalence import equal
from azr_engine.verifiers.math.forms import compare
from azr_engine.verifiers.math.judgement import judge_formula
from azr_engine.verifiers.math.nodes import Node, symbols
from azr_engine.verifiers.math.numeric import fingerprint
from azr_engine.verifiers.math.operations import TABLE, apply, read
from azr_engine.verifiers.math.operations.problem import Operation, OperationError, Problem
from azr_engine.verifiers.math.printer import skeleton, to_text

ERRORS: dict[str, str] = {"undefined": "undefined", "no_solution": "no-solution", "divergent": "divergent"}
"""What the kind `error` asks for, by the reason an operation failed with; `none` when it did not fail."""

KINDS = ("deduction", "abduction", "induction", "error")
MAX_RESULT_CHARACTERS = 400
MAX_PAIRS = 12
N_TERMS = 12
"""Terms of a sequence in induction, shown and held back."""
MIN_DIFFERENT_TERMS = 3


def admit(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The task's given, gold, skeleton, signature and draft.

    Raises:
        OperationError: why the draft is none, with a reason of `REASONS`.
    """
    if kind == "induction":
        return _admit_induction(fields)
    operation, problem = read(fields)
    if operation.needs_variable and not depends_on(problem.expression, problem.variable):
        raise OperationError("trivial", f"the input does not depend on {problem.variable}")
    if kind == "error":
        return _admit_error(operation, problem)
    result = _result(operation, problem)
    trivial = copies if kind == "abduction" else does_nothing
    if trivial(operation, problem.expression, result):
        raise OperationError("trivial", "the operation changes nothing, or its input copies its result")
    context = _context(operation, problem)
    if kind == "deduction":
        if compare(operation.form, result, result, problem, equal)[0] is not True:
            raise OperationError("unsolved", "the result does not pass its own judge")
        given = {"operation": operation.name, "expression": to_text(problem.expression), **context}
        gold = {"result": to_text(result)}
    else:
        if operation.takes in ("equation", "inequality") and isolated(problem.expression, problem.variable):
            raise OperationError("trivial", "the input is its own solution")
        given = {"operation": operation.name, "result": to_text(result), **context}
        gold = {"expression": to_text(problem.expression)}
    return _task(operation, [problem.expression], [result], given, gold, _draft(operation, problem))


def _result(operation: Operation, problem: Problem) -> Node:
    result = apply(operation, problem)
    if len(to_text(result)) > MAX_RESULT_CHARACTERS:
        raise OperationError("oversize", f"a result of more than {MAX_RESULT_CHARACTERS} characters")
    return result


def _context(operation: Operation, problem: Problem) -> dict[str, Any]:
    arguments = {name: to_text(problem.arguments[name]) for name in operation.arguments if name in problem.arguments}
    return {"variable": problem.variable, "arguments": arguments}


def _draft(operation: Operation, problem: Problem) -> dict[str, Any]:
    return {"operation": operation.name, "expression": to_text(problem.expression), **_context(operation, problem)}


def _admit_error(operation: Operation, problem: Problem) -> dict[str, Any]:
    results: list[Node] = []
    try:
        results = [_result(operation, problem)]
        outcome = "none"
    except OperationError as error:
        if error.reason not in ERRORS:
            raise
        outcome = ERRORS[error.reason]
    if results and does_nothing(operation, problem.expression, results[0]):
        raise OperationError("trivial", "the operation changes nothing")
    draft = _draft(operation, problem)
    return _task(
        operation, [problem.expression], results or [Node("symbol", outcome)], draft, {"error": outcome}, draft
    )


def _admit_induction(fields: Mapping[str, Any]) -> dict[str, Any]:
    texts = fields.get("expressions")
    row = TABLE.get(str(fields.get("operation")))
    if row is not None and row.sequence is not None:
        return _admit_sequence(row, fields, texts)
    if not isinstance(texts, list | tuple) or not 2 <= len(texts) <= MAX_PAIRS:
        raise OperationError("bad_arguments", f"induction takes 2 to {MAX_PAIRS} expressions")
    rest = {name: fields[name] for name in ("operation", "variable", "arguments") if name in fields}
    read_all = [read({**rest, "expression": text}) for text in texts]
    operation, problems = read_all[0][0], [problem for _, problem in read_all]
    if len({problem.expression for problem in problems}) < len(problems):
        raise OperationError("trivial", "an expression comes twice")
    results = [_result(operation, problem) for problem in problems]
    pairs = list(zip(problems, results, strict=True))
    if any(does_nothing(operation, problem.expression, result) for problem, result in pairs):
        raise OperationError("trivial", "the operation changes nothing")
    spelled = [{"input": to_text(problem.expression), "output": to_text(result)} for problem, result in pairs]
    if len({pair["output"] for pair in spelled}) == 1:
        raise OperationError("trivial", "every result is the same")
    n_shown = (len(pairs) + 1) // 2
    context = _context(operation, problems[0])
    message = _message(fields, operation.name)
    given = {"pairs": spelled[:n_shown], "message": message, "variable": context["variable"]}
    gold = {"operation": operation.name, "arguments": context["arguments"], "pairs": spelled[n_shown:]}
    draft = {
        "operation": operation.name, "expressions": [pair["input"] for pair in spelled], **context, "message": message,
    }  # fmt: skip
    return _task(operation, [problem.expression for problem in problems], results, given, gold, draft)


def _message(fields: Mapping[str, Any], answer: str) -> str:
    """The draft's hint. Raises OperationError where it holds the answer: there is nothing to find out then."""
    message = str(fields.get("message", ""))[:500]
    if answer.isalpha():
        found = re.search(rf"(?<![a-z]){answer}(?![a-z])", message.lower()) is not None
    else:
        found = len(answer) > 2 and answer in "".join(message.replace("^", "**").split())
    if found:
        raise OperationError("banned", "the message gives the answer away")
    return message


def _admit_sequence(operation: Operation, fields: Mapping[str, Any], texts: Any) -> dict[str, Any]:
    if not isinstance(texts, list | tuple) or len(texts) != 1 or operation.sequence is None:
        raise OperationError("bad_arguments", "a sequence is induced from one expression")
    names = ("operation", "variable", "arguments")
    _, problem = read({**{name: fields[name] for name in names if name in fields}, "expression": texts[0]})
    formula, terms = operation.sequence(problem, N_TERMS)
    spelled = [to_text(term) for term in terms]
    if len(set(spelled)) < MIN_DIFFERENT_TERMS:
        raise OperationError("trivial", f"fewer than {MIN_DIFFERENT_TERMS} different terms")
    if len(to_text(formula)) + len("".join(spelled)) > MAX_RESULT_CHARACTERS:
        raise OperationError("oversize", f"terms and formula of more than {MAX_RESULT_CHARACTERS} characters")
    if judge_formula(spelled, formula, equal)[0] is not True:
        raise OperationError("unsolved", "the formula does not pass its own judge")
    message, context = _message(fields, to_text(formula)), _context(operation, problem)
    given = {"terms": spelled[: N_TERMS // 2], "message": message, "variable": "n"}
    gold = {"operation": operation.name, "arguments": context["arguments"], "formula": to_text(formula),
            "terms": spelled[N_TERMS // 2 :]}  # fmt: skip
    draft = {"operation": operation.name, "expressions": [to_text(problem.expression)], **context, "message": message}
    return _task(operation, [problem.expression], terms, given, gold, draft)


def _task(
    operation: Operation,
    inputs: list[Node],
    results: list[Node],
    given: dict[str, Any],
    gold: dict[str, Any],
    draft: dict[str, Any],
) -> dict[str, Any]:
    names = sorted({name for node in inputs for name in symbols(node)})
    behaviour = "|".join(fingerprint(node, names) for node in (*inputs, *results))
    return {
        "given": given,
        "gold": gold,
        "skeleton": f"{operation.name} {';'.join(map(skeleton, inputs))}",
        "signature": hashlib.sha256(behaviour.encode()).hexdigest()[:12],
        "draft": draft,
    }
