"""Reward functions of all sorts, and the README's plugin under the conformance kit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azr_trl import RewardVerifier, RowsDomain

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.plugins.conformance import check_plugin

ROWS = [{"prompt": f"Say {word}.", "solution": word} for word in ("one", "two", "three")]
CHAT = [{"prompt": [{"role": "user", "content": "Say one."}], "solution": "one"}]


def exact(prompts: list[Any], completions: list[Any], solution: list[str], **others: Any) -> list[float]:
    return [float(text == right) for text, right in zip(completions, solution, strict=True)]


def statuses(rows: list[dict[str, Any]], reward: Callable[..., Any], *texts: str, **options: Any) -> list[str]:
    """Verdicts on texts as answers to the first row."""
    domain = RowsDomain("rows", rows)
    verifier = RewardVerifier(domain, reward, **options)

    async def ask() -> list[str]:
        (task,) = await verifier.admit([Draft("rows", "question", {"row": 0})])
        assert isinstance(task, Task)
        return [v.status for v in await verifier.judge([(task, Answer({"answer": text}, text)) for text in texts])]

    return asyncio.run(ask())


def test_columns_come_by_name_and_rewards_decide() -> None:
    assert statuses(ROWS, exact, "one", "two") == ["pass", "fail"]


def test_an_asynchronous_function_is_awaited() -> None:
    async def later(completions: list[str], **others: Any) -> list[float]:
        await asyncio.sleep(0)
        return [float(len(text)) for text in completions]

    assert statuses(ROWS, later, "ab", "abcd", passing=3.0) == ["fail", "pass"]


def test_messages_are_answered_by_messages() -> None:
    def reward(completions: list[Any], **others: Any) -> list[float]:
        return [float(messages == [{"role": "assistant", "content": "one"}]) for messages in completions]

    assert statuses(CHAT, reward, "one", "two") == ["pass", "fail"]


def test_none_abstains_and_what_is_not_finite_is_a_fault() -> None:
    def reward(completions: list[str], **others: Any) -> list[Any]:
        return [{"none": None, "nan": float("nan")}.get(text, 1.0) for text in completions]

    assert statuses(ROWS, reward, "none", "nan", "x") == ["abstain", "fault", "pass"]


def test_only_the_answer_that_makes_it_raise_fails() -> None:
    def reward(completions: list[str], **others: Any) -> list[float]:
        return [1.0 if int(text) else 0.0 for text in completions]

    assert statuses(ROWS, reward, "1", "x", "0", "2") == ["pass", "fail", "fail", "pass"]


def test_a_service_that_is_down_is_a_fault() -> None:
    def reward(completions: list[str], **others: Any) -> list[float]:
        raise ConnectionError("down")

    assert statuses(ROWS, reward, "one") == ["fault"]


def test_what_cannot_be_called_is_refused_at_start() -> None:
    def needs_ids(completions: list[str], completion_ids: list[list[int]], **others: Any) -> list[float]:
        return []

    with pytest.raises(UserError, match="completion_ids"):
        RewardVerifier(RowsDomain("rows", ROWS), needs_ids)
    with pytest.raises(UserError, match="need a column 'prompt'"):
        RowsDomain("rows", [{"question": "?"}])


def test_a_task_of_other_rows_is_a_fault() -> None:
    verifier = RewardVerifier(RowsDomain("rows", ROWS), exact)
    task = Task("0" * 16, "rows", "question", {"question": "Say four."}, {"row": 0}, "s")
    (verdict,) = asyncio.run(verifier.judge([(task, Answer({"answer": "one"}, "one"))]))
    assert verdict.status == "fault"


def test_reward_functions_of_trl_itself() -> None:
    rewards = pytest.importorskip("trl.rewards", reason="trl is not installed")
    thought = ("<think>\nbecause\n</think>\none", "one")
    assert statuses(CHAT, rewards.think_format_reward, *thought) == ["pass", "fail"]
    rows = [{"prompt": [{"role": "user", "content": "What is 1/2+1/4?"}], "solution": r"$\frac{3}{4}$"}]
    assert statuses(rows, rewards.accuracy_reward, r"\boxed{3/4}", r"\boxed{1}") == ["pass", "fail"]


def test_the_plugin_of_the_readme_conforms(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    file = tmp_path / "capitals.py"
    file.write_text(code, encoding="utf-8")
    report = check_plugin(str(file))
    assert report.domains
    assert report.passed, "\n".join(report.lines())
