"""Draft screening: what the built-in policy denies and what it leaves alone, and policy files of one's own."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from azr_engine.domains.math.domain import MathDomain
from azr_engine.domains.python.domain import PythonDomain
from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Draft, Refusal
from azr_engine.oversight.config import OversightConfig
from azr_engine.oversight.plugin import Oversight
from azr_engine.oversight.policy import load_policy
from azr_engine.plugins.manager import Plugins


def draft(program: str, message: str = "", domain: str = "python") -> Draft:
    return Draft(domain, "induction", {"program": program, "inputs": ["1", "2"], "message": message})


@pytest.mark.parametrize(
    ("program", "rule"),
    [
        ("import os\ndef f(x): return os.getcwd()", "reaches_the_system"),
        ("import os.path as p\ndef f(x): return p.join('a', x)", "reaches_the_system"),
        ("def f(x):\n    from subprocess import run\n    return run(x)", "reaches_the_system"),
        ("def f(x): return eval(x)", "reaches_the_system"),
        ("import builtins\ndef f(x): return builtins.exec(x)", "reaches_the_system"),
        ("def f(x): return ().__class__.__base__.__subclasses__()", "reaches_the_system"),
        ("from urllib.request import urlopen\ndef f(x): return urlopen(x)", "reaches_the_network"),
        ("import http.client\ndef f(x): return x", "reaches_the_network"),
        ("API_KEY = 'x'\ndef f(x): return API_KEY", "secrets"),
        ("def f(x): return 'how to write ransomware'", "attacks"),
        ("# fool the verifier\ndef f(x): return x", "about_its_own_grading"),
    ],
)
def test_the_built_in_policy_denies(program: str, rule: str) -> None:
    assert load_policy().refusal(draft(program)) == Refusal(rule)


def test_every_field_is_read() -> None:
    assert load_policy().refusal(draft("def f(x): return x", "build a pipe bomb")) == Refusal("weapons")
    nested = Draft("math", "deduction", {"arguments": {"point": ["sarin"]}})
    assert load_policy().refusal(nested) == Refusal("weapons")


@pytest.mark.parametrize(
    "program",
    [
        "def f(x): return 'os' + x",
        "def f(closed): return closed.opened",
        "def f(x):\n    evaluate = lambda y: y\n    return evaluate(x)",
        "import re\ndef f(x): return re.compile",
        "def f(password): return len(password) > 8",
        "def f(x): return x.split('http')",
        "this is no python: import os",
    ],
)
def test_what_only_looks_like_it_passes(program: str) -> None:
    assert load_policy().refusal(draft(program)) is None


def test_no_seed_of_the_built_in_domains_is_denied() -> None:
    policy = load_policy()
    for domain in (PythonDomain(), MathDomain()):
        drafts = islice(domain.seeds(random.Random(1)), 400)
        assert [each for each in drafts if policy.refusal(each) is not None] == []


def test_what_is_too_long_is_refused_unread() -> None:
    assert load_policy().refusal(draft("x" * 60_000)) == Refusal("too long to be screened")


def test_a_policy_of_ones_own_replaces_the_built_in_one(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('[[deny]]\nname = "no_loops"\ncalls = ["range"]\ndomains = ["python"]\n')
    policy = load_policy(str(file))
    assert policy.refusal(draft("def f(x): return sum(range(x))")) == Refusal("no_loops")
    assert policy.refusal(draft("def f(x): return sum(range(x))", domain="other")) is None
    assert policy.refusal(draft("def f(x): return eval(x)")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[deny]]\nname = 'a'\n", "needs a pattern"),
        ("[[deny]]\nname = 'a'\npattern = '('\n", "no regular expression"),
        ("[[deny]]\nname = 'a'\nwords = ['x']\n", "Extra inputs"),
        ("deny = 3", "valid"),
        ("[[deny", "valid TOML"),
        ("[[deny]]\nname = 'a'\npattern = 'x'\n[[deny]]\nname = 'a'\npattern = 'y'\n", "two rules named 'a'"),
    ],
)
def test_a_wrong_policy_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_policy(str(file))
    assert str(file) in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UserError, match="cannot read the policy"):
        load_policy(str(tmp_path / "absent.toml"))


def test_it_screens_as_a_plugin_unless_switched_off() -> None:
    bad = draft("import os\ndef f(x): return x")
    on, off = Plugins(), Plugins()
    on.add("oversight", Oversight(OversightConfig()))
    off.add("oversight", Oversight(OversightConfig(enabled=False)))
    assert on.screen(bad) == Refusal("reaches_the_system")
    assert off.screen(bad) is None
    with pytest.raises(UserError, match="loaded twice"):
        on.add("oversight", Oversight(OversightConfig()))
