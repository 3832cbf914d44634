"""What one forked child does: run one program on its inputs and write one outcome for each.

The program's globals and its views of the allowed modules are made fresh for each input, so an assignment to
`math.floor` lasts for one input. Its built-ins are a dictionary that the policy leaves no way to reach, with the
sources of chance replaced (see `chance`).
Not covered: a program that gets past the policy can reach this module's own objects; what it forges is its own result.

Every page that a child touches is copied by the kernel, which costs more than the work itself, and every page and
library that it could touch costs something at each fork. Hence what is built here once, before any fork; `warm_up`,
after which the interpreter has no caches left to fill; and `import_modules`, which a worker calls only when it serves
programs that import something.
"""

from __future__ import annotations

import builtins
import importlib
import marshal
import os
import sys
import time
import types
from collections.abc import Callable

from azr_engine.verifiers.python.allowed import ALLOWED_MODULES, SAFE_BUILTINS
from azr_engine.verifiers.python.canonical import Oversize, Unserialisable, canonical_tuple, canonical_value
from azr_engine.verifiers.python.chance import guarded_hash, guarded_id, guarded_random, traces
from azr_engine.verifiers.python.compilation import compile_source
from azr_engine.verifiers.python.wire import Call, Outcome, pack_outcome
from azr_engine.verifiers.sandbox.limits import start_cpu_clock

TYPE_CHECKING = False  # see `wire`
if TYPE_CHECKING:
    from typing import Any

_HIDDEN = frozenset(("SystemRandom", "Formatter", "attrgetter", "methodcaller", "get_type_hints"))
_WARM_UP_RUNS = 64
_type_name: Callable[[type], str] = type.__dict__["__name__"].__get__
_type_module: Callable[[type], object] = type.__dict__["__module__"].__get__


class _Refused(ImportError):
    """The program asked for a module that is not allowed."""


def _public(module: types.ModuleType) -> dict[str, object]:
    """A module's own names: nothing private, and no module that it happens to import."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and name not in _HIDDEN and not isinstance(value, types.ModuleType)
    }


_MODULES: dict[str, dict[str, object]] = {}


def import_modules() -> None:
    """Bring in all that programs may import."""
    for name in sorted(ALLOWED_MODULES):
        module = importlib.import_module(name)
        _MODULES[name] = _public(module)
        if name == "random":
            _MODULES[name].update(guarded_random(module))


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
    traces.reset()
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
    if traces.refused:
        return "banned", ""
    return ("nondeterministic", "") if traces.chance else outcome


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
        traces.refused = True
        raise _Refused(name)
    package, _, submodule = name.partition(".")
    module = _view(package)
    if not submodule:
        return module
    vars(module)[submodule] = _view(name)
    return vars(module)[submodule] if fromlist else module


def _view(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(_MODULES[name])
    return module


_BUILTINS: dict[str, Any] = {name: vars(builtins)[name] for name in SAFE_BUILTINS}
_BUILTINS.update(__build_class__=builtins.__build_class__, __name__="builtins", __import__=_guarded_import)
_BUILTINS.update(id=guarded_id, hash=guarded_hash)


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
