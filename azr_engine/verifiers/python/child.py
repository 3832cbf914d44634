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
import gc
import marshal
import os
import sys
import time
import types

from azr_engine.verifiers.python.allowed import ALLOWED_MODULES, SAFE_BUILTINS, UNCHECKED_BUILTINS, UNCHECKED_DIGESTS
from azr_engine.verifiers.python.canonical import Oversize, Unserialisable, canonical_tuple, canonical_value
from azr_engine.verifiers.python.chance import guarded_hash, guarded_id, guarded_random, traces
from azr_engine.verifiers.python.compilation import compile_source
from azr_engine.verifiers.python.wire import END, Call, pack_outcome
from azr_engine.verifiers.sandbox.cage import Cage
from azr_engine.verifiers.sandbox.signals import ITIMER_PROF, set_timer

TYPE_CHECKING = False  # see `boot`
if TYPE_CHECKING:
    from collections.abc import Callable
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
        __import__(name)
        module = sys.modules[name]
        _MODULES[name] = _public(module)
        if name == "random":
            _MODULES[name].update(guarded_random(module))
    # Not `hashlib` itself: it brings in OpenSSL, whose pages each fork would pay for.
    _MODULES["hashlib"] = {name: getattr(__import__(f"_{name}"), name) for name in UNCHECKED_DIGESTS}


def live(cage: Cage, request: bytes, first: int, descriptor: int) -> None:
    """All of a child's life: shut itself in with `descriptor`, then serve from input `first` on."""
    cage.shut(descriptor)
    gc.enable()
    serve(request, first, cage.result)


def serve(request: bytes, first: int, descriptor: int) -> None:
    """Run a packed `Call` from input `first` on, writing outcomes to `descriptor`, whatever the program does."""
    source, compiled, function, inputs, n_probes, _, pure, cpu_seconds, probe_cpu_seconds, _ = marshal.loads(request)
    limits = [cpu_seconds] * (len(inputs) - n_probes) + [probe_cpu_seconds] * n_probes + [0.0]
    set_timer(ITIMER_PROF, limits[first])
    try:
        code = marshal.loads(compiled) if compiled else compile_source(source)
    except ValueError:
        os.write(descriptor, pack_outcome("syntax") * (len(inputs) - first) + END)
        return
    clock = time.thread_time()
    for position in range(first, len(inputs)):
        status, text = _run(code, function, marshal.loads(inputs[position]), pure)
        set_timer(ITIMER_PROF, limits[position + 1])
        before, clock = clock, time.thread_time()
        os.write(descriptor, pack_outcome(status, text, clock - before))
    os.write(descriptor, END)


def _run(code: types.CodeType, function: str, arguments: tuple[object, ...], pure: bool) -> tuple[str, str]:
    traces.reset()
    try:
        before = canonical_tuple(arguments) if pure else ""
        scope: dict[str, Any] = {"__name__": "program", "__builtins__": _BUILTINS}
        exec(code, scope)  # noqa: S102 - this is what the sandbox is for
        value = scope[function](*arguments)
        outcome = "ok", canonical_value(value)
        if pure and canonical_tuple(arguments) != before:
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


_BUILTINS: dict[str, Any] = {name: vars(builtins)[name] for name in SAFE_BUILTINS | UNCHECKED_BUILTINS}
_BUILTINS.update(__build_class__=builtins.__build_class__, __name__="builtins", __import__=_guarded_import)
_BUILTINS.update(id=guarded_id, hash=guarded_hash)


def warm_up() -> None:
    """Run a program of our own often enough that the interpreter specialises all that a child executes."""
    source = "def f(x):\n    try:\n        return [x + 1, 'a']\n    except ValueError:\n        return {}\n"
    compiled = marshal.dumps(compile_source(source))
    call = Call("", compiled, "f", [marshal.dumps((3,), 2)], 0, True, True, 0.0, 0.0, 0.0).pack()
    reading, writing = os.pipe()
    cage = Cage.without_walls(writing)
    for _ in range(_WARM_UP_RUNS):
        live(cage, call, 0, writing)
    gc.disable()
    os.close(reading)
    os.close(writing)


def silence() -> None:
    """Leave the interpreter no standard streams, so that what a library prints goes nowhere."""
    sys.stdin = sys.stdout = sys.stderr = None
