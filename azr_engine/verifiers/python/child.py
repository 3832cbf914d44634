"""What one forked child does: run one program on its inputs and write one outcome for each.

The program's globals and its views of the allowed modules are made fresh for each input, so an assignment to
`math.floor` lasts for one input. Its built-ins are a dictionary that the policy leaves no way to reach. Sources of
chance are replaced: unseeded `random`, `id`, and `hash` of anything but numbers mark the outcome
`nondeterministic` even when the program swallows the exception.
Not covered: a program that gets past the policy can reach this module's own objects; what it forges is its own result.

Every page that a child touches is copied by the kernel, which costs more than the work itself. Hence what is built
here once, before any fork, and `warm_up`, after which the interpreter has no caches left to fill.
"""

from __future__ import annotations

import builtins
import importlib
import marshal
import os
import random
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from azr_engine.verifiers.python.canonical import Oversize, Unserialisable, canonical_tuple, canonical_value
from azr_engine.verifiers.python.policy import ALLOWED_MODULES, SAFE_BUILTINS
from azr_engine.verifiers.python.source import compile_source
from azr_engine.verifiers.python.wire import Call, Outcome, pack_outcome
from azr_engine.verifiers.sandbox.limits import start_cpu_clock

_HIDDEN = frozenset(("SystemRandom", "Formatter", "attrgetter", "methodcaller", "get_type_hints"))
_DRAWING = """
    betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits lognormvariate normalvariate
    paretovariate randbytes randint random randrange sample shuffle triangular uniform vonmisesvariate weibullvariate
"""
_WARM_UP_RUNS = 64
_type_name: Callable[[type], str] = type.__dict__["__name__"].__get__
_type_module: Callable[[type], object] = type.__dict__["__module__"].__get__


class _Chance(Exception):
    """The program asked for something that differs from run to run."""


class _Refused(ImportError):
    """The program asked for a module that is not allowed."""


class _Traces:
    """What a run left behind: whether it drew on chance, or asked for a module that is not allowed."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.chance = self.refused = self.seeded = False

    def draw(self) -> None:
        self.chance = True
        raise _Chance


_traces = _Traces()


def _public(module: types.ModuleType) -> dict[str, object]:
    """A module's own names: nothing private, and no module that it happens to import."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and name not in _HIDDEN and not isinstance(value, types.ModuleType)
    }


_MODULES = {name: _public(importlib.import_module(name)) for name in sorted(ALLOWED_MODULES)}


def serve(call: Call, first: int, descriptor: int) -> None:
    """Run `call` from input `first` on, writing outcomes to `descriptor`; never raises for what the program does."""
    n_inputs = len(call.arguments) - call.n_probes
    start_cpu_clock(call.cpu_seconds)
    try:
        code = marshal.loads(call.code) if call.code else compile_source(call.source)
    except ValueError:
        os.write(descriptor, pack_outcome(Outcome("syntax")) * (len(call.arguments) - first))
        return
    for position in range(first, len(call.arguments)):
        start_cpu_clock(call.cpu_seconds if position < n_inputs else call.probe_cpu_seconds)
        start = time.thread_time()
        status, text = _run(code, call, marshal.loads(call.arguments[position]))
        os.write(descriptor, pack_outcome(Outcome(status, text, time.thread_time() - start)))


def _run(code: types.CodeType, call: Call, arguments: tuple[object, ...]) -> tuple[str, str]:
    _traces.reset()
    try:
        before = canonical_tuple(arguments) if call.pure else ""
        scope: dict[str, Any] = {"__name__": "program", "__builtins__": _BUILTINS}
        exec(code, scope)  # noqa: S102 - this is what the sandbox is for
        value = scope[call.function](*arguments)
        outcome = "ok", canonical_value(value)
        if call.pure and canonical_tuple(arguments) != before:
            outcome = "mutates_input", ""
    except Unserialisable:
        outcome = "unserialisable", ""
    except Oversize:
        outcome = "oversize", ""
    except BaseException as error:
        outcome = _classify(error)
    if _traces.refused:
        return "banned", ""
    return ("nondeterministic", "") if _traces.chance else outcome


def _classify(error: BaseException) -> tuple[str, str]:
    """The outcome of an exception, by its exact type and without a call to anything of its own."""
    kind = type(error)
    if kind is MemoryError:
        return "memory", ""
    name = _type_name(kind)
    if vars(builtins).get(name) is kind:
        return "error", name
    module = _type_module(kind)
    return "error", f"{module if type(module) is str else '?'}.{name}"[:200]


def _guarded_import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if level or type(name) is not str or name not in _MODULES:
        _traces.refused = True
        raise _Refused(name)
    package, _, submodule = name.partition(".")
    module = _view(package)
    if not submodule:
        return module
    vars(module)[submodule] = _view(name)
    return vars(module)[submodule] if fromlist else module


def _guarded_id(value: object) -> None:
    _traces.draw()


def _guarded_hash(value: object) -> int:
    _require_stable_hash(value)
    return hash(value)


def _require_stable_hash(value: object) -> None:
    if type(value) is tuple:
        for item in value:
            _require_stable_hash(item)
    elif type(value) not in (int, bool, float, complex):
        _traces.draw()


def _view(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(_MODULES[name])
    return module


def _guard(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Let the program draw only from a generator that it seeded itself."""

    def guarded(*arguments: Any, **named: Any) -> Any:
        if not _traces.seeded:
            _traces.draw()
        return draw(*arguments, **named)

    return guarded


def _guarded_seed(a: object = None, version: int = 2) -> None:
    if a is None:
        _traces.draw()
    random.seed(a, version)  # type: ignore[arg-type]
    _traces.seeded = True


class _SeededRandom(random.Random):
    """`random.Random` that refuses to seed itself from the system."""

    def __init__(self, x: object = None) -> None:
        self.seed(x)

    def seed(self, a: object = None, version: int = 2) -> None:
        if a is None:
            _traces.draw()
        super().seed(a, version)  # type: ignore[arg-type]


_MODULES = {name: _public(importlib.import_module(name)) for name in sorted(ALLOWED_MODULES)}
_MODULES["random"].update((name, _guard(getattr(random, name))) for name in _DRAWING.split() if hasattr(random, name))
_MODULES["random"].update(seed=_guarded_seed, Random=_SeededRandom)
_BUILTINS: dict[str, Any] = {name: vars(builtins)[name] for name in SAFE_BUILTINS}
_BUILTINS.update(__build_class__=builtins.__build_class__, __name__="builtins", __import__=_guarded_import)
_BUILTINS.update(id=_guarded_id, hash=_guarded_hash)


def warm_up() -> None:
    """Run a program of our own often enough that the interpreter specialises all that a child executes."""
    source = "def f(x):\n    try:\n        return [x + 1, 'a']\n    except ValueError:\n        return {}\n"
    compiled = marshal.dumps(compile_source(source))
    call = Call(0, "", compiled, "f", [marshal.dumps((3,), 2)], 0, True, True, 0.0, 0.0, 0.0)
    for _ in range(_WARM_UP_RUNS):
        code = marshal.loads(compiled)
        start_cpu_clock(0.0)  # zero starts no clock
        pack_outcome(Outcome(*_run(code, call, marshal.loads(call.arguments[0]))))


def silence() -> None:
    """Leave the interpreter no standard streams, so that what a library prints goes nowhere."""
    sys.stdin = sys.stdout = sys.stderr = None
