"""Plugins by file: what they bring, and the rule of each hook when they misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azr_engine.engine.config import load_config
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Alarm, Draft, Drop, Episode, Event, Refusal, Task
from azr_engine.plugins.manager import Plugins

DRAFT = Draft("toy", "double", {"number": "1"})
EPISODE = Episode(Task("a", "toy", "double", {}, None, "s"), ())


def plugin(tmp_path: Path, body: str, name: str = "mine") -> str:
    file = tmp_path / f"{name}.py"
    file.write_text(
        "from azr_engine.plugins import hookimpl\nfrom azr_engine.engine.types import Drop, Refusal\n" + body
    )
    return str(file)


def test_a_file_brings_a_domain_and_a_verifier(tmp_path: Path) -> None:
    file = plugin(
        tmp_path,
        "from tests.toys import ToyDomain, ToyVerifier\n"
        "@hookimpl\ndef azr_domains(config):\n    return [ToyDomain()]\n"
        "@hookimpl\ndef azr_verifiers(config):\n    return [ToyVerifier()]\n",
    )
    plugins = Plugins([file])
    assert {"python", "math", "toy"} <= set(plugins.domains(load_config()))
    assert "toy" in plugins.verifiers(load_config())
    assert {info.name: info.hooks for info in plugins.info()}[file] == ("azr_domains", "azr_verifiers")


def test_two_domains_of_one_name_are_refused(tmp_path: Path) -> None:
    body = "from tests.toys import ToyDomain\n@hookimpl\ndef azr_domains(config):\n    return [ToyDomain()]\n"
    plugins = Plugins([plugin(tmp_path, body, "one"), plugin(tmp_path, body, "two")])
    with pytest.raises(UserError, match="two plugins bring a domain named 'toy'"):
        plugins.domains(load_config())


def test_a_plugin_loaded_twice_or_with_a_wrong_signature_is_refused(tmp_path: Path) -> None:
    file = plugin(tmp_path, "")
    with pytest.raises(UserError, match="twice"):
        Plugins([file, file])
    wrong = plugin(tmp_path, "@hookimpl\ndef azr_observe(event, surprise): pass\n", "wrong")
    with pytest.raises(UserError, match="surprise"):
        Plugins([wrong])


@pytest.mark.parametrize("body", ["raise ValueError('no')", "return 'because'"])
def test_screens_and_gates_fail_closed(tmp_path: Path, body: str) -> None:
    logged: list[Any] = []
    file = plugin(
        tmp_path,
        f"@hookimpl\ndef azr_screen_draft(draft):\n    {body}\n@hookimpl\ndef azr_gate_group(episode):\n    {body}\n",
    )
    plugins = Plugins([file], log=lambda name, error: logged.append(error))
    assert isinstance(plugins.screen(DRAFT), Refusal)
    assert isinstance(plugins.gate(EPISODE), Drop)
    assert len(logged) == (2 if "raise" in body else 0)


def test_without_screens_nothing_is_refused() -> None:
    assert Plugins().screen(DRAFT) is None
    assert Plugins().gate(EPISODE) is None


def test_an_observers_exception_and_answer_change_nothing(tmp_path: Path) -> None:
    seen: list[BaseException] = []
    file = plugin(tmp_path, "@hookimpl\ndef azr_observe(event):\n    raise RuntimeError(event.name)\n")
    loud = Plugins([file], log=lambda name, error: seen.append(error))
    assert loud.observe(Event("step", 1)) is None  # type: ignore[func-returns-value]
    assert [str(error) for error in seen] == ["step"]


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ([], "continue"),
        (["return 'pause'", "return 'halt'", "return None"], "halt"),
        (["return 'continue'", "raise ValueError"], "pause"),
        (["return 'whatever'"], "pause"),
    ],
)
def test_the_strictest_answer_to_an_alarm_wins(tmp_path: Path, bodies: list[str], expected: str) -> None:
    files = [
        plugin(tmp_path, f"@hookimpl\ndef azr_on_alarm(alarm):\n    {body}\n", f"p{i}") for i, body in enumerate(bodies)
    ]
    assert Plugins(files).on_alarm(Alarm("a", 1, "m")) == expected


def test_rewards_and_curricula_by_name(tmp_path: Path) -> None:
    file = plugin(
        tmp_path,
        "import dataclasses\nfrom azr_engine.engine.rewards import REWARDS\n"
        "from azr_engine.curriculum import CURRICULA\n"
        "@hookimpl\ndef azr_rewards():\n    return [dataclasses.replace(REWARDS['paper'], name='mine')]\n"
        "@hookimpl\ndef azr_curricula():\n    return {'mine': CURRICULA['uniform']}\n",
    )
    plugins = Plugins([file])
    assert plugins.reward("mine").name == "mine"
    assert plugins.curriculum("mine").name == "uniform"
    with pytest.raises(UserError, match="learnability"):
        plugins.reward("absent")
