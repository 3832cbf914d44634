"""Honeypots: no answer solves them, an honest run raises no alarm over them, and a fooled judge soon does."""

from __future__ import annotations

import asyncio
import json
import random

import numpy as np
import pytest

from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.types import Answer, Attempt, Completion, Draft, Episode, Rejection, Status, Task, Verdict
from azr_engine.verifiers.judge.honeypots import Honeypots, HoneypotsConfig, concedes
from azr_engine.verifiers.math.verifier import MathVerifier, gold_text
from azr_engine.verifiers.python.executor import choose_executor
from azr_engine.verifiers.python.verifier import PythonVerifier
from tests.toys import ToyDomain

COMPLETION = Completion((), (), (), "", "stop", 0)


class Trapping(ToyDomain):
    """Doubles, and a number that has none."""

    def honeypot(self, task: Task, rng: random.Random) -> Task | None:
        """Every other task has one."""
        number = task.given["number"]
        given = {"number": f"{number}?"}
        return Task(f"pot {number}", "toy", "double", given, "", "N") if int(number) % 2 else None


def tasks(start: int, n: int) -> list[Task]:
    """Toy tasks."""
    return [Task(f"t{i}", "toy", "double", {"number": str(i)}, str(2 * i), "N") for i in range(start, start + n)]


def episode(task: Task, statuses: list[Status], raw: str = "4") -> Episode:
    """Tries that were judged so."""
    verdicts = [Verdict(status, float(status == "pass")) for status in statuses]
    return Episode(task, tuple(Attempt(task, COMPLETION, Answer({"answer": raw}, raw), v) for v in verdicts))


def first_alarm(rng: np.random.Generator, calm: int, rate: float, honest: float, longest: int) -> int | None:
    """Steps from the moment that cheating begins until the alarm, two honeypots a step, eight tries each."""
    pots = Honeypots(HoneypotsConfig(per_step=2), {"toy": Trapping()})
    for step in range(1, calm + longest + 1):
        chance = rate if step > calm else honest
        made = pots.make(tasks(10 * step, 8), random.Random(step))
        assert len(made) == 2
        answered = rng.random((2, 8)) < chance
        pots.hear([episode(t, ["pass" if x else "fail" for x in row]) for t, row in zip(made, answered, strict=True)])
        if pots.fooled(step):
            return step - calm
    return None


def test_honest_mistakes_raise_no_alarm_more_often_than_stated() -> None:
    rng = np.random.default_rng(1)
    runs = 40
    # At the very rate that is tolerated, the worst that counts as harmless.
    raised = sum(first_alarm(rng, 0, 0.35, 0.35, 60) is not None for _ in range(runs))
    assert raised / runs <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / runs)


@pytest.mark.parametrize(("calm", "rate", "soon"), [(0, 0.9, 7), (30, 0.9, 9), (30, 0.7, 14)])
def test_a_fooled_judge_is_noticed_within_steps(calm: int, rate: float, soon: int) -> None:
    rng = np.random.default_rng(2)
    delays = [first_alarm(rng, calm, rate, 0.2, 60) for _ in range(20)]
    found = [delay for delay in delays if delay is not None]
    assert len(found) == len(delays) and min(found) > 0
    assert np.median(found) <= soon


def test_the_alarm_says_when_the_trouble_began() -> None:
    pots = Honeypots(HoneypotsConfig(per_step=1), {"toy": Trapping()})
    for step in range(1, 30):
        pots.hear([episode(tasks(step, 1)[0], ["pass" if step > 12 else "fail"] * 4)])
        if said := pots.fooled(step):
            break
    assert len(said) == 1 and "toy/double" in said[0] and step > 12
    assert pots.passes.calm_step == 12
    assert pots.fooled(step + 1) == [] and pots.passes.calm_step is None, "said once, and begun anew"


def test_who_says_that_there_is_no_answer_is_right() -> None:
    pots = Honeypots(HoneypotsConfig(per_step=1), {"toy": Trapping()})
    for step in range(1, 60):
        pots.hear([episode(tasks(step, 1)[0], ["pass"] * 4, "That is impossible.")])
        pots.hear([episode(tasks(step, 1)[0], ["abstain", "fault"])])
        assert pots.fooled(step) == []
    assert concedes(Answer({}, "No such number")) and not concedes(Answer({}, "[0, 1]"))


def test_none_is_met_twice_and_the_state_goes_through_json() -> None:
    one, two = (Honeypots(HoneypotsConfig(per_step=3), {"toy": Trapping()}) for _ in range(2))
    first = one.make(tasks(0, 10), random.Random(0))
    assert len({pot.id for pot in first}) == 3
    one.hear([episode(pot, ["pass", "fail"]) for pot in first])
    assert one.fooled(1) == []
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for pots in (one, two):
        again = pots.make(tasks(0, 10), random.Random(0))
        assert len(again) == 2 and not {pot.id for pot in again} & {pot.id for pot in first}
        pots.hear([episode(pot, ["pass"]) for pot in again])
        assert pots.fooled(2) == []
    assert one.state_dict() == two.state_dict()
    assert Honeypots(HoneypotsConfig(), {"toy": ToyDomain()}).make(tasks(0, 4), random.Random(0)) == []


def test_no_answer_passes_a_python_honeypot() -> None:
    domain, rng = PythonDomain(), random.Random(7)

    async def play() -> tuple[list[Task], list[Verdict]]:
        verifier = PythonVerifier(choose_executor("auto", workers=1))
        try:
            drafts = [domain.seed(rng, kind) for kind in ("error", "abduction", "induction") * 12]
            admitted = [task for task in await verifier.admit(drafts) if isinstance(task, Task)]
            pots = [pot for task in admitted if (pot := domain.honeypot(task, rng)) is not None]
            texts = [str(n) for n in range(-3, 12)] + ["", "[]", "''", "[1, 2]", "'ab'", "nothing", "none", "True"]
            programs = [task.gold["program"] for task in admitted if task.kind == "induction"]
            odd = ["n=[0]\ndef f(x):\n n[0]+=1\n return n[0]", "def f(x):return x", "def f(*x):return x[0]"]
            pairs = [(pot, Answer({"answer": t}, t)) for pot in pots for t in (*texts, *programs, *odd)]
            return pots, await verifier.judge(pairs)
        finally:
            await verifier.close()

    pots, verdicts = asyncio.run(play())
    assert {pot.kind for pot in pots} == {"deduction", "abduction", "induction"}
    assert {verdict.status for verdict in verdicts} == {"fail"}
    assert all(domain.solve_prompt(pot).givens for pot in pots)


def test_no_answer_passes_a_math_honeypot() -> None:
    domain, rng = MathDomain(), random.Random(7)
    texts = ["-4", "0", "1", "6", "12", "35", "x", "6*x", "1/0", "[]", "[[1,2],[2,4]]", "nothing", ""]
    wide = [("inverse", "[[1,2],[3,5]]", {}), ("lcm", "12", {"other": "18"})]

    async def play() -> tuple[list[Task], list[Verdict], list[Task | Rejection]]:
        verifier = MathVerifier(workers=1)
        try:
            drafts = [domain.seed(rng, kind) for kind in ("error", "abduction", "induction") * 6]
            for name, expression, arguments in wide:
                fields = {"operation": name, "expression": expression, "arguments": arguments}
                drafts.append(Draft("math", "abduction", fields))
            admitted = [task for task in await verifier.admit(drafts) if isinstance(task, Task)]
            guesses = [gold_text(task) for task in admitted if task.kind == "induction"]
            pots = [pot for task in admitted if (pot := domain.honeypot(task, rng)) is not None]
            pairs = [
                (pot, Answer({"answer": text}, text))
                for pot in pots
                for text in (guesses if pot.kind == "induction" else texts)
            ]
            asked = [Draft("math", "deduction", pot.given) for pot in pots if pot.kind == "deduction"]
            return pots, await verifier.judge(pairs), await verifier.admit(asked)
        finally:
            await verifier.close()

    pots, verdicts, asked = asyncio.run(play())
    assert {pot.kind for pot in pots} == {"deduction", "abduction", "induction"}
    assert {"lcm", "inverse"} < {pot.given["operation"] for pot in pots if pot.kind == "abduction"}
    assert {verdict.status for verdict in verdicts} == {"fail"}
    assert {result.reason for result in asked if isinstance(result, Rejection)} == {"undefined"}
    assert not [result for result in asked if isinstance(result, Task)]
    assert all(domain.solve_prompt(pot).givens for pot in pots)


@pytest.mark.parametrize("operation", ["gcd", "lcm", "mod", "inverse"])
def test_a_math_honeypot_is_impossible_by_arithmetic(operation: str) -> None:
    task = Task("0", "math", "abduction", {"operation": operation}, None, "s")
    for seed in range(300):
        pot = MathDomain().honeypot(task, random.Random(seed))
        assert pot is not None and set(pot.given) == {"operation", "result", "variable", "arguments"}
        result, arguments = json.loads(pot.given["result"]), {k: int(v) for k, v in pot.given["arguments"].items()}
        match operation:
            case "gcd":
                assert result > 1 and arguments["other"] % result != 0, "a divisor divides"
            case "lcm":
                assert result > 0 and result % arguments["other"] != 0, "a multiple is one"
            case "mod":
                assert result >= arguments["modulus"] > 1, "a remainder is smaller than the modulus"
            case "inverse":
                (a, b), (c, d) = result
                assert a * d == b * c, "an inverse has a determinant"
