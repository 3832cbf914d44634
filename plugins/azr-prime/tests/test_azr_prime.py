"""Against the installed `verifiers`: its tasksets as domains, our domains as its tasksets."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import verifiers.v1 as vf
from azr_prime import AzrTaskset, TasksetDomain, TasksetVerifier
from azr_prime.exporting import AzrConfig
from azr_prime.importing import _score
from verifiers.v1.utils.loaders import load_taskset, taskset_class

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.plugins.conformance import check_plugin


class WordData(vf.TaskData):
    word: str


class WordTask(vf.Task[WordData]):
    @vf.reward(weight=0.5)
    async def right(self, trace: vf.Trace) -> float:
        return float(trace.last_reply == self.data.word)

    @vf.reward(weight=0.5)
    async def short(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply) < 10)


class Words(vf.Taskset[WordTask, vf.TasksetConfig]):
    INFINITE = True

    def load(self) -> Iterator[WordTask]:
        for number in range(10**9):
            yield WordTask(WordData(prompt=f"Say w{number}.", system_prompt="Be short.", word=f"w{number}"))


class NeedsRuntime(WordTask):
    @vf.reward
    async def looks(self, runtime: vf.Runtime) -> float:
        return 1.0


class Boxed(Words):
    INFINITE = False

    def load(self) -> Iterator[WordTask]:
        yield NeedsRuntime(WordData(prompt="Say it.", word="it"))


def test_rewards_add_up_to_verdicts() -> None:
    domain = TasksetDomain("words", Words(vf.TasksetConfig()), most=5, answer="word")
    verifier = TasksetVerifier(domain)

    async def ask() -> list[tuple[str, str]]:
        (task,) = await verifier.admit([Draft("words", "question", {"row": 3})])
        assert isinstance(task, Task)
        assert task.given == {"question": "Be short.\n\nSay w3."}
        assert domain.known_answers(task) == [("w3", True)]
        texts = ("w3", "w4", "w3 and much more")
        return [(v.status, v.reason) for v in await verifier.judge([(task, Answer({"answer": t}, t)) for t in texts])]

    assert asyncio.run(ask()) == [("pass", ""), ("fail", "reward 0.5"), ("fail", "reward 0")]


def test_tasks_that_one_reply_cannot_answer_are_refused() -> None:
    with pytest.raises(UserError, match="'looks', which looks into a runtime"):
        TasksetDomain("boxed", Boxed(vf.TasksetConfig()))


def test_verifiers_finds_the_taskset_and_its_settings() -> None:
    assert taskset_class("azr-prime") is AzrTaskset
    taskset = load_taskset(AzrConfig(id="azr-prime", domain="python", n_tasks=4, seed=1))
    tasks = list(taskset)
    assert len({task.key for task in tasks}) == 4
    assert [task.data.azr_task for task in tasks] == [task.data.azr_task for task in taskset]


def test_a_domain_is_scored_by_its_verifier_from_within_an_event_loop() -> None:
    async def scores() -> list[float]:
        taskset = AzrTaskset(AzrConfig(domain="python", n_tasks=12, seed=1))
        task = next(t for t in taskset if json.loads(t.data.azr_task)["kind"] == "deduction")
        assert json.loads(task.data.azr_task)["gold"] is not None
        gold = json.loads(task.data.azr_task)["gold"]
        replies = (f"<think>So.</think><answer>{gold}</answer>", "<answer>'no such value'</answer>", "")
        return list(await asyncio.gather(*(_score(task, reply) for reply in replies)))

    assert asyncio.run(scores()) == [1.0, 0.0, 0.0]


def test_what_cannot_be_judged_is_an_error_and_no_zero() -> None:
    async def score() -> float:
        task = next(iter(AzrTaskset(AzrConfig(domain="python", n_tasks=1, seed=1))))
        spoiled = json.dumps({**json.loads(task.data.azr_task), "gold": None, "kind": "deduction"})
        return await _score(task.with_data(azr_task=spoiled), "<answer>1</answer>")

    with pytest.raises(vf.TaskError):
        asyncio.run(score())


def test_the_plugin_of_the_readme_conforms(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    file = tmp_path / "capitals.py"
    file.write_text(code, encoding="utf-8")
    report = check_plugin(str(file))
    assert report.domains
    assert report.passed, "\n".join(report.lines())
