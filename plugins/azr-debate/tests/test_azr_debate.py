"""Debates over a real connection to scripted models: a careful judge earns trust, one that likes a place never does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azr_debate import Chain, DebateJudge, chat, on_probation
from azr_debate.judge import NO_RIVAL, read_pick, rivals

from azr_engine.engine.config import load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.protocols import Verifier
from azr_engine.engine.types import Answer, Draft, Task
from azr_engine.verifiers.judge.llm import Chat, Messages


class Careful:
    """Argues by naming its answer; as the judge, works the chain out and picks the side that has the result."""

    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        return [self.reply(*(message["content"] for message in conversation)) for conversation in conversations]

    def reply(self, system: str, text: str) -> str:
        found = re.findall(r"^(\w[\w ]*)\n(=== \w+ ===)\n(.*?)\n\2", text, re.DOTALL | re.MULTILINE)
        quoted = {name: quote for name, _, quote in found}
        if "You judge" not in system:
            return f"It is {quoted['Your side'][:20]}"
        assert all(quoted[f"Argument for {side}"] == f"It is {quoted[f'Answer {side}'][:20]}" for side in "AB")
        picked = self.pick(text.partition("\n\nAnswer A")[0], {side: quoted[f"Answer {side}"] for side in "AB"})
        return "I looked.\n" + json.dumps({"pick": picked})

    def pick(self, task: str, sides: dict[str, str]) -> str:
        program, number = re.search(r"program:\n(\S+)", task), re.search(r"input:\n(\S+)", task)
        assert program and number
        result = Chain().run(program[1], number[1])
        return next((side for side, answer in sides.items() if answer.strip() == result), "none")


class LikesTheFirst(Careful):
    """Picks whoever stands first."""

    def pick(self, task: str, sides: dict[str, str]) -> str:
        return "A"


class Server(BaseHTTPRequestHandler):
    """The careful model behind OpenAI's protocol."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = Careful().reply(*(message["content"] for message in asked["messages"]))
        body = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing on the terminal."""


async def right_and_wrong(verifier: Verifier) -> list[tuple[Task, Answer]]:
    (task,) = await verifier.admit([Draft("debate", "deduction", {"program": "x+3*2", "input": "5"})])
    assert isinstance(task, Task)
    return [(task, Answer({"answer": text}, text)) for text in ("16", "11", "26")]


def last_statuses(model: Chat, n_batches: int) -> list[str]:
    """Verdicts on a right and two wrong answers in the last of some batches."""

    async def ask() -> list[str]:
        verifier = on_probation(model, load_config())
        try:
            pairs = await right_and_wrong(verifier)
            for _ in range(n_batches):
                verdicts = await verifier.judge(pairs * 8)
        finally:
            await verifier.close()
        return [verdict.status for verdict in verdicts[:3]]

    return asyncio.run(ask())


def test_a_careful_judge_is_heard_once_audits_have_shown_it() -> None:
    assert last_statuses(Careful(), 1) == ["abstain"] * 3
    assert last_statuses(Careful(), 8) == ["pass", "fail", "fail"]


def test_a_judge_that_likes_a_place_moves_no_reward() -> None:
    assert last_statuses(LikesTheFirst(), 8) == ["abstain"] * 3


def test_a_debate_is_held_over_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AZR_DEBATE_URL", f"http://127.0.0.1:{server.server_port}/v1")

    async def votes() -> list[bool | None]:
        verifier = on_probation(chat(), load_config())
        try:
            pairs = await right_and_wrong(verifier)
            return [vote.accept for vote in await DebateJudge(chat(), chat(), Chain().solve_prompt).vote(pairs, 0)]
        finally:
            await verifier.close()

    assert asyncio.run(votes()) == [True, False, False]
    server.shutdown()
    server.server_close()


def test_without_a_model_one_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZR_DEBATE_URL", raising=False)
    with pytest.raises(UserError, match="AZR_DEBATE_MODEL"):
        last_statuses(chat(), 1)


def test_an_answer_meets_another_answer_to_its_task() -> None:
    a, b = (Task(name * 16, "debate", "deduction", {}, None, "s") for name in "ab")
    pairs = [(a, "1"), (b, "1"), (a, "2"), (a, "1"), (a, "3")]
    assert rivals([(task, Answer({}, text)) for task, text in pairs]) == ["2", NO_RIVAL, "3", "2", "1"]


@pytest.mark.parametrize(
    ("reply", "accept"),
    [
        ('So.\n{"pick": "A"}', True),
        ('{"pick": "B"}', False),
        ('{"pick": "none"}', False),
        ('{"pick": null}', None),
        ('{"pick": "A", "because": "x"}', None),
        ('{"pick": ["A"]}', None),
        ('{"pick": "A"}\nAnswer A it is.', None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_only_a_clear_pick_is_heard(reply: str, accept: bool | None) -> None:
    assert read_pick(reply, "A").accept is accept
