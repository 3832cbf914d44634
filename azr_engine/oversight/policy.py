"""The policy file: rules that keep drafts out, as patterns over their texts and as facts about their programs.

    [[deny]]
    name = "network"                      # what the proposer's rejection is called
    imports = ["socket", "urllib"]        # a module or a part of it
    calls = ["exec"]                      # a function called by its bare name or as the last part of a dotted one
    attributes = ["__subclasses__"]
    domains = ["python"]                  # everywhere without it

    [[deny]]
    name = "weapons"
    pattern = '(?i)\\bnerve agent'

A rule applies where its pattern or any of its names is found. Programs are parsed, never run; a text that is no Python
has no imports and is left to its verifier. Texts too long to be searched are refused.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from azr_engine.engine.errors import UserError
from azr_engine.engine.types import Draft, Refusal
from azr_engine.verifiers.python.source import all_nodes, parse_module

MAX_CHARACTERS = 50_000
"""Of a draft's texts together; what is longer is refused unread."""


class Rule(BaseModel):
    """One rule of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    pattern: str | None = None
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if self.pattern is None and not (self.imports or self.calls or self.attributes):
            raise ValueError("a rule needs a pattern, imports, calls or attributes")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"its pattern is no regular expression: {error}") from None
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it looks for in programs."""
        return (*self.imports, *self.calls, *self.attributes)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    deny: tuple[Rule, ...] = ()


class Policy:
    """Rules, ready to be asked."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._patterns = {rule.name: re.compile(rule.pattern) for rule in rules if rule.pattern is not None}

    def refusal(self, draft: Draft) -> Refusal | None:
        """The first rule that applies, by its name."""
        texts = list(_texts(draft.fields))
        if sum(map(len, texts)) > MAX_CHARACTERS:
            return Refusal("too long to be screened")
        facts: list[_Facts] | None = None
        for rule in self.rules:
            if rule.domains and draft.domain not in rule.domains:
                continue
            pattern = self._patterns.get(rule.name)
            if pattern is not None and any(pattern.search(text) for text in texts):
                return Refusal(rule.name)
            # Parsing costs more than all else, and most programs hold none of the names.
            if any(name in text for name in rule.names for text in texts):
                facts = [_facts(text) for text in texts] if facts is None else facts
                if any(_applies(rule, each) for each in facts):
                    return Refusal(rule.name)
        return None


def load_policy(file: str | None = None) -> Policy:
    """The policy in a file; without one, the built-in policy.

    Raises:
        UserError: the file cannot be read or is no policy; the message names the rule.
    """
    try:
        if file is None:
            text = resources.files(__package__).joinpath("data", "policy.toml").read_text(encoding="utf-8")
        else:
            text = Path(file).read_text(encoding="utf-8")
        found = _File.model_validate(tomllib.loads(text))
    except OSError as error:
        raise UserError(f"cannot read the policy {file}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        raise UserError(f"the policy {file}: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"the policy {file} is not valid TOML: {error}") from None
    names = [rule.name for rule in found.deny]
    if len(set(names)) < len(names):
        raise UserError(f"the policy {file} has two rules named {max(names, key=names.count)!r}")
    return Policy(found.deny)


class _Facts:
    """The names that a program imports, calls and looks up."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.calls: set[str] = set()
        self.attributes: set[str] = set()


def _facts(text: str) -> _Facts:
    facts = _Facts()
    try:
        nodes = all_nodes(parse_module(text))
    except ValueError:
        return facts
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    facts.imports.update(_heads(alias.name))
            case ast.ImportFrom(module=str() as module, names=names):
                facts.imports.update(_heads(module), (f"{module}.{alias.name}" for alias in names))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                facts.calls.add(name)
        if isinstance(node, ast.Attribute):
            facts.attributes.add(node.attr)
    return facts


def _heads(name: str) -> Iterator[str]:
    """A dotted name and every package above it."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _applies(rule: Rule, facts: _Facts) -> bool:
    return not (
        facts.imports.isdisjoint(rule.imports)
        and facts.calls.isdisjoint(rule.calls)
        and facts.attributes.isdisjoint(rule.attributes)
    )


def _texts(value: Any) -> Iterator[str]:
    """Every text in a draft's fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
