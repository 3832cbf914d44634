"""What a task is: commands, the keys of a database before them, and the keys after them.

Keys hold texts, lists, sets and hashes, written as Python's `'text'`, `['a', 'b']`, `{'a'}` and `{'field': 'value'}`.
Commands are allowed whose effect follows from the keys alone: none that draws, waits, looks at a clock, or takes much
memory.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from azr_engine.domains.function import FunctionDomain, read_literal, write_literal

COMMANDS = frozenset(
    "APPEND COPY DECR DECRBY DEL GETDEL HDEL HINCRBY HSET HSETNX INCR INCRBY LINSERT LMOVE LPOP LPUSH LPUSHX LREM LSET "
    "LTRIM RENAME RENAMENX RPOP RPUSH RPUSHX SADD SDIFFSTORE SET SETNX SINTERSTORE SMOVE SREM SUNIONSTORE".split()
)
MAX_COMMANDS = 12
MAX_ITEMS = 20
Reply = Any
Ask = Callable[[Sequence[str]], Reply]
"""Sends one command and gives the server's reply; raises ValueError where that is an error."""


def _no_server(words: Sequence[str]) -> Reply:
    raise RuntimeError("only a RedisRunner's domain can run commands")


class RedisDomain(FunctionDomain):
    """`run` needs a server: a `RedisRunner` sets `ask`."""

    name = "redis"
    propose = "Write Redis commands, and the keys that the database holds before them."
    solve = (
        "The commands run one after the other in a Redis database with these keys; the output is the keys afterwards."
    )
    program_form = "commands separated by semicolons, such as INCR n; RPUSH l a b"
    input_form = output_form = "a Python dict of the keys, such as {'n': '5', 'l': ['a'], 's': {'x'}, 'h': {'f': '1'}}"
    probes = ("{}", "{'n': '5', 'l': ['a', 'b']}", "{'n': '-1', 'l': ['c'], 's': {'x', 'y'}, 'h': {'f': '3'}}")
    max_characters = 400

    def __init__(self, ask: Ask = _no_server) -> None:
        super().__init__()
        self._ask = ask

    def run(self, program: str, input: str) -> str:
        commands, keys = read_commands(program), read_keys(input)
        self._ask(["FLUSHALL"])
        for name, value in keys.items():
            self._ask(_creation(name, value))
        for command in commands:
            self._ask(command)
        return write_literal({name: self._value(name) for name in sorted(self._ask(["KEYS", "*"]))})

    def _value(self, name: str) -> Any:
        match self._ask(["TYPE", name]):
            case "list":
                return self._ask(["LRANGE", name, "0", "-1"])
            case "set":
                return set(self._ask(["SMEMBERS", name]))
            case "hash":
                found = self._ask(["HGETALL", name])
                return dict(zip(found[::2], found[1::2], strict=True))
        return self._ask(["GET", name])

    def canonical(self, output: str) -> str:
        return write_literal(read_keys(output))

    def skeleton(self, program: str) -> str:
        return " ".join(command[0] for command in read_commands(program))

    def draw_program(self, rng: random.Random) -> str:
        steps = ["INCR n", "DECRBY n {i}", "APPEND n {i}", "RPUSH l {w}", "LPUSH l {w}", "LPOP l", "RPOP l"]
        more = ["HINCRBY h f {i}", "SADD s {w}", "SREM s x", "LMOVE l l LEFT RIGHT", "DEL s", "LREM l 1 {w}"]
        lines = [*rng.sample(steps, rng.randint(1, 2)), *rng.sample(more, rng.randint(0, 2))]
        rng.shuffle(lines)
        return "; ".join(line.format(i=rng.randint(1, 9), w=rng.choice("abcx")) for line in lines)

    def draw_input(self, rng: random.Random, program: str) -> str:
        letters = [rng.choice("abc") for _ in range(rng.randint(1, 3))]
        keys: dict[str, Any] = {"n": str(rng.randint(0, 20)), "l": letters, "s": {"x", rng.choice("ab")}}
        return write_literal({**keys, "h": {"f": str(rng.randint(0, 9))}})


def read_commands(program: str) -> list[list[str]]:
    """The commands of a program, each as words. Raises ValueError for what is none, or not allowed."""
    if not re.fullmatch(r"[A-Za-z0-9_ ;.-]+", program):
        raise ValueError("commands are of letters, digits, spaces and _ . - alone")
    commands = [words for text in program.split(";") if (words := text.split())]
    if not 1 <= len(commands) <= MAX_COMMANDS:
        raise ValueError(f"a program has 1 to {MAX_COMMANDS} commands")
    for command in commands:
        command[0] = command[0].upper()
        if command[0] not in COMMANDS:
            raise ValueError(f"the command {command[0]!r} is not allowed")
        if {word.upper() for word in command[1:]} & {"EX", "PX", "EXAT", "PXAT", "KEEPTTL"}:
            raise ValueError("keys do not expire here")
    return commands


def read_keys(text: str) -> dict[str, Any]:
    """The keys that a text spells. Raises ValueError."""
    keys = read_literal(text)
    if type(keys) is not dict or len(keys) > MAX_ITEMS:
        raise ValueError(f"the keys must be a dict of at most {MAX_ITEMS}")
    for name, value in keys.items():
        items = [*value, *value.values()] if type(value) is dict else [value] if type(value) is str else value
        if type(name) is not str or type(value) not in (str, list, set, dict):
            raise ValueError("a key is a text and holds a text, a list, a set or a dict")
        if not items or len(items) > 2 * MAX_ITEMS or any(type(item) is not str for item in items):
            raise ValueError("lists, sets and dicts hold texts and are not empty")
    return keys


def _creation(name: str, value: Any) -> list[str]:
    """The command that makes a key hold a value."""
    if type(value) is str:
        return ["SET", name, value]
    if type(value) is dict:
        return ["HSET", name, *(text for pair in value.items() for text in pair)]
    return ["RPUSH" if type(value) is list else "SADD", name, *value]
