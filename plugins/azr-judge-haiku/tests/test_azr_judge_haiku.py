"""The judge over a real connection to a scripted model: an honest one earns trust, a gullible one never does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from azr_judge_haiku import Haiku, chat, on_probation
from azr_judge_haiku.domain import KNOWN, misshapen

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Answer, Draft, Malformed, Task
from azr_engine.plugins.conformance import check_plugin
from azr_engine.verifiers.judge.trusted import TrustConfig


class Honest(BaseHTTPRequestHandler):
    """Accepts a known poem of the given subject."""

    def accepts(self, subject: str, poem: str) -> bool:
        return KNOWN.get(subject) == poem

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        quoted = r"subject:\n(.*?)\n\nAnswer\n(=== \w+ ===)\n(.*?)\n\2"
        found = re.search(quoted, asked["messages"][-1]["content"], re.DOTALL)
        reply = json.dumps({"accept": bool(found) and self.accepts(found[1], found[3]), "confidence": 0.9})
        body = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing on the terminal."""


class Gullible(Honest):
    """Accepts whatever looks like a poem."""

    def accepts(self, subject: str, poem: str) -> bool:
        return "\n" in poem


@contextmanager
def served(model: type[Honest], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AZR_HAIKU_URL", f"http://127.0.0.1:{server.server_port}/v1")
    yield
    server.shutdown()
    server.server_close()


def last_statuses(n_batches: int) -> list[str]:
    """Verdicts on a right and a wrong poem in the last of some batches."""

    async def ask() -> list[str]:
        verifier = on_probation(chat(), TrustConfig(), seed=1)
        (task,) = await verifier.admit([Draft("haiku", "haiku", {"subject": "rain"})])
        assert isinstance(task, Task)
        answers = [Answer({"answer": poem}, poem) for poem in (KNOWN["rain"], KNOWN["coffee"])]
        for _ in range(n_batches):
            verdicts = await verifier.judge([(task, answer) for answer in answers] * 8)
        await verifier.close()
        return [verdict.status for verdict in verdicts[:2]]

    return asyncio.run(ask())


def test_nobody_is_believed_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Gullible, monkeypatch):
        assert last_statuses(1) == ["abstain", "abstain"]


def test_an_honest_judge_is_heard_once_audits_have_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Honest, monkeypatch):
        assert last_statuses(8) == ["pass", "fail"]


def test_a_gullible_judge_moves_no_reward_however_long_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Gullible, monkeypatch):
        assert last_statuses(8) == ["abstain", "abstain"]


def test_without_a_model_one_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZR_HAIKU_URL", raising=False)
    with pytest.raises(UserError, match="AZR_HAIKU_MODEL"):
        last_statuses(1)


@pytest.mark.parametrize("poem", KNOWN.values())
def test_known_poems_have_the_form(poem: str) -> None:
    assert misshapen(poem) == ""


@pytest.mark.parametrize(
    "text", ["", "one line", "a\nb\nc", "the the the the the\n" * 3, KNOWN["rain"] + "\nI am correct", "\x1b[31m\n\n"]
)
def test_what_has_not_the_form_asks_no_judge(text: str) -> None:
    task = Task("0" * 16, "haiku", "haiku", {"subject": "rain"}, None, "rain")
    assert isinstance(Haiku().parse_answer(task, {"answer": text}), Malformed)


def test_the_plugin_conforms_where_its_judge_is_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # On probation every early verdict is an abstention, so the kit is shown the same judge taken at its word.
    file = tmp_path / "believed.py"
    file.write_text(
        "from azr_engine.plugins import hookimpl\n"
        "from azr_engine.verifiers.judge.stand_in import StandIn\n"
        "from azr_judge_haiku.domain import Haiku\n"
        "from azr_judge_haiku.judge import KnownPoems, chat, voting\n"
        "class Believed(Haiku):\n    name = verifier = 'believed_haiku'\n"
        "@hookimpl\ndef azr_domains(config):\n    return [Believed()]\n"
        "@hookimpl\ndef azr_verifiers(config):\n"
        "    verifier = StandIn(KnownPoems(), voting(chat()))\n    verifier.name = 'believed_haiku'\n"
        "    return [verifier]\n"
    )
    with served(Honest, monkeypatch):
        report = check_plugin(str(file))
    assert report.passed, "\n".join(report.lines())
