"""What each stage does with good text, bad text, duplicates, refusals and broken verifiers."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from azr_engine.curriculum.novelty import NoveltyConfig, NoveltyGate
from azr_engine.engine.proposing import Proposer
from azr_engine.engine.sampling import Sampling
from azr_engine.engine.session import cells_of
from azr_engine.engine.solving import Solver
from azr_engine.engine.sources import Quantilizer
from azr_engine.engine.store import TaskStore
from azr_engine.engine.styles import STYLES
from azr_engine.engine.types import Draft, Episode, Malformed, Proposal, Refusal, Rejection, Task
from tests.toys import Reciter, ToyDomain, ToyVerifier

SAMPLING = Sampling(propose_tokens=8, solve_tokens=8, temperature=1.0, n_attempts=4, n_references=2)
Events = list[tuple[str, Mapping[str, Any]]]


def admit(
    tmp_path: Path,
    texts: Sequence[str],
    verifier: ToyVerifier,
    *,
    screen: Any = lambda draft: None,
    reserved: Any = (),
    quota: int = 0,
) -> tuple[list[Proposal], Events]:
    events: Events = []
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        proposer = Proposer(
            {"toy": ToyDomain()},
            {"toy": verifier},
            Reciter(texts),
            STYLES["compact"],
            store,
            SAMPLING,
            novelty=NoveltyGate(NoveltyConfig(quota=quota)),
            screen=screen,
            reserved=reserved,
            log=lambda name, data: events.append((name, data)),
        )
        proposed = proposer.propose({("toy", "double"): len(texts)}, random.Random(0), 1)
        return asyncio.run(proposer.admit(proposed, step=7)), events


def solve(texts: Sequence[str], verifier: ToyVerifier, n_tasks: int = 1) -> tuple[list[Episode], Events, Reciter]:
    events: Events = []
    policy = Reciter(texts)
    tasks = [
        task
        for task in asyncio.run(
            ToyVerifier().admit([Draft("toy", "double", {"number": str(n)}) for n in range(n_tasks)])
        )
        if isinstance(task, Task)
    ]
    solver = Solver(
        {"toy": ToyDomain()},
        {"toy": verifier},
        policy,
        STYLES["compact"],
        SAMPLING,
        lambda name, data: events.append((name, data)),
    )
    return asyncio.run(solver.judge(solver.solve(tasks, 1))), events, policy


def test_each_proposal_gets_its_own_outcome(tmp_path: Path) -> None:
    proposals, _ = admit(tmp_path, ["12", "x@answer:", "pear", "12", "7"], ToyVerifier())
    first, forged, pear, again, seven = (p.outcome for p in proposals)
    assert isinstance(first, Task)
    assert first.gold == "24"
    assert first.born_step == 7
    assert isinstance(forged, Malformed)
    assert pear == Rejection("syntax")
    assert again == Rejection("duplicate")
    assert isinstance(seven, Task)


def test_a_broken_verifier_is_a_fault_with_its_traceback_and_stops_nothing(tmp_path: Path) -> None:
    proposals, events = admit(tmp_path, ["12", "13"], ToyVerifier(n_failures=1))
    assert all(isinstance(p.outcome, Rejection) and p.outcome.fault for p in proposals)
    assert "the toy broke" in events[0][1]["traceback"]


def test_a_screen_keeps_a_draft_from_the_verifier(tmp_path: Path) -> None:
    def screen(draft: Draft) -> Refusal | None:
        return Refusal("unlucky") if draft.fields["number"] == "13" else None

    proposals, _ = admit(tmp_path, ["12", "13"], ToyVerifier(), screen=screen)
    assert isinstance(proposals[0].outcome, Task)
    assert proposals[1].outcome == Rejection("refused", "unlucky")


def test_reserved_tasks_are_never_admitted(tmp_path: Path) -> None:
    (proposal,), _ = admit(tmp_path, ["12"], ToyVerifier())
    assert isinstance(proposal.outcome, Task)
    (tmp_path / "other").mkdir()
    (again,), _ = admit(tmp_path / "other", ["12"], ToyVerifier(), reserved={proposal.outcome.id})
    assert again.outcome == Rejection("duplicate")


def test_a_skeleton_over_its_quota_is_a_near_duplicate(tmp_path: Path) -> None:
    proposals, _ = admit(tmp_path, ["1", "2", "2", "3"], ToyVerifier(), quota=2)
    reasons = [p.outcome.reason if isinstance(p.outcome, Rejection) else "" for p in proposals]
    assert reasons == ["", "", "duplicate", "near_duplicate"]


def test_right_wrong_and_malformed_answers() -> None:
    (episode,), _, _ = solve(["0", "5", "", "0@x:1"], ToyVerifier())
    assert [a.verdict.status for a in episode.attempts] == ["pass", "fail", "fail", "fail"]
    assert isinstance(episode.attempts[2].answer, Malformed)
    assert episode.solve_rate == 0.25


def test_one_failure_of_the_verifier_is_retried_and_two_are_masked() -> None:
    (episode,), events, _ = solve(["0"], ToyVerifier(n_failures=1))
    assert episode.solve_rate == 1.0
    assert len(events) == 1
    (episode,), events, _ = solve(["0"], ToyVerifier(n_failures=2))
    assert episode.solve_rate is None
    assert {a.verdict.status for a in episode.attempts} == {"fault"}
    assert len(events) == 2


@pytest.mark.parametrize(("nature", "n_calls"), [("deterministic", 1), ("sampled", 4)])
def test_equal_answers_are_judged_once_only_where_that_is_sound(nature: Any, n_calls: int) -> None:
    verifier = ToyVerifier(nature=nature)
    solve(["0"], verifier)
    assert len(verifier.judged) == n_calls


def test_the_solver_is_asked_without_gold() -> None:
    _, _, policy = solve(["0"], ToyVerifier(), n_tasks=300)
    for number, prompt in enumerate(policy.asked):
        assert prompt == f"@solve@toy@double@number:{number}@answer:"


def test_a_quantilizer_keeps_the_most_promising_part_of_what_it_proposes(tmp_path: Path) -> None:
    gate = NoveltyGate(NoveltyConfig(quota=0))
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        proposer = Quantilizer(
            0.5,
            domains={"toy": ToyDomain()},
            verifiers={"toy": LengthVerifier()},
            policy=Reciter(["1", "22", "3", "x", "44", "5"]),
            style=STYLES["compact"],
            store=store,
            sampling=SAMPLING,
            novelty=gate,
            screen=lambda draft: None,
            reserved=(),
            log=lambda name, data: None,
        )
        solved = Task("old", "toy", "double", {}, "", "1 digits")
        gate.note(solved)
        gate.score(solved, 40.0, 40)
        proposed = proposer.propose({("toy", "double"): 3}, random.Random(0), 1)
        settled = asyncio.run(proposer.admit(proposed, step=1))
    assert not proposer.learns
    outcomes = [p.outcome.gold if isinstance(p.outcome, Task) else p.outcome.reason for p in settled if p.outcome]
    # Six are proposed for three; of five tasks three stay: both of the untried structure and the first of the solved.
    assert outcomes == ["2", "44", "outranked", "syntax", "88", "outranked"]


class LengthVerifier(ToyVerifier):
    """Numbers of as many digits have one structure."""

    def _admit(self, draft: Draft) -> Task | Rejection:
        outcome = super()._admit(draft)
        digits = len(str(draft.fields["number"]))
        return dataclasses.replace(outcome, skeleton=f"{digits} digits") if isinstance(outcome, Task) else outcome


def test_a_model_plays_the_kinds_it_knows_and_all_of_a_domain_it_says_nothing_about() -> None:
    toy = ToyDomain()
    toy.kinds = ("double", "halve")
    everything = [("toy", "double"), ("toy", "halve")]
    assert cells_of({"toy": toy}, {}) == cells_of({"toy": toy}, {"kinds": {"other": ["x"]}}) == everything
    assert cells_of({"toy": toy}, {"kinds": {"toy": ["halve"]}}) == [("toy", "halve")]


def test_anchors_come_fresh_from_the_seeds_of_the_kinds_that_are_planned(tmp_path: Path) -> None:
    plan = {("toy", "double"): 3}
    with TaskStore(tmp_path / "tasks.sqlite") as store:
        proposer = Proposer(
            {"toy": ToyDomain()},
            {"toy": ToyVerifier()},
            Reciter([]),
            STYLES["compact"],
            store,
            SAMPLING,
            novelty=NoveltyGate(NoveltyConfig(quota=4)),
            screen=lambda draft: None,
            reserved=(),
            log=lambda name, data: None,
        )
        first, second = (asyncio.run(proposer.anchors(plan, random.Random(seed), 7)) for seed in (1, 2))
    tasks = [task for task in (*first, *second) if isinstance(task, Task)]
    assert len(tasks) == 4, "they pass the gate, whose quota is 4 of a skeleton"
    assert {(task.domain, task.kind, task.born_step) for task in tasks} == {("toy", "double", 7)}
    assert {task.id for task in first if isinstance(task, Task)} != {
        task.id for task in second if isinstance(task, Task)
    }
