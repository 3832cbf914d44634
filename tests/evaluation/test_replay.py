"""Judging a run's recorded answers again: no flips by the same verifier, the right ones by another."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.config import RunConfig, load_config, to_toml
from azr_engine.engine.rewards import LEARNABILITY, RANDOM, RewardRule
from azr_engine.engine.rundir import RunDirectory
from azr_engine.engine.scoring import reward
from azr_engine.engine.store import TaskStore
from azr_engine.engine.types import (
    Answer,
    Attempt,
    Completion,
    Draft,
    Episode,
    Malformed,
    Proposal,
    Rejection,
    Task,
    Verdict,
)
from azr_engine.evaluation.replay import Flip, Replayer
from tests.conftest import Command
from tests.toys import ToyVerifier

WROTE = Completion((1,), (2,), (-0.5,), "text", "stop", 0)
PLUGIN = """
from azr_engine.plugins import hookimpl
from azr_engine.engine.types import Verdict
from tests.toys import ToyDomain, ToyVerifier

class Lenient(ToyVerifier):
    name = "lenient"
    async def judge(self, pairs):
        return [Verdict("pass", 1.0, "kind") for _ in pairs]

@hookimpl
def azr_domains(config):
    return [ToyDomain()]

@hookimpl
def azr_verifiers(config):
    return [ToyVerifier(), Lenient()]
"""


class Lenient(ToyVerifier):
    async def judge(self, pairs: Sequence[tuple[Task, Answer]]) -> list[Verdict]:
        return [Verdict("pass", 1.0, "kind")] * len(pairs)


def task(number: int) -> Task:
    (found,) = asyncio.run(ToyVerifier().admit([Draft("toy", "double", {"number": str(number)})]))
    assert isinstance(found, Task)
    return found


def episode(number: int, answers: Sequence[str | None]) -> Episode:
    own = task(number)
    attempts = []
    for text in answers:
        answer: Answer | Malformed = Malformed("empty", "") if text is None else Answer({"answer": text}, text)
        right = text == own.gold
        verdict = Verdict("pass", 1.0) if right else Verdict("fail", 0.0, "wrong")
        attempts.append(Attempt(own, WROTE, answer, verdict))
    return Episode(own, tuple(attempts))


def record(path: Path, rule: RewardRule, config: RunConfig) -> None:
    """Two steps: in each a task that half of the tries solve, one that none does, one that cannot be read."""
    from azr_engine.engine.randomness import derived_rng

    with TaskStore(path) as store:
        for step in (1, 2):
            episodes = [
                episode(10 * step + 1, [str(20 * step + 2)] * 2 + ["7"] * 2),
                episode(10 * step + 2, ["7"] * 4),
                episode(10 * step + 3, ["7", "7", None, None]),
            ]
            proposals = [Proposal("toy", "double", WROTE, outcome=e.task) for e in episodes]
            proposals += [Proposal("toy", "double", WROTE, outcome=Rejection("syntax"))]
            rng = derived_rng(config.seed, step, "reward")
            proposals, episodes = reward(proposals, episodes, rule, rng)
            store.commit_step(step, [e.task for e in episodes], proposals, [a for e in episodes for a in e.attempts])


def replayed(
    path: Path, config: RunConfig, rule: RewardRule, verifier: ToyVerifier
) -> tuple[dict[str, Any], list[Flip]]:
    with TaskStore(path, read_only=True) as store:
        replayer = Replayer(store, config, rule, {"toy": verifier})
        flips = [flip for step in (1, 2) for flip in asyncio.run(replayer.step(step))]
        return replayer.found.to_json(), flips


@pytest.fixture
def config() -> RunConfig:
    return load_config(None, ["play.attempts=4", "play.advantage='dr-grpo'"], {"domains": ["toy"], "seed": 3})


@pytest.mark.parametrize("rule", [LEARNABILITY, RANDOM], ids=lambda rule: rule.name)
def test_the_same_verifier_flips_nothing(tmp_path: Path, config: RunConfig, rule: RewardRule) -> None:
    record(tmp_path / "tasks.sqlite", rule, config)
    found, flips = replayed(tmp_path / "tasks.sqlite", config, rule, ToyVerifier())
    assert flips == [] and found["flipped"] == found["advantages"]["moved"] == found["proposals_repaid"] == 0
    assert found["tries"] == 24 and found["asked"] == 20
    assert found["by_kind"] == {"toy/double": {"fail>fail": 20, "pass>pass": 4}}


def test_a_lenient_verifier_flips_what_was_wrong_and_moves_the_advantages(tmp_path: Path, config: RunConfig) -> None:
    record(tmp_path / "tasks.sqlite", LEARNABILITY, config)
    found, flips = replayed(tmp_path / "tasks.sqlite", config, LEARNABILITY, Lenient())
    assert found["flipped"] == len(flips) == 16
    assert found["by_kind"] == {"toy/double": {"fail>fail": 4, "fail>pass": 16, "pass>pass": 4}}
    # dr-grpo: reward minus the group's mean. Before: +-0.5 in the half-solved group, 0 in the others.
    # After: 0 where all pass, +-0.5 where two passed and two could not be read.
    first, unread = flips[0], [flip for flip in flips if flip.step == 1][-1]
    assert (first.before["advantage"], first.after["advantage"]) == (-0.5, 0.0)
    assert (first.before["status"], first.after["status"], first.after["reason"]) == ("fail", "pass", "kind")
    assert (unread.before["advantage"], unread.after["advantage"]) == (0.0, 0.5)
    assert found["advantages"] == {
        "moved": 16, "turned": 0, "mean_shift": 16 * 0.5 / 24, "groups_before": 2, "groups_after": 2,
    }  # fmt: skip
    # Learnability of 2 in 4 became that of 4 in 4, and that of 0 in 4 became that of 2 in 4.
    assert found["proposals_repaid"] == 4


def test_a_verifier_that_breaks_is_a_fault_and_masks(tmp_path: Path, config: RunConfig) -> None:
    record(tmp_path / "tasks.sqlite", LEARNABILITY, config)
    found, flips = replayed(tmp_path / "tasks.sqlite", config, LEARNABILITY, ToyVerifier(n_failures=99))
    assert {flip.after["status"] for flip in flips} == {"fault"} and len(flips) == found["asked"] == 20
    assert {flip.after["reward"] for flip in flips} == {None}


def test_the_command_takes_a_plugins_verifier(azr: Command, tmp_path: Path, config: RunConfig) -> None:
    plugin = tmp_path / "lenient.py"
    plugin.write_text(PLUGIN)
    with RunDirectory.create(tmp_path / "run") as run:
        run.write_config(to_toml(config.model_copy(update={"plugins": (str(plugin),)})))
        record(run.tasks_path, LEARNABILITY, config)
    out = tmp_path / "flips.jsonl"
    done = azr(["replay", str(tmp_path / "run"), "--verifier", "lenient", "--show", "3", "--out", str(out), "--json"])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verifiers"] == {"toy": "lenient"} and found["flipped"] == 16 and len(found["flips"]) == 3
    assert len(out.read_text().splitlines()) == 16
    shown = azr(["replay", str(tmp_path / "run"), "--verifier", "lenient", "--steps", "2:2"])
    assert "8 of 12 verdicts flip" in shown.stdout.replace("\n", " ")
    wrong = azr(["replay", str(tmp_path / "run"), "--verifier", "nobody"])
    assert wrong.returncode == 2 and "nobody" in wrong.stderr and wrong.stderr.count("\n") == 1


def test_hostile_answers_are_shown_as_text(azr: Command, tmp_path: Path, config: RunConfig) -> None:
    plugin = tmp_path / "lenient.py"
    plugin.write_text(PLUGIN)
    with RunDirectory.create(tmp_path / "run") as run:
        run.write_config(to_toml(config.model_copy(update={"plugins": (str(plugin),)})))
        own = episode(5, ["\x1b[2J[bold]\u202e"])
        with TaskStore(run.tasks_path) as store:
            store.commit_step(1, [own.task], (), [dataclasses.replace(own.attempts[0], reward=0.0)])
    shown = azr(["replay", str(tmp_path / "run"), "--verifier", "lenient"]).stdout
    assert "\x1b[2J" not in shown and "\u202e" not in shown and "[bold]" in shown
