"""The built-in Python domain as rows and a reward function."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from azr_trl import VerifierReward

from azr_engine.engine.errors import UserError


@pytest.fixture(scope="module")
def reward() -> Iterator[VerifierReward]:
    reward = VerifierReward("python")
    yield reward
    reward.close()


def test_rows_are_messages_and_tasks_and_show_no_gold(reward: VerifierReward) -> None:
    rows = reward.rows(12, seed=1)
    assert len({json.loads(row["task"])["id"] for row in rows}) == 12
    assert all(message["role"] in ("user", "assistant") for row in rows for message in row["prompt"])
    assert rows == reward.rows(12, seed=1)


def test_verdicts_are_rewards(reward: VerifierReward) -> None:
    rows = [row for row in reward.rows(12, seed=1) if json.loads(row["task"])["kind"] == "deduction"]
    row, gold = rows[0], json.loads(rows[0]["task"])["gold"]
    texts = [f"<think>So.</think><answer>{gold}</answer>", "<answer>'no such value'</answer>", gold, ""]
    completions = [[{"role": "assistant", "content": text}] for text in texts]
    rewards = reward([row["prompt"]] * 4, completions, task=[row["task"]] * 4, completion_ids=[])
    assert rewards == [1.0, 0.0, 0.0, 0.0]
    assert reward([row["prompt"]], texts[:1], task=[row["task"]]) == [1.0]


def test_a_task_that_lacks_its_gold_has_no_reward(reward: VerifierReward) -> None:
    (row,) = [row for row in reward.rows(12, seed=1) if json.loads(row["task"])["kind"] == "deduction"][:1]
    task = json.dumps({**json.loads(row["task"]), "gold": None})
    assert reward([row["prompt"]], ["<answer>1</answer>"], task=[task]) == [None]


def test_an_unknown_domain_is_an_error() -> None:
    with pytest.raises(UserError, match="no plugin brings a domain 'astrology'"):
        VerifierReward("astrology")
